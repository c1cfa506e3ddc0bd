#include <fmt/format.h>

#include <quern/error.hpp>

#include "cluster/scratch.hpp"
#include "queue/workshop.hpp"
#include "support/catch.hpp"

// These tests have a server to themselves: what other sessions do moves transaction ids along and would hide mistakes.

namespace {

const std::string& quiet_server() {
  static const cluster::scratch server{{{"max_prepared_transactions", "5"}, {"autovacuum", "off"}}};
  return server.url();
}

struct pond : test::workshop {
  explicit pond(std::string_view queues = test::mail_queue) : workshop{queues, quiet_server()} {}

  std::int64_t low_water() { return std::stoll(db.ask("select last_value from mail_low_water")); }

  /// Claims that begin at the low-water mark, and keep nothing; as many as it takes for a mark to be taken and used.
  void sweep(test::session& with, int times = 3) {
    for (int i = 0; i < times; ++i) {
      make_sweep_due();
      with.begin();
      with.receive(1);
      with.rollback();
    }
  }
};

}  // namespace

TEST_CASE("the low-water mark rises above messages that were handled") {
  pond here;
  for (int i = 0; i < 5; ++i) here.db.send("a");
  CHECK(here.db.take(5).size() == 5);
  here.sweep(here.db);
  CHECK(here.low_water() == 5);
}

TEST_CASE("the low-water mark rises although every claim follows an acknowledgement in its transaction") {
  pond here;
  for (int i = 0; i < 10; ++i) here.db.send("a");
  auto held = here.db.receive(1);
  for (int i = 0; i < 8; ++i) {
    here.make_sweep_due();
    here.db.begin();
    CHECK(here.db.ack_many(held) == "{}");
    held = here.db.receive(1);
    here.db.commit();
  }
  CHECK(here.low_water() >= 5);
}

TEST_CASE("the low-water mark does not pass a message that is claimed") {
  pond here;
  const auto first = here.db.send("a");
  here.db.send("b");
  const auto claimed = here.db.receive_one();
  REQUIRE(claimed.id == first);
  here.db.take(1);
  here.sweep(here.db);
  CHECK(here.low_water() <= first);
}

TEST_CASE("the low-water mark does not pass the ids of transactions that run, when no other has ended since") {
  pond here;
  auto one = here.open();
  auto two = here.open();
  auto sweeper = here.open();
  here.make_sweep_due();
  one.begin();
  const auto first = one.send("a");
  two.begin();
  two.send("b");
  sweeper.ask("select mail_claim_v1(1)");
  here.sweep(sweeper);
  CHECK(here.low_water() <= first);
  one.commit();
  two.commit();
  here.make_sweep_due();
  CHECK(test::bodies(sweeper.receive(5)) == "a b");
}

TEST_CASE("the low-water mark does not pass the ids of a transaction that began after the one that takes the mark") {
  pond here;
  auto straggler = here.open();
  auto sweeper = here.open();
  here.make_sweep_due();
  sweeper.begin();
  sweeper.ask("select pg_current_xact_id()");
  straggler.begin();
  const auto first = straggler.send("a");
  straggler.send("b");
  sweeper.receive(1);
  sweeper.commit();
  here.sweep(sweeper);
  CHECK(here.low_water() <= first);
}

TEST_CASE("the low-water mark does not pass an id that was drawn within a savepoint") {
  pond here;
  auto straggler = here.open();
  here.make_sweep_due();
  straggler.ask("begin; savepoint one");
  straggler.ask("savepoint two");
  const auto first = straggler.send("a");
  straggler.ask("rollback to one; savepoint three");
  const auto second = straggler.send("b");
  here.sweep(here.db);
  CHECK(here.low_water() <= second);
  straggler.ask("release three");
  straggler.commit();
  here.make_sweep_due();
  const auto found = here.db.receive_one();
  CHECK(found.id == second);
  CHECK(first < second);
}

TEST_CASE("the low-water mark does not pass the ids of a prepared transaction") {
  pond here;
  auto straggler = here.open();
  here.make_sweep_due();
  straggler.begin();
  // Without the notification, which PostgreSQL does not prepare, nothing else of enqueueing is missing.
  straggler.ask("insert into mail_message (contract_version, body) values (1, 'a'), (1, 'b')");
  straggler.ask("prepare transaction 'late'");
  here.sweep(here.db);
  CHECK(here.low_water() <= 1);
  here.db.ask("commit prepared 'late'");
  here.make_sweep_due();
  CHECK(test::bodies(here.db.receive(5)) == "a b");
}

TEST_CASE("the low-water mark does not pass ids that were drawn while it was being taken") {
  pond here;
  auto straggler = here.open();
  auto holder = here.open();
  auto sweeper = here.open();
  const auto burnt = here.db.send("before");
  CHECK(here.db.take(1).size() == 1);
  here.make_sweep_due();
  // The sweeper waits for the sequence behind the holder, and the straggler, who has it already, does not.
  straggler.ask("begin; select nextval('mail_message_id')");
  auto holding = holder.later("alter sequence mail_message_id cache 1");
  here.wait_until_blocked(holder);
  auto sweeping = sweeper.later("select mail_claim_v1(1)");
  here.wait_until_blocked(sweeper);
  const auto first = straggler.send("a");
  straggler.send("b");
  holder.connection().cancel();
  CHECK_THROWS_AS(holding.get(), quern::database_error);
  CHECK(sweeping.get().empty());
  here.sweep(here.db);
  CHECK(burnt < first);
  CHECK(here.low_water() <= first);
  straggler.commit();
  here.make_sweep_due();
  CHECK(test::bodies(here.db.receive(5)) == "a b");
}

TEST_CASE("the low-water mark does not pass an id while its row is still being made") {
  pond here;
  auto holder = here.open();
  auto straggler = here.open();
  // Ids are logged by the dozen, and only logging one would need a transaction id.
  here.db.send("before");
  CHECK(here.db.take(1).size() == 1);
  here.make_sweep_due();
  holder.ask("select pg_advisory_lock(4711)");
  auto inserting = straggler.later(
      "insert into mail_message (contract_version, body) values (1, 'late' || pg_advisory_xact_lock(4711)::text)");
  here.wait_until_blocked(straggler);
  const auto drawn = std::stoll(here.db.ask("select last_value from mail_message_id"));
  here.db.send("behind");
  CHECK(here.db.take(1).size() == 1);
  here.sweep(here.db);
  CHECK(here.low_water() <= drawn);
  holder.ask("select pg_advisory_unlock(4711)");
  inserting.get();
  here.make_sweep_due();
  CHECK(here.db.receive_one().id == drawn);
}

TEST_CASE("the low-water mark does not pass what its own transaction has taken, should that be rolled back") {
  pond here;
  const auto first = here.db.send("a");
  here.db.send("b");
  here.db.send("c");
  auto sweeper = here.open();
  here.sweep(sweeper);
  here.make_sweep_due();
  sweeper.begin();
  CHECK(sweeper.take(1).front().id == first);
  for (int i = 0; i < 3; ++i) {
    here.make_sweep_due();
    sweeper.ask("select mail_claim_v1(1)");
  }
  sweeper.rollback();
  CHECK(here.low_water() <= first);
  here.make_sweep_due();
  CHECK(test::bodies(here.db.receive(5)) == "a b c");
}

TEST_CASE("the low-water mark does not pass what a savepoint has acknowledged, should that be rolled back") {
  pond here;
  const auto first = here.db.send("a");
  here.db.send("b");
  here.sweep(here.db);
  here.make_sweep_due();
  const auto held = here.db.receive_one();
  REQUIRE(held.id == first);
  here.db.ask("begin; savepoint one");
  CHECK(here.db.ack(held));
  here.make_sweep_due();
  here.db.receive(1);
  here.make_sweep_due();
  here.db.receive(1);
  here.db.ask("rollback to one; commit");
  CHECK(here.low_water() <= first);
}

TEST_CASE("two claims that sweep at once leave a low-water mark that is safe") {
  pond here;
  auto straggler = here.open();
  auto one = here.open();
  auto two = here.open();
  straggler.begin();
  const auto first = straggler.send("a");
  here.db.send("b");
  for (int i = 0; i < 4; ++i) {
    here.make_sweep_due();
    one.ask("begin");
    one.take(1);
    here.make_sweep_due();
    two.ask("begin");
    two.take(1);
    (i % 2 == 0 ? one : two).commit();
    (i % 2 == 0 ? two : one).rollback();
    here.db.send("c");
  }
  CHECK(here.low_water() <= first);
}

TEST_CASE("a low-water mark that is far ahead is found out within a minute") {
  pond here;
  for (const auto* body : {"a", "b", "c", "d", "e"}) here.db.send(body);
  here.sweep(here.db, 1);
  here.db.ask("select setval('mail_low_water', 9000000000000000000), setval('mail_v1_frontier', 9000000000000000000)");
  here.make_full_sweep_due();
  CHECK(test::bodies(here.db.receive(1)) == "a");
  // From here on without another such sweep, and not at the pace of one claim in 100 ms.
  CHECK(test::bodies(here.db.receive(2)) == "b c");
  CHECK(test::bodies(here.db.receive(2)) == "d e");
}

TEST_CASE("a leased message is found when its lease runs out although the low-water mark was far ahead") {
  pond here;
  here.db.send("a");
  here.db.send("b");
  here.make_sweep_due();
  REQUIRE(test::bodies(here.db.receive(1)) == "a");
  here.db.ask("select setval('mail_low_water', 9000000000000000000)");
  here.make_full_sweep_due();
  CHECK(test::bodies(here.db.receive(1)) == "b");
  CHECK(here.low_water() <= 1);
  here.advance(std::chrono::minutes{1});
  CHECK(test::bodies(here.db.receive(2)) == "a b");
}

TEST_CASE("the low-water mark is taken anew after a restore into a cluster whose transaction ids began again") {
  pond here;
  here.db.ask("select setval('mail_mark_xid', 9000000000000000000), setval('mail_mark', 0)");
  for (int i = 0; i < 5; ++i) here.db.send("a");
  CHECK(here.db.take(5).size() == 5);
  here.sweep(here.db);
  CHECK(here.low_water() == 5);
}

TEST_CASE("a clock that was set back does not keep claims from looking everywhere") {
  pond here;
  here.db.send("a");
  here.db.ask(R"(
    select setval('mail_v1_frontier', 1000000),
      setval('mail_v1_swept_at', n.ms - n.ms % 60000 + case when n.ms % 60000 < 59000 then 59999 else 0 end)
    from (select floor(extract(epoch from clock_timestamp()) * 1000)::bigint) as n(ms)
  )");
  CHECK(test::bodies(here.db.receive(1)) == "a");
}

TEST_CASE("hints of nothing find everything") {
  pond here;
  for (const auto* body : {"a", "b", "c"}) here.db.send(body);
  for (const auto* hint : {"v1_frontier", "low_water", "mark", "mark_xid", "v1_swept_at"})
    here.db.ask(fmt::format("select setval('mail_{}', 0, false)", hint));
  CHECK(test::bodies(here.db.receive(3)) == "a b c");
}

TEST_CASE("a message that commits late is found although the frontier has passed, and so are the many behind it") {
  pond here;
  auto straggler = here.open();
  straggler.begin();
  straggler.ask("select mail_enqueue_many_v1(array(select 'late ' || n from generate_series(1, 20000) as n))");
  for (int i = 0; i < 100; ++i) here.db.send("early");
  CHECK(here.db.receive(100).size() == 100);
  straggler.commit();
  here.make_sweep_due();
  CHECK(test::bodies(here.db.receive(1)) == "late 1");
  // The sweep has found more than it could hand out: the next claims go on there, without waiting for the next sweep.
  CHECK(test::bodies(here.db.receive(1)) == "late 2");
  CHECK(test::bodies(here.db.receive(2)) == "late 3 late 4");
}

TEST_CASE("the low-water mark of a queue begins where its ids do, and a claim that is rolled back is found at once") {
  constexpr std::int64_t begin = 10000000000000;
  pond here{fmt::format("[queues.archive]\npayload = \"jsonb\"\n{}", test::mail_queue)};
  CHECK(here.low_water() == begin);
  here.sweep(here.db);
  CHECK(here.low_water() == begin);
  CHECK(here.db.send("a") == begin + 1);
  here.make_sweep_due();
  CHECK(here.db.receive(1, "1ms").size() == 1);
  CHECK(here.low_water() == begin);
  // Within the way that every claim looks back.
  CHECK(here.db.ask("select last_value - (select last_value from mail_low_water) from mail_v1_frontier") == "2");
  here.sweep(here.db);
  CHECK(here.low_water() == begin + 1);
}
