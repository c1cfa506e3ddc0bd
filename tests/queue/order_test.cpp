// One key's messages are handled one at a time, in the order in which they were enqueued. The key is the body.

#include <fmt/format.h>

#include <set>

#include "queue/ordered.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

using namespace std::chrono_literals;
using test::ids;
using test::ordered;
using test::send_all;

TEST_CASE("a claim has at most one message of each key, the oldest") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a", "b", "a", "b"});
  const auto first = here.db.receive(9);
  CHECK(ids({first.begin(), first.end()}).size() == 3);
  CHECK(here.db.receive(9).empty());
  for (const auto& one : first) CHECK(one.id == (one.body == "a" ? 1 : 3));
  CHECK(here.db.ack_many(first) == "{}");
  const auto second = here.db.receive(9);
  REQUIRE(second.size() == 2);
  for (const auto& one : second) CHECK(one.id == (one.body == "a" ? 2 : 5));
}

TEST_CASE("what ends a message and claims in one transaction gets the next of its key") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a"});
  const auto first = here.db.receive_one();
  here.db.begin();
  CHECK(here.db.ack(first));
  CHECK(ids(here.db.receive(9)) == "2");
  auto other = here.open();
  CHECK(other.receive(9).empty());
  here.db.commit();
  CHECK(other.receive(9).empty());
}

TEST_CASE("a key that a claim has not committed yet is passed over, and nobody waits for it") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a", "b"});
  for (const bool is_taken : {false, true}) {
    INFO((is_taken ? "taken" : "claimed"));
    auto one = here.open();
    one.begin();
    const auto got = is_taken ? one.take(1) : one.receive(1);
    REQUIRE(got.size() == 1);
    const auto* const left = got.front().body == "a" ? "3" : "1";
    here.db.begin();
    CHECK(ids(here.db.receive(9)) == left);
    here.db.rollback();
    one.rollback();
    here.db.begin();
    CHECK(here.db.receive(9).size() == 2);
    here.db.rollback();
  }
}

TEST_CASE("a taken message lets the next one go when its transaction commits") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a"});
  auto one = here.open();
  one.begin();
  CHECK(ids(one.take(9)) == "1");
  CHECK(ids(one.take(9)) == "2");
  CHECK(here.db.take(9).empty());
  one.rollback();
  CHECK(ids(here.db.take(9)) == "1");
  CHECK(ids(here.db.receive(9)) == "2");
}

TEST_CASE("a message that commits later than one behind it waits until that one is ended") {
  test::workshop here{ordered()};
  auto late = here.open();
  late.begin();
  late.send("a");
  here.db.send("a");
  const auto held = here.db.receive_one();
  CHECK(held.id == 2);
  late.commit();
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.extend(held));
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ack(held));
  CHECK(ids(here.db.receive(9)) == "1");
}

TEST_CASE("a message that commits while one behind it is being claimed waits as well") {
  test::workshop here{ordered()};
  auto late = here.open();
  late.begin();
  late.send("a");
  here.db.send("a");
  auto one = here.open();
  one.begin();
  const auto held = one.receive_one();
  CHECK(held.id == 2);
  late.commit();
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.take(9).empty());
  one.commit();
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.fail(held, "0") == "retry");
  CHECK(ids(here.db.receive(9)) == "1");
}

TEST_CASE("a claim whose snapshot is older than another's does not see its key as free") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a", "b"});
  // Its walk round the keys stops at what this session locks, with a snapshot of before.
  here.db.ask(
      "create function wait_here() returns boolean language sql volatile as $$ select pg_advisory_xact_lock(77) is not "
      "null $$");
  auto gate = here.open();
  gate.begin();
  gate.ask("select pg_advisory_xact_lock(77)");
  auto slow = here.open();
  auto claimed = slow.later("select count(*) from (select wait_here() offset 0) as w, lateral mail_claim_v1(9)");
  here.wait_until_blocked(slow);
  CHECK(here.db.receive(9).size() == 2);
  gate.commit();
  CHECK(claimed.get() == "0");
}

TEST_CASE(
    "whoever gets the lock of a key sees what others have claimed before, not what it saw when it looked for keys") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a"});
  const auto locked_heads = [&] {
    return here.db.ask(
        "select due_ids, fresh_ids from mail_lock_heads_v1(array[hashtextextended('a', 0)], clock_timestamp(), '{}', "
        "'{}')");
  };
  CHECK(locked_heads() == "{}|{1}");
  const auto held = here.db.receive_one();
  CHECK(locked_heads() == "{}|{}");
  here.advance(31s);
  CHECK(locked_heads() == "{1}|{}");
  // Somebody works on its row.
  auto other = here.open();
  other.begin();
  CHECK(other.extend(held));
  CHECK(locked_heads() == "{}|{}");
  other.rollback();
}

TEST_CASE("a lease that ran out gives the same message again, not the next one") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a"});
  const auto lost = here.db.receive_one();
  here.advance(31s);
  const auto again = here.db.receive(9);
  REQUIRE(ids(again) == "1");
  CHECK(again.front().attempt == 2);
  CHECK_FALSE(here.db.ack(lost));
  CHECK_FALSE(here.db.extend(lost));
  CHECK(here.db.receive(9).empty());
}

TEST_CASE("a message whose lease ran out goes before an older one that came late") {
  test::workshop here{ordered()};
  auto late = here.open();
  late.begin();
  late.send("a");
  here.db.send("a");
  const auto held = here.db.receive_one();
  late.commit();
  here.advance(31s);
  // The attempt is still the current one, and may go on: it must not meet the older message.
  CHECK(here.db.extend(held));
  CHECK(here.db.receive(9).empty());
  here.advance(31s);
  CHECK(ids(here.db.receive(9)) == "2");
  CHECK_FALSE(here.db.extend(held));
  CHECK(here.db.receive(9).empty());
}

TEST_CASE("a lease that is being extended keeps its key, even when it ran out before") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a"});
  const auto held = here.db.receive_one();
  here.advance(31s);
  auto one = here.open();
  one.begin();
  CHECK(one.extend(held));
  CHECK(here.db.receive(9).empty());
  one.commit();
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ack(held));
  CHECK(ids(here.db.receive(9)) == "2");
}

TEST_CASE("an ordered queue is claimed in READ COMMITTED only, at least one message, and not while it is paused") {
  test::workshop here{ordered()};
  here.db.send("a");
  here.db.ask("begin isolation level repeatable read");
  CHECK(here.db.refusal("select * from mail_claim_v1()") ==
        "QN004: messages can be claimed in a READ COMMITTED transaction only");
  here.db.rollback();
  CHECK(here.db.refusal("select * from mail_claim_v1(0)") ==
        "QN005: the number of messages to claim must be at least 1");
  here.db.ask("select mail_pause()");
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.take(9).empty());
  here.db.ask("select mail_resume()");
  CHECK(ids(here.db.receive(9)) == "1");
}

TEST_CASE("tasks of an ordered queue are seen and added through its view, but not ended") {
  test::workshop here{ordered()};
  here.db.ask(R"(insert into mail (payload) values ('{"body": "a"}'), ('{"body": "a"}'))");
  CHECK(here.db.ask("select count(*) from mail") == "2");
  for (const auto* statement : {"delete from mail where id = 2", "update mail set status = 'completed' where id = 2"})
    CHECK(here.db.refusal(statement) == "QN005: the tasks of queue \"mail\" are ended in their order");
}

TEST_CASE("a claim does not look at the backlog of a key that is busy, nor twice at what it cannot have") {
  test::workshop here{ordered()};
  here.db.ask(R"(
    insert into mail_message (contract_version, body) select 1, 'hot' from generate_series(1, 20000);
    insert into mail_message (contract_version, body) select 1, 'key ' || n % 100 from generate_series(1, 1000) as n;
    analyze mail_message
  )");
  const auto pages = [&](int count) {
    const auto plan = here.db.ask(fmt::format(
        "explain (analyze, buffers, costs off, timing off, summary off) select from mail_claim_v1({})", count));
    const auto at = plan.find("shared hit=");
    return std::stoi(plan.substr(at + 11));
  };
  pages(1);
  CHECK(here.db.receive(256).size() == 100);
  // All keys are busy: each is looked at once, in a few pages.
  CHECK(pages(10) < 3000);
}

TEST_CASE("a claim leaves off after many keys that it cannot have, and the next ones go on from there") {
  test::workshop here{ordered()};
  here.db.ask(
      "insert into mail_message (contract_version, body) select 1, 'key ' || n % 3000 from generate_series(1, 6000) as "
      "n");
  std::size_t held = 0;
  while (true) {
    const auto some = here.db.receive(256).size();
    held += some;
    if (some == 0) break;
  }
  CHECK(held == 3000);
  here.db.send("fresh");
  int claims = 1;
  while (here.db.receive(1).empty() && claims < 10) ++claims;
  CHECK(claims <= 4);
}

TEST_CASE("a waiting consumer hears that the next message of a key may be had, and of nothing else") {
  test::workshop here{ordered()};
  auto waiting = here.open();
  waiting.ask(fmt::format("listen \"{}.mail\"", here.schema()));
  const auto is_woken = [&] {
    return waiting.connection().wait_for_notification(std::chrono::steady_clock::now() + 50ms);
  };
  send_all(here, {"a", "a", "b"});
  const auto held = here.db.receive(9);
  waiting.ask(
      "select pg_advisory_lock_shared((regexp_match(pg_get_functiondef('mail_wake'::regproc), "
      "'lock\\(([-0-9]+)\\)'))[1]::bigint)");
  while (is_woken()) {
  }
  for (const auto& one : held) {
    CHECK(here.db.ack(one));
    CHECK(static_cast<bool>(is_woken()) == (one.body == "a"));
  }
  // As well by a message that was taken, and by one that died where it is skipped.
  here.db.send("a");
  while (is_woken()) {
  }
  CHECK(ids(here.db.take(1)) == "2");
  CHECK(is_woken());
  // And by one that was cancelled, when there is another behind it.
  here.db.send("a");
  while (is_woken()) {
  }
  for (const int id : {4, 5}) {
    CHECK(here.db.ask(fmt::format("select mail_cancel({})", id)) == "t");
    CHECK(static_cast<bool>(is_woken()) == (id == 4));
  }
}

TEST_CASE("several keys' messages are claimed by many at once, each by one") {
  test::workshop here{ordered()};
  for (int i = 0; i < 8; ++i) here.db.send(fmt::format("key {}", i));
  std::vector<test::session> sessions;
  for (int i = 0; i < 8; ++i) sessions.push_back(here.open());
  std::set<std::int64_t> all;
  for (auto& each : sessions) {
    each.begin();
    for (const auto& one : each.receive(1)) all.insert(one.id);
  }
  CHECK(all.size() == 8);
  for (auto& each : sessions) each.commit();
}
