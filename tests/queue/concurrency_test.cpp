#include <fmt/format.h>

#include <quern/error.hpp>

#include "queue/workshop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

/// A claim while no sweep is due, so that it has the hints alone to go by.
std::vector<test::held> receive_without_sweep(test::workshop& here, test::session& with, int count) {
  here.db.ask(R"(
    select setval('mail_v1_swept_at', floor(extract(epoch from clock_timestamp()) * 1000)::bigint)
  )");
  return with.receive(count);
}

}  // namespace

TEST_CASE("two claims at once get different messages, and neither waits for the other", "[rows]") {
  test::workshop here;
  for (const auto* body : {"a", "b", "c", "d"}) here.db.send(body);
  auto one = here.open();
  auto two = here.open();
  auto three = here.open();
  one.begin();
  two.begin();
  three.begin();
  CHECK(test::bodies(one.receive(2)) == "a b");
  CHECK(test::bodies(two.take(1)) == "c");
  CHECK(test::bodies(three.receive(2)) == "d");
  here.make_sweep_due();
  CHECK(here.db.receive(9).empty());
  for (auto* each : {&one, &two, &three}) each->commit();
}

TEST_CASE("two claims at once get different delayed messages") {
  test::workshop here;
  for (const auto* body : {"a", "b"}) here.db.send(body, "1 s");
  here.advance(std::chrono::seconds{2});
  auto one = here.open();
  one.begin();
  CHECK(test::bodies(one.receive(1)) == "a");
  CHECK(test::bodies(here.db.receive(9)) == "b");
  one.commit();
  CHECK(here.db.receive(9).empty());
}

TEST_CASE("a claim or take that is rolled back gives its messages back at once") {
  test::workshop here;
  for (const auto* body : {"a", "b", "c"}) here.db.send(body);
  auto one = here.open();
  for (const bool is_taken : {false, true}) {
    one.begin();
    CHECK((is_taken ? one.take(2) : one.receive(2)).size() == 2);
    one.rollback();
    here.db.begin();
    const auto found = receive_without_sweep(here, here.db, 3);
    CHECK(found.size() == 3);
    CHECK(found.front().attempt == 1);
    here.db.rollback();
  }
}

TEST_CASE("what a savepoint took is given back when it is rolled back, the rest is done") {
  test::workshop here;
  for (const auto* body : {"a", "b"}) here.db.send(body);
  here.db.begin();
  CHECK(test::bodies(here.db.take(1)) == "a");
  here.db.ask("savepoint one");
  CHECK(test::bodies(here.db.take(1)) == "b");
  here.db.ask("rollback to one");
  here.db.commit();
  CHECK(test::bodies(receive_without_sweep(here, here.db, 9)) == "b");
}

TEST_CASE("what a consumer writes in the transaction of its take happens with it or not at all") {
  test::workshop here;
  here.db.ask("create table handled (body text)");
  here.db.send("a");
  here.db.ask("begin; insert into handled select body from mail_take_v1(); rollback");
  here.db.ask("begin; insert into handled select body from mail_take_v1(); commit");
  here.db.ask("begin; insert into handled select body from mail_take_v1(); commit");
  CHECK(here.db.ask("select body from handled") == "a");
}

TEST_CASE("a message that commits after the frontier has passed it is found by the next claim") {
  test::workshop here;
  auto late = here.open();
  late.begin();
  late.send("late");
  here.db.send("early");
  CHECK(test::bodies(here.db.receive(1)) == "early");
  late.commit();
  CHECK(test::bodies(receive_without_sweep(here, here.db, 1)) == "late");
}

TEST_CASE("a message that commits late is not handed out twice") {
  test::workshop here;
  auto late = here.open();
  late.begin();
  late.send("late");
  here.db.send("early");
  CHECK(test::bodies(here.db.receive(1)) == "early");
  late.commit();
  CHECK(test::bodies(here.db.receive(9)) == "late");
  here.make_full_sweep_due();
  CHECK(here.db.receive(9).empty());
}

TEST_CASE("far behind a frontier a message is found by a sweep, at most 100 ms later") {
  test::workshop here;
  auto late = here.open();
  late.begin();
  late.send("late");
  here.db.ask("select mail_enqueue_many_v1(array(select '' from generate_series(1, 10001)))");
  CHECK(here.db.receive(10001).size() == 10001);
  late.commit();
  here.make_sweep_due();
  CHECK(test::bodies(here.db.receive(1)) == "late");
}

TEST_CASE("claims that are filled go all of a long way every five seconds, and look for late commits each time",
          "[rows]") {
  test::workshop here;
  here.db.send("old");
  here.skip_ids(600'000);
  auto late = here.open();
  late.begin();
  late.send("late");
  here.db.send("last");
  CHECK(test::bodies(here.db.receive(2)) == "old last");
  late.commit();
  here.advance(std::chrono::minutes{1});
  for (const auto* body : {"a", "b", "c"}) here.db.send(body);
  here.make_short_sweep_due();
  CHECK(test::bodies(here.db.take(2)) == "late last");
  here.make_short_sweep_due();
  CHECK(test::bodies(here.db.take(1)) == "a");
  here.make_sweep_due();
  here.db.begin();
  CHECK(test::bodies(here.db.take(1)) == "old");
  here.db.rollback();
  CHECK(test::bodies(receive_without_sweep(here, here.db, 1)) == "b");
  // Who gets less than asked for has the time.
  here.make_short_sweep_due();
  CHECK(test::bodies(here.db.take(4)) == "old c");
}

TEST_CASE("a consumer that is killed in a claim's transaction loses it at once, later when its lease runs out",
          "[rows]") {
  test::workshop here;
  here.db.send("a");
  here.db.send("b");
  auto claiming = here.open();
  auto holding = here.open();
  claiming.begin();
  REQUIRE(test::bodies(claiming.receive(1)) == "a");
  REQUIRE(test::bodies(holding.receive(1)) == "b");
  for (const auto* killed : {&claiming, &holding})
    here.db.ask(fmt::format("select pg_terminate_backend({}, 30000)", killed->pid()));
  CHECK(test::bodies(receive_without_sweep(here, here.db, 9)) == "a");
  here.advance(std::chrono::minutes{1});
  CHECK(test::bodies(here.db.receive(9)) == "a b");
}

TEST_CASE("a cancelled claim leaves everything as it was") {
  test::workshop here;
  here.db.send("a");
  auto blocker = here.open();
  auto claiming = here.open();
  blocker.ask("begin; lock table mail_message in access exclusive mode");
  auto waiting = claiming.later("select mail_claim_v1()");
  here.wait_until_blocked(claiming);
  claiming.connection().cancel();
  CHECK_THROWS_AS(waiting.get(), quern::database_error);
  blocker.rollback();
  CHECK(here.db.receive_one() == test::held{1, 1, "a"});
}

TEST_CASE("a claim passes by what is being acknowledged, and finds it when that is undone") {
  test::workshop here;
  here.db.send("a");
  auto one = here.open();
  const auto held = one.receive(1).front();
  here.advance(std::chrono::minutes{1});
  one.begin();
  CHECK(one.ack(held));
  CHECK(here.db.receive(9).empty());
  one.rollback();
  CHECK(here.db.receive_one().attempt == 2);
}

TEST_CASE("two operators who redrive at once revive each dead letter once") {
  test::workshop here{R"(
[queues.mail]
retry = { max_attempts = 1 }
[queues.mail.payload]
body = "text"
)"};
  for (const auto* body : {"a", "b"}) {
    here.db.send(body);
    here.db.fail(here.db.receive_one());
  }
  auto one = here.open();
  one.begin();
  CHECK(one.ask("select mail_redrive_all(1)") == "1");
  CHECK(here.db.ask("select mail_redrive_all()") == "1");
  one.commit();
  CHECK(here.db.receive(9).size() == 2);
}

TEST_CASE("a pause holds from its commit on, and no claim waits for it") {
  test::workshop here;
  here.db.send("a");
  here.db.send("b");
  auto operating = here.open();
  operating.ask("begin; select mail_pause()");
  CHECK(test::bodies(here.db.receive(1)) == "a");
  operating.commit();
  CHECK(here.db.receive(1).empty());
}

TEST_CASE("a typed queue's door locks the one task that it hands out", "[rows]") {
  test::workshop here;
  here.db.send("a");
  here.db.send("b");
  auto one = here.open();
  one.begin();
  const auto next =
      "select payload from mail where status = 'pending' order by created_at limit 1 for update skip locked";
  CHECK(one.ask(next) == R"({"body": "a"})");
  CHECK(here.db.ask(next) == R"({"body": "b"})");
  CHECK(test::bodies(here.db.receive(9)) == "b");
  one.rollback();
  CHECK(here.db.ask("select status, payload from mail order by id") ==
        R"(pending|{"body": "a"} processing|{"body": "b"})");
}
