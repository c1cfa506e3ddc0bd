#include <fmt/format.h>

#include <quern/error.hpp>

#include "cluster/scratch.hpp"
#include "queue/workshop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// What a queue with storage = "log" does in a way of its own. What it means is tried by the tests of all queues.

namespace {

constexpr std::string_view logged = R"(
[queues.mail]
storage = "log"
lease   = "30s"
retry   = { max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }
[queues.mail.payload]
body = "text"
)";

struct log_room : test::workshop {
  log_room() : workshop{logged} {}
};

/// Rows that were updated or deleted, of the tables that every message goes through.
std::string dead_rows(test::workshop& here) {
  here.db.ask("select pg_stat_force_next_flush()");
  return here.db.ask(
      fmt::format("select coalesce(sum(n_dead_tup + n_tup_upd + n_tup_del), 0) from pg_stat_user_tables "
                  "where schemaname = '{}' and relname ~ '^mail_(message_[0-9]|claim|end)$'",
                  here.schema()));
}

void send_many(test::session& by, int count) {
  by.ask(fmt::format("select mail_enqueue_many_v1(array(select 'm' || n from generate_series(1, {}) as n))", count));
}

}  // namespace

TEST_CASE("a message is handed out however late its transaction commits, once, and not if it is rolled back") {
  log_room here;
  auto late = here.open();
  auto never = here.open();
  late.begin();
  late.send("late");
  never.begin();
  never.send("never");
  std::string seen;
  for (int i = 0; i < 5; ++i) {
    here.db.send("early");
    for (const auto& one : here.db.receive(9)) seen += one.body + " ";
  }
  late.commit();
  never.rollback();
  for (int i = 0; i < 3; ++i) {
    for (const auto& one : here.db.receive(1)) seen += one.body + " ";
  }
  CHECK(seen == "early early early early early late ");
}

TEST_CASE("late messages are handed out in every order of commits and claims") {
  log_room here;
  constexpr int count = 4;
  for (int order = 0; order < 24; ++order) {
    std::vector<test::session> late;
    for (int i = 0; i < count; ++i) {
      late.push_back(here.open());
      late.back().begin();
      late.back().send(fmt::format("{}", i));
    }
    std::vector<int> left{0, 1, 2, 3};
    std::string committed;
    std::string seen;
    int rest = order;
    for (int i = count; i > 0; --i) {
      const auto place = left.begin() + rest % i;
      rest /= i;
      late[static_cast<std::size_t>(*place)].commit();
      committed += fmt::format("{}", *place);
      left.erase(place);
      for (const auto& one : here.db.receive(1)) seen += one.body;
    }
    CHECK(seen == committed);
    CHECK(here.db.receive(9).empty());
  }
}

TEST_CASE("a claim's own transaction gets what it has enqueued when it has committed") {
  log_room here;
  auto other = here.open();
  here.db.begin();
  here.db.send("own");
  CHECK(here.db.receive(9).empty());
  // From here on a snapshot is beyond the own transaction.
  other.send("other");
  CHECK(test::bodies(here.db.receive(9)) == "other");
  here.db.send("own too");
  here.db.commit();
  CHECK(test::bodies(here.db.receive(9)) == "own own too");
  CHECK(here.db.receive(9).empty());
}

TEST_CASE("a claim that is undone in part of a transaction gives its messages back") {
  log_room here;
  for (const auto* body : {"a", "b", "c"}) here.db.send(body);
  here.db.begin();
  CHECK(test::bodies(here.db.receive(1)) == "a");
  here.db.ask("savepoint one");
  CHECK(test::bodies(here.db.receive(2)) == "b c");
  here.db.ask("rollback to one");
  CHECK(test::bodies(here.db.receive(1)) == "b");
  here.db.commit();
  CHECK(test::bodies(here.db.receive(9)) == "c");
}

TEST_CASE("while a claim's transaction goes on, others get what is due, and nothing of the log after half a second") {
  log_room here;
  for (const auto* body : {"a", "b"}) here.db.send(body);
  auto one = here.open();
  one.begin();
  CHECK(test::bodies(one.take(1)) == "a");
  here.db.send("due", "1 s");
  here.advance(std::chrono::seconds{2});
  auto two = here.open();
  const auto begin = std::chrono::steady_clock::now();
  CHECK(test::bodies(two.receive(9)) == "due");
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(took > std::chrono::milliseconds{400});
  CHECK(took < std::chrono::seconds{5});
  one.rollback();
  CHECK(test::bodies(two.receive(9)) == "a b");
}

TEST_CASE("a claim that takes longer than its lease gives no message twice") {
  log_room here;
  here.db.send("a");
  CHECK(here.db.fail(here.db.receive_one(), "1 h") == "retry");
  here.db.send("b");
  CHECK(test::bodies(here.db.receive(1)) == "b");
  here.db.send("c");
  auto one = here.open();
  auto two = here.open();
  one.begin();
  CHECK(test::bodies(one.take(1)) == "c");
  here.advance(std::chrono::hours{2});
  // It has a, waits for the log, and finds that b has come back.
  auto waiting = two.later("select body, attempt from mail_claim_v1(5, '50 ms')");
  here.wait_until_blocked(two);
  here.db.ask("select pg_sleep(0.06)");
  one.commit();
  CHECK(waiting.get() == "a|2 b|2");
}

TEST_CASE("two who claim at once wait for each other and get different messages") {
  log_room here;
  for (const auto* body : {"a", "b"}) here.db.send(body);
  auto one = here.open();
  auto two = here.open();
  one.begin();
  CHECK(test::bodies(one.receive(1)) == "a");
  auto waiting = two.later("select body from mail_claim_v1(5)");
  here.wait_until_blocked(two);
  one.commit();
  CHECK(waiting.get() == "b");
}

TEST_CASE("messages of one claim are ended by several at once, and nobody waits for those who end another one") {
  log_room here;
  for (const auto* body : {"a", "b", "c"}) here.db.send(body);
  const auto held = here.db.receive(3);
  auto one = here.open();
  auto two = here.open();
  one.begin();
  two.begin();
  CHECK(one.ack(held[0]));
  CHECK(two.fail(held[1], "1 h") == "retry");
  CHECK(here.db.ack(held[2]));
  // All of it: of what others are ending it waits for the outcome.
  auto waiting = here.db.later("select mail_ack_many('{1, 2, 3}', '{1, 1, 1}')");
  here.wait_until_blocked(here.db);
  one.rollback();
  two.commit();
  CHECK(waiting.get() == "{2,3}");
  CHECK(here.counts() == "0|1|0|0");
}

TEST_CASE("a claim that is acknowledged as a whole cannot be ended in part meanwhile, nor be taken back") {
  log_room here;
  for (const auto* body : {"a", "b"}) here.db.send(body);
  const auto held = here.db.receive(2);
  here.advance(std::chrono::minutes{1});
  for (const bool is_kept : {false, true}) {
    auto one = here.open();
    auto two = here.open();
    one.begin();
    CHECK(one.ack_many(held) == "{}");
    CHECK(here.db.receive(9).empty());
    auto waiting = two.later("select mail_ack(1, 1)");
    here.wait_until_blocked(two);
    if (is_kept) {
      one.commit();
      CHECK(waiting.get() == "f");
    } else {
      one.rollback();
      CHECK(waiting.get() == "t");
      here.db.ask("delete from mail_end where message_id = 1");
    }
  }
  CHECK(here.counts() == "0|0|0|0");
}

TEST_CASE("messages that are handled at their first attempt leave no dead row, whatever transaction is open") {
  log_room here;
  auto pinning = here.open();
  pinning.ask("begin isolation level repeatable read; select count(*) from mail_message");
  for (int i = 0; i < 50; ++i) {
    send_many(here.db, 20);
    here.db.send("one");
    CHECK(here.db.ack_many(here.db.receive(15)) == "{}");
    for (const auto& one : here.db.receive(4)) CHECK(here.db.ack(one));
    here.db.begin();
    here.db.take(2);
    here.db.commit();
  }
  CHECK(here.db.ask("select count(*) from mail_delayed") == "0");
  CHECK(dead_rows(here) == "0");
  pinning.rollback();
  here.db.ask("select mail_rotate(0), mail_compact(0)");
  here.db.ask("select mail_maintain()");
  CHECK(here.counts() == "0|0|0|0");
  CHECK(dead_rows(here) == "0");
  CHECK(here.db.ask("select count(*) from mail_message") == "0");
}

TEST_CASE("what a contract wrote that came after the functions stays for newer ones, and so does all behind it") {
  log_room here;
  here.db.ask("alter table mail_message drop constraint mail_contract_version_known");
  here.db.send("a");
  here.db.ask("insert into mail_message (contract_version, body) values (2, 'newer')");
  here.db.send("b");
  CHECK(test::bodies(here.db.receive(9)) == "a");
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.take(9).empty());
  here.db.send("c");
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ask("select count(*) from mail_delayed") == "0");
  // As newer functions would find it.
  here.db.ask("update mail_message set contract_version = 1 where contract_version = 2");
  CHECK(test::bodies(here.db.receive(9)) == "newer b c");
}

TEST_CASE("a claim looks at nothing that was handed out before, whatever else is running") {
  log_room here;
  auto running = here.open();
  running.ask("begin; select pg_current_xact_id()");
  send_many(here.db, 30000);
  CHECK(here.db.ack_many(here.db.receive(30000)) == "{}");
  const auto seen = [&] {
    here.db.ask("select pg_stat_force_next_flush()");
    return std::stoll(here.db.ask(fmt::format(
        "select sum(idx_blks_hit + idx_blks_read) from pg_statio_user_indexes where schemaname = '{}' and relname ~ "
        "'^mail_message_'",
        here.schema())));
  };
  const auto before = seen();
  for (int i = 0; i < 10; ++i) {
    here.db.send("a");
    CHECK(here.db.ack(here.db.receive_one()));
    CHECK(here.db.receive(9).empty());
  }
  CHECK(here.counts() == "0|0|0|0");
  CHECK(seen() - before < 1500);
}

TEST_CASE("when very many claims are open, the oldest go where single messages are kept, leased as they were") {
  log_room here;
  send_many(here.db, 300);
  std::vector<test::held> all;
  for (int i = 0; i < 300; ++i) {
    for (const auto& one : here.db.receive(1, "1 h")) all.push_back(one);
  }
  REQUIRE(all.size() == 300);
  CHECK(here.counts() == "0|0|300|0");
  CHECK(here.db.ask("select count(*) between 40 and 50 from mail_delayed") == "t");
  CHECK(here.db.ack_many(all) == "{}");
  CHECK(here.counts() == "0|0|0|0");
}

TEST_CASE("messages of a log are ended in a transaction that sees what others commit, and in no other") {
  log_room here;
  here.db.send("a");
  const auto held = here.db.receive_one();
  for (const auto* call : {"mail_ack(1, 1)", "mail_ack_many('{1}', '{1}')", "mail_nack(1, 1)", "mail_extend(1, 1)",
                           "mail_release(1, 1)"}) {
    CHECK(here.db.refusal(fmt::format("begin isolation level repeatable read; select {}", call)) ==
          "QN004: messages of a log can be ended in a READ COMMITTED transaction only");
    here.db.rollback();
  }
  CHECK(here.db.ack(held));
}

TEST_CASE("the door of a log shows its messages and takes new ones, and has none deleted that a claim could have") {
  log_room here;
  here.db.ask("insert into mail (payload) values ('{\"body\": \"a\"}'), ('{\"body\": \"b\"}')");
  here.db.receive(1);
  CHECK(here.db.ask("select id, status, payload ->> 'body' from mail order by id") == "1|processing|a 2|pending|b");
  for (const auto* call : {"delete from mail", "update mail set status = 'completed'"})
    CHECK(here.db.refusal(call) ==
          "QN005: the tasks of queue \"mail\" are kept in a log, and cannot be locked or deleted");
  CHECK(here.counts() == "1|0|1|0");
}

TEST_CASE("copied messages are handed out as all others") {
  log_room here;
  here.db.ask("insert into mail_message (contract_version, body) values (1, 'a'), (1, 'b')");
  CHECK(test::bodies(here.db.receive(9)) == "a b");
}

TEST_CASE("after a crash of the server what was not ended is there, and what was claimed is leased") {
  cluster::scratch server;
  std::string schema;
  const std::string url = server.url();
  {
    test::workshop here{logged, url};
    schema = here.schema();
    for (const auto* body : {"acknowledged", "claimed", "failed", "taken", "taking", "ready"}) here.db.send(body);
    const auto held = here.db.receive(3);
    REQUIRE(here.db.ack(held[0]));
    REQUIRE(here.db.fail(held[2], "0") == "retry");
    here.db.ask("begin; select mail_take_v1(2); rollback");
    CHECK(test::bodies(here.db.take(1)) == "failed");
    CHECK(test::bodies(here.db.take(1)) == "taken");
    auto taking = here.open();
    taking.begin();
    REQUIRE(test::bodies(taking.take(1)) == "taking");
    auto acknowledging = here.open();
    acknowledging.begin();
    REQUIRE(acknowledging.ack(held[1]));
    auto sending = here.open();
    sending.begin();
    sending.send("never sent");
    server.stop(cluster::shutdown::immediate);
  }
  server.start();
  test::session after{url, schema};
  CHECK(after.ask("select ready, delayed, leased, dead from mail_stats()") == "2|0|1|0");
  CHECK(test::bodies(after.receive(9)) == "taking ready");
  CHECK(after.ack({2, 1, "claimed"}));
}
