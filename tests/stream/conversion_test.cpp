#include "stream/crew.hpp"
#include "support/catch.hpp"

// How a consumer becomes cooperative, and plain again, and how it is moved while workers claim.

using std::chrono::seconds;

TEST_CASE("a consumer of one kind is not used as one of the other") {
  test::crew here;
  here.fill(1);
  const auto plain = "QN025: consumer \"audit\" of stream \"log\" is not cooperative";
  const auto shared = "QN025: consumer \"crew\" of stream \"log\" is cooperative";
  CHECK(here.db.refusal("select log_claim_v1('audit')") == plain);
  CHECK(here.db.refusal("select log_nack('audit', 1, 1)") == plain);
  CHECK(here.db.refusal("select log_extend('audit', 1)") == plain);
  CHECK(here.db.refusal("select log_release('audit', 1)") == plain);
  CHECK(here.db.refusal("select log_receive_v1('crew')") == shared);
  CHECK(here.db.refusal("select log_claim_v1('nobody')") == "QN023: stream \"log\" has no consumer \"nobody\"");
  CHECK(here.db.refusal("select log_share('nobody')") == "QN023: stream \"log\" has no consumer \"nobody\"");
  CHECK(here.db.refusal("select log_unshare('nobody')") == "QN023: stream \"log\" has no consumer \"nobody\"");
}

TEST_CASE("a cooperative consumer is registered at run time") {
  test::crew here;
  here.fill(2);
  CHECK(here.db.ask("select log_subscribe('mine', 'start', p_is_cooperative => true)") == "0");
  CHECK(here.db.ask("select log_share('mine', '5 s', 2)") == "f");
  auto ann = here.hire("mine");
  CHECK(ann.claim(1) == "1");
  CHECK(here.db.ask("select lease_until < clock_timestamp() + interval '6 s' from log_claim "
                    "where consumer = 'mine' and is_open") == "t");
  CHECK(here.db.refusal("select log_share('mine', '0')") ==
        "QN005: a cooperative consumer needs a lease, at least one attempt and a backoff that can be");
  CHECK(here.db.refusal("select log_share('mine', p_backoff => 'random')") ==
        "QN005: a cooperative consumer needs a lease, at least one attempt and a backoff that can be");
  CHECK(here.db.ask("select log_unsubscribe('mine')") == "t");
  CHECK(here.db.refusal(ann.acking()).empty() == false);
  CHECK(here.db.ask("select count(*) from log_claim where consumer = 'mine'") == "0");
}

TEST_CASE("a plain consumer becomes cooperative where it is, and what it holds is stale") {
  test::crew here;
  here.fill(4);
  CHECK(here.receive("audit", 2) == "1|1 2|2");
  CHECK(here.ack("audit", 1) == "1");
  const auto batch = here.batch("audit");
  CHECK(here.db.ask("select log_share('audit')") == "t");
  auto ann = here.hire("audit");
  CHECK(here.db.ask(fmt::format("select log_ack('audit', {}, 2)", batch)) == "0");
  CHECK(ann.claim(2) == "2 3");
  CHECK(ann.ack() == "2");
}

TEST_CASE("of a conversion and the acknowledgement of a plain batch at once both count, one after the other") {
  test::crew here;
  here.fill(4);
  here.receive("audit", 2);
  auto acking = here.open();
  auto converting = here.open();
  acking.begin();
  CHECK(acking.ask(fmt::format("select log_ack('audit', {}, 2)", here.batch("audit"))) == "2");
  auto converted = converting.later("select log_share('audit')");
  here.wait_until_blocked(converting);
  acking.commit();
  CHECK(converted.get() == "t");
  CHECK(here.hire("audit").claim() == "3 4");
}

TEST_CASE("a cooperative consumer becomes plain when nothing is claimed") {
  test::crew here;
  here.fill(4);
  auto ann = here.hire();
  CHECK(ann.claim(2) == "1 2");
  CHECK(here.db.refusal("select log_unshare('crew')") ==
        "QN008: consumer \"crew\" of stream \"log\" is not through with what it has claimed (It is done up to offset 0 "
        "and "
        "has claimed up to 2; 0 events wait for another attempt, or for others of their key.)");
  CHECK(ann.nack(2) == "retry");
  CHECK(ann.ack() == "1");
  CHECK(here.db.refusal("select log_unshare('crew')") ==
        "QN008: consumer \"crew\" of stream \"log\" is not through with what it has claimed (It is done up to offset 2 "
        "and "
        "has claimed up to 2; 1 events wait for another attempt, or for others of their key.)");
  here.pass(seconds{11});
  CHECK(ann.claim() == "2");
  CHECK(ann.ack() == "1");
  CHECK(here.db.ask("select log_unshare('crew')") == "t");
  CHECK(here.db.ask("select log_unshare('crew')") == "f");
  CHECK(here.receive("crew") == "3|3 4|4");
  CHECK(here.ack("crew", 3) == "1");
  CHECK(here.db.ask("select log_share('crew')") == "t");
  CHECK(ann.claim() == "4");
}

TEST_CASE("a cooperative consumer is moved: what it holds and what waits is forgotten") {
  test::crew here;
  here.fill(5);
  auto ann = here.hire();
  CHECK(ann.claim(3) == "1 2 3");
  CHECK(ann.nack(2) == "retry");
  CHECK(here.db.ask("select log_seek('crew', 1)") == "1");
  CHECK(ann.ack() == "0");
  CHECK(ann.nack(3) == "lost");
  CHECK(here.state() == "1|0|0|0");
  CHECK(ann.claim() == "2 3 4 5");
  CHECK(ann.ack() == "4");
  CHECK(here.db.ask("select log_seek('crew', p_at => now() - interval '1 hour')") == "0");
  CHECK(ann.claim(1) == "1");
}

TEST_CASE("a move of the consumer waits for the acknowledgement of a claim, which counts") {
  test::crew here;
  here.fill(3);
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2 3");
  ann.db.begin();
  CHECK(ann.ack() == "3");
  auto moving = here.open();
  auto moved = moving.later("select log_seek('crew', 2)");
  here.wait_until_blocked(moving);
  ann.db.commit();
  CHECK(moved.get() == "2");
  CHECK(ann.claim() == "3");
}
