#include "stream/crew.hpp"
#include "support/catch.hpp"

// Events that fail alone: retries, dead letters, and that the others of their claim go on.

using std::chrono::seconds;

TEST_CASE("an event that failed comes again after its delay, to any worker, and the others go on") {
  test::crew here;
  here.fill(4);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(3) == "1 2 3");
  CHECK(ann.nack(2, "no") == "retry");
  CHECK(ann.nack(2, "no") == "lost");
  CHECK(ann.ack() == "2");
  CHECK(here.state() == "3|0|1|0");
  CHECK(bob.claim() == "4");
  here.pass(seconds{9});
  CHECK(bob.claim().empty());
  here.pass(seconds{2});
  CHECK(bob.claim_attempts() == "2|2");
  CHECK(ann.claim().empty());
  CHECK(bob.ack() == "1");
  CHECK(bob.ack() == "0");
  CHECK(here.state() == "3|1|0|0");
}

TEST_CASE("what has failed comes before what is new") {
  test::crew here;
  here.fill(3);
  auto ann = here.hire();
  CHECK(ann.claim(1) == "1");
  CHECK(ann.nack(1) == "retry");
  here.pass(seconds{11});
  CHECK(ann.claim() == "1");
  CHECK(ann.claim() == "2 3");
}

TEST_CASE("a claim of which everything failed has ended") {
  test::crew here;
  here.fill(2);
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2");
  CHECK(ann.nack(1) == "retry");
  CHECK(here.state() == "0|1|1|0");
  CHECK(ann.nack(2) == "retry");
  CHECK(here.state() == "2|0|2|0");
  CHECK(ann.ack() == "0");
  CHECK(ann.extend() == "null");
}

TEST_CASE("a delay of its own comes before the declared one") {
  test::crew here;
  here.fill(1);
  auto ann = here.hire();
  CHECK(ann.claim() == "1");
  CHECK(ann.db.refusal(fmt::format("select log_nack('crew', {}, 1, null, '-1 s')", ann.batch)) ==
        "QN005: a delay cannot be negative");
  CHECK(ann.db.refusal(fmt::format("select log_nack('crew', {}, 1, null, '300000 years')", ann.batch)) ==
        "QN005: a delay cannot be longer than 100000 years");
  CHECK(ann.db.ask(fmt::format("select log_nack('crew', {}, 1, null, '0')", ann.batch)) == "retry");
  CHECK(ann.claim_attempts() == "1|2");
}

TEST_CASE("the delay grows as was declared") {
  test::crew here;
  const auto delays = [&](std::string_view backoff, std::string_view longest) {
    here.db.ask(
        fmt::format("select log_seek('crew', 0), log_share('crew', '1m', 5, '{}', '2 s', '{}', 0)", backoff, longest));
    auto ann = here.hire();
    std::string all;
    for (int i = 0; i < 4; ++i) {
      CHECK(ann.claim() == "1");
      CHECK(ann.nack(1) == "retry");
      all += here.db.ask("select round(extract(epoch from due_at - failed_at)) from log_failed") + " ";
      here.pass(seconds{1000});
    }
    return all;
  };
  here.fill(1);
  CHECK(delays("constant", "1h") == "2 2 2 2 ");
  CHECK(delays("linear", "1h") == "2 4 6 8 ");
  CHECK(delays("exponential", "1h") == "2 4 8 16 ");
  CHECK(delays("exponential", "5s") == "2 4 5 5 ");
}

TEST_CASE("after its last attempt an event is dead, and can be looked at, redriven and purged") {
  test::crew here;
  here.fill(2);
  auto ann = here.hire();
  CHECK(ann.claim(1) == "1");
  for (int i = 0; i < 2; ++i) {
    CHECK(ann.nack(1) == "retry");
    here.pass(seconds{11});
    CHECK(ann.claim() == "1");
  }
  CHECK(ann.nack(1, "at last") == "dead");
  CHECK(here.state() == "1|0|0|1");
  CHECK(here.db.ask("select event_offset, attempt, last_error, body from log_failed where dead_at is not null") ==
        "1|3|at last|1");
  here.pass(seconds{1000});
  CHECK(ann.claim() == "2");

  CHECK(here.db.ask("select log_redrive('crew', 2), log_redrive('crew', 1), log_redrive('crew', 1)") == "f|t|f");
  CHECK(ann.claim_attempts() == "1|1");
  CHECK(ann.nack(1) == "retry");
  here.pass(seconds{11});
  CHECK(ann.claim() == "1");
  CHECK(ann.nack(1) == "retry");
  here.pass(seconds{11});
  CHECK(ann.claim() == "1");
  CHECK(ann.nack(1) == "dead");
  CHECK(here.db.refusal("select log_redrive_all('mirror')") ==
        "QN025: consumer \"mirror\" of stream \"log\" is not cooperative");
}

TEST_CASE("dead letters of one consumer are not those of another") {
  test::crew here;
  here.fill(2);
  here.db.ask(
      "select log_subscribe('other', 'start', p_is_cooperative => true), log_share('other', p_max_attempts => 1)");
  here.db.ask("select log_share('crew', p_max_attempts => 1)");
  auto ann = here.hire();
  auto bob = here.hire("other");
  CHECK(ann.claim() == "1 2");
  CHECK(bob.claim() == "1 2");
  CHECK(ann.nack(1) == "dead");
  CHECK(ann.nack(2) == "dead");
  CHECK(bob.nack(1) == "dead");
  CHECK(here.db.ask("select log_purge('other', '1 hour'), log_purge('other')") == "0|1");
  CHECK(here.state("other") == "0|1|0|0");
  CHECK(here.state() == "2|0|0|2");
  CHECK(here.db.ask("select log_redrive_all('crew', 1)") == "1");
  CHECK(ann.claim() == "1");
  CHECK(here.db.ask("select log_redrive_all('crew')") == "1");
}

TEST_CASE("a failed event whose claim runs out comes again, and is dead after its last attempt") {
  test::crew here;
  here.fill(1);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1");
  CHECK(ann.nack(1) == "retry");
  here.pass(seconds{11});
  CHECK(ann.claim_attempts() == "1|2");
  here.pass(seconds{61});
  CHECK(bob.claim_attempts() == "1|3");
  CHECK(ann.ack() == "0");
  CHECK(ann.nack(1) == "lost");
  CHECK(ann.extend() == "null");
  CHECK(ann.release() == "f");
  CHECK(bob.extend() == "t");
  here.pass(seconds{61});
  CHECK(ann.claim().empty());
  CHECK(bob.ack() == "0");
  CHECK(here.state() == "1|0|0|1");
  CHECK(here.db.ask("select last_error from log_failed") == "the lease of the last attempt ran out");
}

TEST_CASE("of failed events whose claim is being acknowledged none is taken over, and all of them are done") {
  test::crew here;
  here.fill(2);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1 2");
  CHECK(ann.nack(1) == "retry");
  CHECK(ann.nack(2) == "retry");
  here.pass(seconds{11});
  CHECK(ann.claim_attempts() == "1|2 2|2");
  here.pass(seconds{61});
  auto holder = here.open();
  holder.begin();
  CHECK(holder.ask("select event_offset from log_failed where event_offset = 1 for update") == "1");
  auto acked = ann.db.later(ann.acking());
  here.wait_until_blocked(ann.db);
  CHECK(bob.claim().empty());
  holder.commit();
  CHECK(acked.get() == "2");
  CHECK(bob.claim().empty());
  CHECK(here.state() == "2|0|0|0");
}

TEST_CASE("failed events are released, too") {
  test::crew here;
  here.fill(2);
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2");
  CHECK(ann.nack(1) == "retry");
  CHECK(ann.nack(2) == "retry");
  here.pass(seconds{11});
  CHECK(ann.claim_attempts() == "1|2 2|2");
  CHECK(ann.ack(1) == "1");
  CHECK(ann.release() == "t");
  CHECK(ann.claim_attempts() == "2|2");
}

TEST_CASE("when something is due is told") {
  test::crew here;
  here.fill(2);
  auto ann = here.hire();
  const auto due = [&] {
    return here.db.ask("select round(extract(epoch from log_next_due_v1('crew') - now()) / 10)");
  };
  CHECK(due() == "null");
  CHECK(ann.claim() == "1 2");
  CHECK(due() == "6");
  CHECK(ann.nack(1) == "retry");
  CHECK(due() == "1");
  here.pass(seconds{20});
  CHECK(due() == "-1");
  here.pass(seconds{50});
  CHECK(ann.ack() == "1");
  CHECK(ann.claim() == "1");
  CHECK(ann.ack() == "1");
  CHECK(due() == "null");
}

TEST_CASE("a worker may claim and end its claims, an operator may redrive and convert") {
  test::crew here;
  here.fill(4);
  test::hand mailer{here.open("qt_mailer")};
  mailer.db.ask("select log_enlist()");
  CHECK(mailer.claim(2) == "1 2");
  CHECK(mailer.nack(1) == "retry");
  CHECK(mailer.extend() == "t");
  CHECK(mailer.ack() == "1");
  CHECK(mailer.claim() == "3 4");
  CHECK(mailer.release() == "t");
  CHECK(mailer.db.ask("select payload from log_claim_json_v1('crew', 1)") == "{\"body\": \"3\"}");
  for (const auto* call : {"log_share('audit')", "log_unshare('crew')", "log_redrive_all('crew')", "log_purge('crew')",
                           "log_lock_claim('crew', 1)", "log_newest_claim('crew')", "log_open_claims('crew')"})
    CHECK(mailer.db.refusal(fmt::format("select {}", call)).starts_with("42501: permission denied for function"));
  CHECK(mailer.db.refusal("select from log_failed") == "42501: permission denied for table log_failed");
  auto ops = here.open("qt_ops");
  CHECK(ops.ask("select log_redrive_all('crew'), log_purge('crew'), log_share('audit')") == "0|0|t");
  CHECK(ops.ask("select count(*) > 0 from log_claim union all select count(*) > 0 from log_failed") == "t t");
  auto web = here.open("qt_web");
  CHECK(web.refusal("select log_claim_v1('crew')").starts_with("42501: permission denied for function"));
}

TEST_CASE("what sees no newer claims may not redrive, purge or forget a consumer") {
  test::crew here;
  here.fill(1);
  for (const auto* call : {"log_redrive_all('crew')", "log_purge('crew')", "log_unsubscribe('crew')"}) {
    here.db.ask("begin isolation level repeatable read");
    CHECK(here.db.refusal(fmt::format("select {}", call)).starts_with("QN004"));
    here.db.ask("rollback");
  }
  CHECK(here.db.ask("select log_redrive('crew', null)") == "f");
}

TEST_CASE("who forgets a consumer waits for the end of its claims, whose failures go with it") {
  test::crew here;
  here.fill(3);
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2 3");
  ann.db.begin();
  CHECK(ann.nack(3) == "retry");
  auto forgetting = here.open();
  auto done = forgetting.later("select log_unsubscribe('crew')");
  here.wait_until_blocked(forgetting);
  ann.db.commit();
  CHECK(done.get() == "t");
  CHECK(here.db.ask("select count(*) from log_failed") == "0");
}
