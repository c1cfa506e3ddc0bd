#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <regex>

#include "cluster/scratch.hpp"
#include "queue/workshop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// These tests have a server to themselves, as those of the low-water mark: what others do would hide mistakes.

namespace {

const std::string& quiet_server() {
  static const cluster::scratch server{{{"autovacuum", "off"}}};
  return server.url();
}

constexpr std::string_view prioritised = R"(
[queues.mail]
priorities = 3
payload = { body = "text" }
)";

struct pond : test::workshop {
  pond() : workshop{prioritised, quiet_server()} {}

  void fill(int priority, int count) {
    db.ask(fmt::format("select mail_enqueue_many_v1(array(select 'x' from generate_series(1, {})), p_priority => {})",
                       count, priority));
  }

  void send(test::session& with, std::string_view body, int priority) {
    with.ask(fmt::format("select mail_enqueue_v1('{}', p_priority => {})", body, priority));
  }

  std::int64_t low_water(int priority) {
    return std::stoll(db.ask(
        fmt::format("select last_value from mail_low_water{}", priority == 0 ? "" : fmt::format("_{}", priority))));
  }

  std::int64_t last_drawn() { return std::stoll(db.ask("select last_value from mail_message_id")); }

  /// Claims that begin at the low-water marks, and keep nothing; as many as it takes for marks to be taken and used.
  void sweep(int times = 3) {
    for (int i = 0; i < times; ++i) {
      make_sweep_due();
      db.ask("begin; select mail_claim_v1(1); rollback");
    }
  }

  /// No claim begins at the low-water marks within the next 100 ms.
  void put_off_sweeps() {
    db.ask(
        "select setval(oid::regclass, floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from pg_class "
        "where relnamespace = current_schema()::regnamespace and relname like 'mail_v1_swept_at%'");
  }

  /// Pages that the statement has touched, nested statements included.
  int pages(std::string_view sql) {
    const auto plan = db.ask(fmt::format("explain (analyze, buffers, timing off, summary off) {}", sql));
    const auto buffers = plan.substr(0, plan.find("Planning:"));
    const auto first = buffers.find("Buffers: shared ");
    if (first == std::string::npos) return 0;
    const auto line = buffers.substr(first, buffers.find('\n', first) - first);
    const std::regex number{"(hit|read)=([0-9]+)"};
    int sum = 0;
    for (std::sregex_iterator it{line.begin(), line.end(), number}, end; it != end; ++it) sum += std::stoi((*it)[2]);
    return sum;
  }

  /// Of a claim of one that begins at the frontiers and keeps nothing: what is cached on first use does not count, nor
  /// a sweep because the machine was busy for 100 ms.
  int claim_pages() {
    int least = std::numeric_limits<int>::max();
    for (int i = 0; i < 5; ++i) {
      db.begin();
      put_off_sweeps();
      least = std::min(least, pages("select mail_claim_v1(1)"));
      db.rollback();
    }
    return least;
  }

  /// Of one that begins at the low-water marks.
  int sweep_pages() {
    int least = std::numeric_limits<int>::max();
    for (int i = 0; i < 2; ++i) {
      make_sweep_due();
      db.begin();
      least = std::min(least, pages("select mail_claim_v1(1)"));
      db.rollback();
    }
    return least;
  }
};

}  // namespace

TEST_CASE("the low-water mark of a priority rises above messages that were handled, whatever waits in the others") {
  pond here;
  here.fill(2, 5);
  here.fill(0, 5);
  here.fill(1, 5);
  CHECK(here.db.take(10).size() == 10);
  here.sweep();
  CHECK(here.low_water(0) == 15);
  CHECK(here.low_water(1) == 15);
  CHECK(here.low_water(2) == 1);
}

TEST_CASE("no low-water mark passes a message that is claimed") {
  pond here;
  for (int priority = 0; priority < 3; ++priority) here.fill(priority, 2);
  REQUIRE(here.db.receive(5).size() == 5);
  CHECK(here.db.take(1).size() == 1);
  here.sweep();
  CHECK(here.low_water(0) == 1);
  CHECK(here.low_water(1) == 3);
  CHECK(here.low_water(2) == 5);
}

TEST_CASE("no low-water mark passes what a transaction that runs has enqueued in its priority") {
  for (int priority = 0; priority < 3; ++priority) {
    INFO(priority);
    pond here;
    auto straggler = here.open();
    straggler.begin();
    here.send(straggler, "late", priority);
    const auto drawn = here.last_drawn();
    for (int each = 0; each < 3; ++each) here.fill(each, 3);
    CHECK(here.db.take(9).size() == 9);
    here.sweep();
    CHECK(here.low_water(priority) <= drawn);
    straggler.commit();
    here.make_sweep_due();
    CHECK(test::bodies(here.db.receive(2)) == "late");
  }
}

TEST_CASE("no low-water mark passes what its own transaction has taken, should that be rolled back") {
  pond here;
  for (const int priority : {2, 1, 0}) here.fill(priority, 1);
  here.sweep();
  auto sweeper = here.open();
  sweeper.begin();
  CHECK(sweeper.take(3).size() == 3);
  for (int i = 0; i < 3; ++i) {
    here.make_sweep_due();
    sweeper.ask("select mail_claim_v1(1)");
  }
  sweeper.rollback();
  CHECK(here.low_water(2) <= 1);
  CHECK(here.low_water(1) <= 2);
  CHECK(here.low_water(0) <= 3);
  here.make_sweep_due();
  CHECK(here.db.receive(5).size() == 3);
}

TEST_CASE("hints of one priority that are far ahead are found out within a minute") {
  pond here;
  for (const int priority : {2, 1, 0}) here.fill(priority, 2);
  for (const auto* each : {"low_water_1", "v1_frontier_1", "low_water_2", "v1_frontier_2"})
    here.db.ask(fmt::format("select setval('mail_{}', 9000000000000000000)", each));
  CHECK(here.db.receive(2).size() == 2);
  here.make_full_sweep_due();
  CHECK(here.db.receive(4).size() == 4);
}

TEST_CASE("hints of nothing find everything of every priority") {
  pond here;
  for (const int priority : {2, 1, 0}) here.fill(priority, 2);
  here.db.receive(1);
  for (const auto* each : {"low_water", "v1_frontier", "v1_swept_at"}) {
    for (const auto* level : {"", "_1", "_2"})
      here.db.ask(fmt::format("select setval('mail_{}{}', 0, false)", each, level));
  }
  CHECK(here.db.receive(6).size() == 5);
}

TEST_CASE("a sweep that always finds something in the first priority does not keep the others from being swept") {
  pond here;
  auto straggler = here.open();
  straggler.begin();
  here.send(straggler, "late", 1);
  // Far behind the frontier, where a claim looks only when it sweeps.
  here.fill(1, 12000);
  CHECK(here.db.take(12000).size() == 12000);
  here.send(here.db, "x", 1);
  CHECK(here.db.receive(1).size() == 1);
  straggler.commit();
  here.send(here.db, "first", 0);
  here.make_sweep_due();
  CHECK(test::bodies(here.db.receive(1)) == "first");
  // The sweep of priority 0 is just over, and that of priority 1 has yet to come.
  CHECK(test::bodies(here.db.receive(1)) == "late");
}

TEST_CASE("a message that is given back far behind the frontier of its priority is handed out at once") {
  for (int priority = 0; priority < 3; ++priority) {
    INFO(priority);
    pond here;
    here.fill(priority, 3000);
    const auto held = here.db.receive(3000);
    REQUIRE(held.size() == 3000);
    here.fill(2, 5);
    CHECK(here.db.release(held[0]));
    here.put_off_sweeps();
    CHECK(here.db.receive(1).front().id == held[0].id);
  }
}

TEST_CASE("a claim touches few pages, however many messages of each priority wait") {
  pond here;
  for (const int priority : {2, 1, 0}) here.fill(priority, 20000);
  here.db.ask("analyze mail_message");
  here.sweep();
  CHECK(here.claim_pages() < 200);
  CHECK(here.sweep_pages() < 300);
  // All of the first priority are gone.
  here.db.ask("delete from mail_message where priority = 0");
  here.db.ask("vacuum analyze mail_message");
  CHECK(here.claim_pages() < 200);
  CHECK(here.sweep_pages() < 300);
}

TEST_CASE("a claim of the first priority touches few pages when all that wait come last, whatever plan was made when") {
  pond here;
  here.db.ask("vacuum analyze mail_message");
  auto early = here.open();
  early.receive(1);
  here.fill(2, 20000);
  here.db.ask("analyze mail_message");
  here.sweep();
  CHECK(here.claim_pages() < 200);
  CHECK(here.sweep_pages() < 300);
  here.send(here.db, "first", 0);
  CHECK(test::bodies(early.receive(1)) == "first");
}

TEST_CASE("a claim does not pass over messages that are leased at the head of each priority") {
  pond here;
  for (const int priority : {2, 1, 0}) here.fill(priority, 10000);
  here.db.ask("analyze mail_message");
  CHECK(here.db.receive(29000, "1 h").size() == 29000);
  CHECK(here.db.receive(1).size() == 1);
  CHECK(here.claim_pages() < 200);
}

TEST_CASE("a claim does not pass over dead rows while a transaction holds back the horizon") {
  pond here;
  auto old = here.open();
  old.ask("begin isolation level repeatable read; select count(*) from mail_message");
  here.fill(2, 1000);
  for (int round = 0; round < 5; ++round) {
    here.fill(0, 3000);
    here.fill(1, 3000);
    CHECK(here.db.take(6000).size() == 6000);
    here.sweep(2);
  }
  CHECK(here.db.ask("select count(*) from mail_message") == "1000");
  CHECK(here.claim_pages() < 200);
  CHECK(here.sweep_pages() < 300);
}

TEST_CASE("delayed messages and those that are due in other priorities do not stand in the way of a claim") {
  pond here;
  for (const auto* delay : {"1 h", "1 ms"}) {
    here.db.ask(
        fmt::format("select mail_enqueue_many_v1(array(select 'x' from generate_series(1, 10000)), '{}', 2)", delay));
  }
  here.db.ask("select mail_enqueue_many_v1(array(select 'x' from generate_series(1, 10000)), '1 h', 0)");
  here.db.ask("analyze mail_delayed");
  here.fill(0, 10);
  here.sweep();
  CHECK(here.claim_pages() < 200);
  here.db.take(10);
  CHECK(here.claim_pages() < 200);
}

TEST_CASE("claims of messages with priorities are heap-only updates, and no index holds a column that they change") {
  pond here;
  CHECK(here.db.ask(R"(
    select string_agg(pg_get_indexdef(indexrelid), '; ' order by indexrelid::regclass::text)
    from pg_index where indrelid = 'mail_message'::regclass)") ==
        fmt::format("CREATE UNIQUE INDEX mail_message_key ON {0}.mail_message USING btree (message_id); "
                    "CREATE INDEX mail_message_priority ON {0}.mail_message USING btree (priority, message_id)",
                    here.schema()));
  for (const int priority : {2, 1, 0}) here.fill(priority, 500);
  {
    // Its statistics are complete when the session has ended.
    auto worker = here.open();
    for (int i = 0; i < 15; ++i) {
      const auto held = worker.receive(100);
      CHECK(held.size() == 100);
      for (std::size_t j = 0; j < 10; ++j) worker.extend(held[j]);
      worker.ack_many(held);
    }
  }
  const auto table = fmt::format("from pg_stat_user_tables where relid = '{}.mail_message'::regclass", here.schema());
  test::wait_until(here.url(), fmt::format("select n_tup_upd >= 1650 {}", table));
  CHECK(here.db.ask(fmt::format("select n_tup_hot_upd >= n_tup_upd * 0.95 {}", table)) == "t");
}

TEST_CASE("claims that are filled go all of a long way of a priority every five seconds") {
  pond here;
  for (const int priority : {0, 2}) here.send(here.db, "old", priority);
  CHECK(here.db.receive(2).size() == 2);
  here.skip_ids(600'000);
  for (const int priority : {0, 2}) here.send(here.db, "last", priority);
  CHECK(here.db.receive(2).size() == 2);
  here.advance(std::chrono::minutes{1});
  for (const int priority : {0, 2}) here.send(here.db, "new", priority);
  here.make_short_sweep_due();
  CHECK(test::bodies(here.db.take(1)) == "last");
  here.make_short_sweep_due();
  CHECK(test::bodies(here.db.take(1)) == "new");
  here.make_sweep_due();
  here.db.begin();
  CHECK(test::bodies(here.db.take(1)) == "old");
  here.db.rollback();
  here.make_short_sweep_due();
  CHECK(test::bodies(here.db.take(3)) == "old last new");
  here.make_short_sweep_due();
  CHECK(test::bodies(here.db.take(9)) == "old");
}
