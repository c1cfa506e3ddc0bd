#include <future>

#include "stream/crew.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// Workers that share the cursor of a consumer: claims, acknowledgements of all or part, and of whom a claim is.

using std::chrono::seconds;

TEST_CASE("workers of a cooperative consumer get different events, in their order") {
  test::crew here;
  here.fill(7);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(3) == "1 2 3");
  CHECK(bob.claim(3) == "4 5 6");
  CHECK(ann.ack() == "3");
  CHECK(ann.claim(3) == "7");
  CHECK(bob.ack() == "3");
  CHECK(bob.claim().empty());
  CHECK(here.state() == "6|1|0|0");
  CHECK(ann.ack() == "1");
  CHECK(here.state() == "7|0|0|0");
  CHECK(here.receive("audit") == "1|1 2|2 3|3 4|4 5|5 6|6 7|7");
}

TEST_CASE("what was published meanwhile is claimed, and what was not committed is not") {
  test::crew here;
  auto late = here.open();
  late.begin();
  test::journal::publish(late, "late");
  here.publish("early");
  auto ann = here.hire();
  CHECK(ann.db.ask("select event_offset, attempt, body from log_claim_v1('crew')") == "1|1|early");
  late.commit();
  CHECK(ann.db.ask("select event_offset, attempt, body from log_claim_v1('crew')") == "2|1|late");
}

TEST_CASE("two workers at once wait for each other and get different events") {
  test::crew here;
  here.fill(4);
  auto ann = here.hire();
  auto bob = here.hire();
  here.db.ask("alter function log_wait_for_consumer(text) set lock_timeout = '60s'");
  ann.db.begin();
  CHECK(ann.claim(2) == "1 2");
  auto second = bob.db.later(bob.claiming(2));
  here.wait_until_blocked(bob.db);
  ann.db.commit();
  CHECK(second.get() == "3 4");
}

TEST_CASE("who claims after one who rolled back gets what that one had") {
  test::crew here;
  here.fill(4);
  auto ann = here.hire();
  auto bob = here.hire();
  here.db.ask("alter function log_wait_for_consumer(text) set lock_timeout = '60s'");
  ann.db.begin();
  CHECK(ann.claim(2) == "1 2");
  auto second = bob.db.later(bob.claiming(2));
  here.wait_until_blocked(bob.db);
  ann.db.rollback();
  CHECK(second.get() == "1 2");
  CHECK(ann.ack() == "0");
}

TEST_CASE("a claim in a transaction that goes on makes the others say none, and not wait for it") {
  test::crew here;
  here.fill(4);
  auto ann = here.hire();
  auto bob = here.hire();
  ann.db.begin();
  CHECK(ann.claim(2) == "1 2");
  CHECK(bob.claim(2).empty());
  ann.db.commit();
  CHECK(bob.claim(2) == "3 4");
}

TEST_CASE("a part of a claim is acknowledged, the rest stays with its worker") {
  test::crew here;
  here.fill(5);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1 2 3 4 5");
  CHECK(ann.ack(2) == "2");
  CHECK(here.state() == "2|1|0|0");
  CHECK(bob.claim().empty());
  // Again is nothing, and further goes on.
  CHECK(ann.ack(2) == "0");
  CHECK(ann.ack(4) == "2");
  CHECK(ann.ack() == "1");
  CHECK(ann.ack() == "0");
  CHECK(here.state() == "5|0|0|0");
}

TEST_CASE("an acknowledgement of what is not in the claim is refused") {
  test::crew here;
  here.fill(5);
  auto ann = here.hire();
  CHECK(ann.claim(2) == "1 2");
  CHECK(
      ann.db.refusal(ann.acking(3)) ==
      fmt::format("QN005: event 3 of stream \"log\" is not in claim {} (Its last event has the offset 2.)", ann.batch));
  CHECK(ann.db.ask("select log_ack('crew', null), log_ack('crew', 0), log_ack('crew', 12345, 1)") == "0|0|0");
  CHECK(ann.ack() == "2");
}

TEST_CASE("of two acknowledgements of a claim at once exactly one counts") {
  for (const bool commits : {true, false}) {
    test::crew here;
    here.fill(2);
    auto ann = here.hire();
    auto twin = here.hire();
    CHECK(ann.claim() == "1 2");
    twin.batch = ann.batch;
    ann.db.begin();
    CHECK(ann.ack() == "2");
    auto second = twin.db.later(twin.acking());
    here.wait_until_blocked(twin.db);
    commits ? ann.db.commit() : ann.db.rollback();
    CHECK(second.get() == (commits ? "0" : "2"));
    CHECK(here.state() == "2|0|0|0");
  }
}

TEST_CASE("effects in the transaction of the acknowledgement happen exactly once, also when the claim was taken over") {
  test::crew here;
  here.fill(2);
  here.db.ask("create table processed (event_offset bigint)");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1 2");
  here.pass(seconds{61});
  CHECK(bob.claim() == "1 2");
  bob.db.begin();
  bob.db.ask("insert into processed values (1), (2)");
  CHECK(bob.ack() == "2");
  bob.db.commit();
  ann.db.begin();
  ann.db.ask("insert into processed values (1), (2)");
  CHECK(ann.ack() == "0");
  ann.db.rollback();
  CHECK(here.db.ask("select event_offset from processed order by 1") == "1 2");
}

TEST_CASE("a claim and its acknowledgement in one transaction are one") {
  test::crew here;
  here.fill(2);
  auto ann = here.hire();
  for (const bool commits : {false, true}) {
    ann.db.begin();
    CHECK(ann.claim() == "1 2");
    CHECK(ann.ack() == "2");
    commits ? ann.db.commit() : ann.db.rollback();
  }
  CHECK(ann.claim().empty());
  CHECK(here.state() == "2|0|0|0");
}

TEST_CASE("what is released comes again at once, to anybody, and does not count as an attempt") {
  test::crew here;
  here.fill(3);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1 2 3");
  CHECK(ann.ack(1) == "1");
  CHECK(ann.release() == "t");
  CHECK(ann.release() == "f");
  CHECK(ann.ack() == "0");
  CHECK(ann.extend() == "null");
  CHECK(ann.nack(2) == "lost");
  CHECK(bob.claim_attempts() == "2|1 3|1");
  CHECK(bob.ack() == "2");
}

TEST_CASE("claims at another isolation level, of nothing or for no time are refused") {
  test::crew here;
  here.fill(3);
  auto ann = here.hire();
  CHECK(ann.db.refusal("select log_claim_v1('crew', 0)") == "QN005: the number of events to claim must be at least 1");
  CHECK(ann.db.refusal("select log_claim_v1('crew', 1, '0')") ==
        "QN005: a lease must be longer than nothing, and 100000 years at most");
  CHECK(ann.claim(1) == "1");
  CHECK(ann.db.refusal(fmt::format("select log_extend('crew', {}, '0')", ann.batch)) ==
        "QN005: a lease must be longer than nothing, and 100000 years at most");
  CHECK(ann.db.refusal("select log_claim_v1('crew', 1, '300000 years')") ==
        "QN005: a lease must be longer than nothing, and 100000 years at most");
  for (const auto* level : {"repeatable read", "serializable"}) {
    const auto refused = [&](const std::string& sql) {
      ann.db.ask(fmt::format("begin isolation level {}", level));
      auto text = ann.db.refusal(sql);
      ann.db.rollback();
      return text;
    };
    CHECK(refused(ann.claiming()) == "QN004: events can be claimed in a READ COMMITTED transaction only");
    CHECK(refused(ann.acking()) == "QN004: a claim can be ended in a READ COMMITTED transaction only");
    CHECK(refused(ann.nacking(1)) == "QN004: a claim can be ended in a READ COMMITTED transaction only");
  }
}

TEST_CASE("no row of claims dies, whatever holds on to old snapshots") {
  test::crew here;
  here.fill(400);
  auto pinning = here.open();
  pinning.ask("begin isolation level repeatable read; select 1");
  auto ann = here.hire();
  auto bob = here.hire();
  for (int i = 0; i < 20; ++i) {
    ann.claim(10);
    bob.claim(10);
    ann.ack(i * 20 + 5);
    ann.extend();
    ann.ack();
    bob.ack();
  }
  CHECK(here.state() == "400|0|0|0");
  for (auto* each : {&here.db, &ann.db, &bob.db}) each->ask("select pg_stat_force_next_flush()");
  for (const auto* table : {"log_claim", "log_position"})
    test::wait_until(here.url(), fmt::format("select n_dead_tup + n_tup_upd + n_tup_del = 0 and (n_tup_ins > 0) from "
                                             "pg_stat_all_tables where relid = '{}.{}'::regclass",
                                             here.schema(), table));
}

TEST_CASE("a claim looks at few pages however many have ended") {
  test::crew here;
  here.fill(3000);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(bob.claim(1) == "1");
  // As of 100,000 claims that have come and gone while one stays open.
  here.db.ask(R"(
    insert into log_claim (consumer, claim_id, step, next_offset, last_offset, attempt, is_open, lease_until, up_to, open_claims)
    select 'crew', nextval('log_claim_id'), 0, 2, 2, 1, true, now(), 1, array[(select max(claim_id) from log_claim)]
    from generate_series(1, 100000)
  )");
  here.db.ask(R"(
    insert into log_claim (consumer, claim_id, step, next_offset, last_offset, attempt, is_open, lease_until)
    select consumer, claim_id, 1, 3, 2, 1, false, now()
    from log_claim
    where next_offset = 2 and claim_id > 3
  )");
  CHECK(ann.claim(10) == "2 3 4 5 6 7 8 9 10 11");
  const auto plan = ann.db.ask("explain (analyze, buffers, costs off, timing off, summary off) " + ann.claiming(10));
  const auto pages = std::stoi(plan.substr(plan.find("hit=") + 4));
  CHECK(pages < 400);
  CHECK(ann.ack() == "10");
}

TEST_CASE(
    "a claim that is alone in its transaction is not flushed, its acknowledgement and what gives offsets"
    " that another seal could give otherwise are") {
  test::crew here;
  here.fill(4);
  // A message of several statements is one transaction.
  const auto how = [&](const std::string& call) {
    return here.db.ask(fmt::format("select {}; select current_setting('synchronous_commit')", call));
  };
  CHECK(how("log_claim_v1('crew', 2)") == "on");
  CHECK(how("log_claim_v1('crew', 1, null, true)") == "off");
  CHECK(how(fmt::format("log_ack('crew', {})", here.db.ask("select min(claim_id) from log_claim where is_open"))) ==
        "on");
  auto low = here.open();
  low.begin();
  test::journal::publish(low, "low");
  here.publish("new");
  CHECK(how("log_claim_v1('crew', 10, null, true)") == "on");
  CHECK(how("log_claim_v1('crew', 10, null, true)") == "off");
}

TEST_CASE("the tokens of claims cannot be told in advance") {
  test::crew here;
  here.fill(20);
  auto ann = here.hire();
  for (int i = 0; i < 20; ++i) ann.claim(1);
  CHECK(here.db.ask("select count(distinct claim_id % 1048576) > 15 and bool_and(claim_id > previous) from "
                    "(select claim_id, lag(claim_id, 1, 0::bigint) over (order by next_offset) as previous "
                    "from log_claim where consumer = 'crew' and attempt = 1) as c") == "t");
}

TEST_CASE("a session whose setting somebody has garbled claims like one that has none, until it enlists") {
  test::crew here;
  here.fill(2);
  auto ann = here.hire();
  ann.db.ask("set quern.session = 'x'");
  CHECK(ann.claim(1) == "1");
  CHECK(ann.db.ask("select log_enlist()::text = current_setting('quern.session')") == "t");
}
