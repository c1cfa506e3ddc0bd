#include <future>

#include "stream/crew.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// What becomes of the claims of workers that are slow or dead: I5.

using std::chrono::seconds;

TEST_CASE("a claim that ran out is taken over with a new token, and the old one can do nothing") {
  test::crew here;
  here.fill(4);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(3) == "1 2 3");
  here.pass(seconds{59});
  CHECK(bob.claim(3) == "4");
  here.pass(seconds{2});
  CHECK(bob.claim_attempts(3) == "1|2 2|2 3|2");
  CHECK(bob.batch != ann.batch);
  CHECK(ann.ack() == "0");
  CHECK(ann.ack(1) == "0");
  CHECK(ann.nack(1) == "lost");
  CHECK(ann.extend() == "null");
  CHECK(ann.release() == "f");
  CHECK(bob.ack(2) == "2");
  CHECK(bob.ack() == "1");
  CHECK(here.state() == "3|1|0|0");
}

TEST_CASE("a claim that ran out and was not taken over is still its worker's") {
  test::crew here;
  here.fill(2);
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2");
  here.pass(seconds{61});
  CHECK(ann.ack(1) == "1");
  CHECK(ann.extend() == "t");
  CHECK(here.hire().claim().empty());
  CHECK(ann.ack() == "1");
}

TEST_CASE("only what is left of a claim is taken over") {
  test::crew here;
  here.fill(5);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1 2 3 4 5");
  CHECK(ann.nack(4) == "retry");
  CHECK(ann.ack(2) == "2");
  here.pass(seconds{61});
  CHECK(bob.claim_attempts(1) == "3|2");
  CHECK(here.state() == "2|2|1|0");
  const auto first = bob.batch;
  CHECK(bob.claim_attempts() == "5|2");
  CHECK(bob.ack() == "1");
  bob.batch = first;
  CHECK(bob.ack() == "1");
  CHECK(bob.claim_attempts() == "4|2");
  CHECK(bob.ack() == "1");
  CHECK(here.state() == "5|0|0|0");
}

TEST_CASE("what failed in the middle of a claim is not taken over with it") {
  test::crew here;
  here.fill(3);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1 2 3");
  CHECK(ann.nack(2) == "retry");
  here.pass(seconds{61});
  CHECK(bob.claim_attempts() == "1|2 3|2");
  CHECK(bob.ack() == "2");
  CHECK(bob.claim_attempts() == "2|2");
}

TEST_CASE("the claims of a session that is gone are free at once, those of one that lives are not") {
  test::crew here;
  here.fill(4);
  auto ann = here.enlist();
  auto bob = here.enlist();
  auto eve = here.enlist();
  CHECK(ann.claim(2) == "1 2");
  CHECK(bob.claim(2) == "3 4");
  CHECK(eve.claim().empty());
  here.kill(ann);
  CHECK(eve.claim_attempts() == "1|2 2|2");
  CHECK(eve.ack() == "2");
  CHECK(bob.ack() == "2");
  CHECK(here.state() == "4|0|0|0");
}

TEST_CASE("a session does not take over from itself, and enlists once") {
  test::crew here;
  here.fill(4);
  auto ann = here.enlist();
  CHECK(ann.db.ask("select log_enlist() = log_enlist()") == "t");
  CHECK(ann.claim(2) == "1 2");
  CHECK(ann.claim(2) == "3 4");
  CHECK(ann.claim().empty());
}

TEST_CASE("a failed event that a session took with it is free at once, too") {
  test::crew here;
  here.fill(1);
  auto ann = here.enlist();
  auto bob = here.enlist();
  CHECK(ann.claim() == "1");
  CHECK(ann.nack(1) == "retry");
  here.pass(seconds{11});
  CHECK(ann.claim_attempts() == "1|2");
  CHECK(bob.claim().empty());
  here.kill(ann);
  CHECK(bob.claim_attempts() == "1|3");
  CHECK(bob.ack() == "1");
}

TEST_CASE("of an acknowledgement and a takeover at the same moment exactly one counts: the acknowledgement is first") {
  for (const bool commits : {true, false}) {
    test::crew here;
    here.fill(3);
    auto ann = here.hire();
    auto bob = here.hire();
    CHECK(ann.claim(2) == "1 2");
    here.pass(seconds{61});
    ann.db.begin();
    CHECK(ann.ack() == "2");
    // Nobody waits for it: there is other work.
    CHECK(bob.claim(2) == "3");
    commits ? ann.db.commit() : ann.db.rollback();
    CHECK(bob.claim(2) == (commits ? "" : "1 2"));
    CHECK(ann.ack() == "0");
  }
}

TEST_CASE("of an acknowledgement and a takeover at the same moment exactly one counts: the takeover is first") {
  for (const bool commits : {true, false}) {
    test::crew here;
    here.fill(2);
    auto ann = here.hire();
    auto bob = here.hire();
    CHECK(ann.claim() == "1 2");
    here.pass(seconds{61});
    bob.db.begin();
    CHECK(bob.claim() == "1 2");
    auto late = ann.db.later(ann.acking());
    here.wait_until_blocked(ann.db);
    commits ? bob.db.commit() : bob.db.rollback();
    CHECK(late.get() == (commits ? "0" : "2"));
    CHECK(bob.ack() == (commits ? "2" : "0"));
    CHECK(here.state() == "2|0|0|0");
  }
}

TEST_CASE("a claim that is acknowledged while somebody is on the way to take it over stays acknowledged") {
  test::crew here;
  here.db.ask("select log_share('crew', p_max_attempts => 1)");
  here.fill(2);
  auto ann = here.hire();
  auto bob = here.hire();
  auto eve = here.hire();
  CHECK(ann.claim(1) == "1");
  CHECK(bob.claim(1) == "2");
  here.pass(seconds{61});
  // Of both it was the last attempt; the first cannot be buried just now.
  auto blocking = here.open();
  blocking.ask(
      "begin; insert into log_failed (consumer, event_offset, attempt, due_at, published_at, contract_version, body) "
      "values ('crew', 1, 1, now(), now(), 1, 'x')");
  auto claimed = eve.db.later(eve.claiming());
  here.wait_until_blocked(eve.db);
  CHECK(bob.ack() == "1");
  blocking.rollback();
  CHECK(claimed.get().empty());
  CHECK(here.state() == "2|0|0|1");
}

TEST_CASE("a failure or more time that comes with a takeover is lost with the claim") {
  test::crew here;
  here.fill(2);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1 2");
  here.pass(seconds{61});
  bob.db.begin();
  CHECK(bob.claim() == "1 2");
  auto late = ann.db.later(ann.nacking(1));
  here.wait_until_blocked(ann.db);
  bob.db.commit();
  CHECK(late.get() == "lost");
  CHECK(bob.ack() == "2");
  CHECK(here.state() == "2|0|0|0");
}

TEST_CASE("a takeover leaves a claim alone whose lease is being extended, and finds the new one") {
  test::crew here;
  here.fill(2);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1 2");
  here.pass(seconds{61});
  ann.db.begin();
  CHECK(ann.extend() == "t");
  CHECK(bob.claim().empty());
  ann.db.commit();
  CHECK(bob.claim().empty());
  CHECK(ann.ack() == "2");
}

TEST_CASE("what ran out at its last attempt is dead") {
  test::crew here;
  here.fill(3);
  auto ann = here.hire();
  for (const auto* expected : {"1|1 2|1", "1|2 2|2", "1|3 2|3"}) {
    CHECK(ann.claim_attempts(2) == expected);
    here.pass(seconds{61});
  }
  CHECK(ann.claim_attempts(2) == "3|1");
  CHECK(here.state() == "2|1|0|2");
  CHECK(here.db.ask("select event_offset, attempt, last_error, body from log_failed order by 1") ==
        "1|3|the lease of the last attempt ran out|1 2|3|the lease of the last attempt ran out|2");
}

TEST_CASE("a claim of a newer contract's event is left to the workers of that contract") {
  test::crew here;
  here.fill(2);
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2");
  // As after an expansion.
  here.db.ask(
      "alter table log_event drop constraint log_contract_version_known; update log_event set contract_version = 2; "
      "create sequence log_v2_read_at");
  here.pass(seconds{61});
  auto bob = here.hire();
  here.publish("3");
  CHECK(bob.claim() == "3");
  CHECK(here.state() == "0|2|0|0");
  CHECK(ann.ack() == "2");
}

TEST_CASE("what is claimed is not cleared away, what was acknowledged is") {
  test::crew here;
  here.fill(4);
  here.receive("audit");
  here.receive("mirror");
  here.ack("audit", 4);
  here.ack("mirror", 4);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(2) == "1 2");
  CHECK(bob.claim(2) == "3 4");
  here.age(std::chrono::minutes{120});
  REQUIRE(here.rotate());
  here.publish("5");
  here.read();
  CHECK(bob.ack() == "2");
  here.db.ask("select log_maintain()");
  CHECK(here.segments() == "0 1");
  CHECK(ann.ack(1) == "1");
  here.db.ask("select log_maintain()");
  CHECK(here.segments() == "0 1");
  CHECK(ann.ack() == "1");
  here.db.ask("select log_maintain()");
  CHECK(here.segments() == "1");
  CHECK(ann.claim() == "5");
}

TEST_CASE("a failed event comes again after its segment was emptied") {
  test::crew here;
  here.fill(2);
  here.receive("audit");
  here.ack("audit", 2);
  here.ack("mirror", 2);
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2");
  CHECK(ann.nack(1) == "retry");
  CHECK(ann.ack() == "1");
  here.age(std::chrono::minutes{120});
  REQUIRE(here.rotate());
  here.publish("3");
  here.read();
  here.db.ask("select log_maintain()");
  CHECK(here.segments() == "1");
  here.pass(seconds{11});
  CHECK(ann.db.ask("select event_offset, attempt, body from log_claim_v1('crew')") == "1|2|1");
}

TEST_CASE("clearing away many claims leaves those that are open and where the next begins") {
  test::crew here;
  here.fill(60);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(bob.claim(3) == "1 2 3");
  CHECK(bob.nack(2) == "retry");
  CHECK(bob.ack(1) == "1");
  for (int i = 0; i < 20; ++i) {
    ann.claim(1);
    CHECK(ann.ack() == "1");
  }
  auto acking = here.hire();
  CHECK(acking.claim(1) == "24");
  acking.db.begin();
  CHECK(acking.ack() == "1");
  CHECK(here.db.ask("select log_compact(0)") == "f");
  acking.db.commit();
  CHECK(here.db.ask("select log_compact(0)") == "t");
  CHECK(here.db.ask("select count(*) from log_claim") == "3");
  CHECK(here.state() == "1|1|1|0");
  CHECK(ann.ack() == "0");
  CHECK(acking.ack() == "0");
  CHECK(bob.ack() == "1");
  CHECK(ann.claim(1) == "25");
  // The newest is open, then ended.
  CHECK(here.db.ask("select log_compact(0)") == "t");
  CHECK(ann.ack() == "1");
  CHECK(here.db.ask("select log_compact(0)") == "t");
  CHECK(here.state() == "25|0|1|0");
  CHECK(ann.ack() == "0");
  CHECK(ann.claim(1) == "26");
}

TEST_CASE("an acknowledgement that waits for a clearing counts after it, and a clearing that waits keeps it") {
  test::crew here;
  here.fill(3);
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2 3");
  auto clearing = here.open();
  clearing.begin();
  CHECK(clearing.ask("select log_compact(0)") == "t");
  auto late = ann.db.later(ann.acking(2));
  here.wait_until_blocked(ann.db);
  clearing.commit();
  CHECK(late.get() == "2");

  here.db.ask("alter function log_compact(bigint) set lock_timeout = '10s'");
  ann.db.begin();
  CHECK(ann.ack() == "1");
  auto cleared = clearing.later("select log_compact(0)");
  here.wait_until_blocked(clearing);
  ann.db.commit();
  CHECK(cleared.get() == "t");
  CHECK(here.state() == "3|0|0|0");
}
