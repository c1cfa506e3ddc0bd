#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

namespace {

constexpr std::string_view prioritised = R"(
[queues.mail]
lease      = "30s"
retry      = { max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }
grants     = { produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }
priorities = 3
[queues.mail.payload]
body = "text"
)";

struct post_office : test::workshop {
  post_office() : workshop{prioritised} {}

  /// In this order, each by its body and its priority: `send("a0 b2")`.
  void send(std::string_view messages, std::string_view delay = "0") { send(db, messages, delay); }

  static void send(test::session& with, std::string_view messages, std::string_view delay = "0") {
    for (std::string_view rest{messages}; !rest.empty();) {
      const auto end = std::min(rest.find(' '), rest.size());
      with.ask(fmt::format("select mail_enqueue_v1('{}', '{}', {})", rest.substr(0, end), delay, rest[end - 1]));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  std::string receive(int count = 1) { return test::bodies(db.receive(count)); }
};

}  // namespace

TEST_CASE("messages are handed out by priority, 0 first, and in their order within one") {
  post_office here;
  here.send("a2 b0 c1 d0 e2 f1");
  for (const auto* expected : {"b0", "d0", "c1", "f1", "a2", "e2", ""}) CHECK(here.receive() == expected);
}

TEST_CASE("a batch is in the order of the priorities too, claimed or taken") {
  post_office here;
  here.send("a2 b0 c1 d0 e2 f1");
  CHECK(here.receive(4) == "b0 d0 c1 f1");
  here.send("g0 h1");
  CHECK(test::bodies(here.db.take(10)) == "g0 h1 a2 e2");
}

TEST_CASE("a message without a priority is one of the first") {
  post_office here;
  here.send("a1");
  here.db.send("b");
  here.db.ask("select queue_enqueue('mail', '{\"body\": \"c\"}')");
  here.db.ask("select mail_enqueue_json('{\"body\": \"d\"}')");
  here.db.ask("insert into mail (payload) values ('{\"body\": \"e\"}')");
  here.db.ask("select mail_enqueue_many_v1(array['f'])");
  here.db.ask("insert into mail_message (contract_version, body) values (1, 'g')");
  CHECK(here.receive(10) == "b c d e f g a1");
}

TEST_CASE("every way in takes a priority: one message, many, JSON, COPY") {
  post_office here;
  here.db.ask("select mail_enqueue_v1('a', p_priority => 2)");
  here.db.ask("select mail_enqueue_many_v1(array['b', 'c'], p_priority => 1)");
  here.db.ask("select mail_enqueue_many_v1(array['d'], p_delay => '1 s', p_priority => 1)");
  here.db.ask("select mail_enqueue_json_v1('{\"body\": \"e\"}', p_priority => 1)");
  here.db.ask("insert into mail_message (contract_version, priority, body) values (1, 1, 'f')");
  here.db.send("g");
  here.advance(std::chrono::seconds{2});
  CHECK(here.db.ask("select body, priority from mail_claim_v1(10)") == "g|0 b|1 c|1 d|1 e|1 f|1 a|2");
}

TEST_CASE("a priority that the contract does not know is refused") {
  post_office here;
  for (const auto* wrong : {"-1", "3", "70000", "null"}) {
    INFO(wrong);
    const auto refusal = "QN005: a priority must be a number from 0 to 2";
    CHECK(here.db.refusal(fmt::format("select mail_enqueue_v1('a', p_priority => {})", wrong)) == refusal);
    CHECK(here.db.refusal(fmt::format("select mail_enqueue_v1('a', '1 h', {})", wrong)) == refusal);
    CHECK(here.db.refusal(fmt::format("select mail_enqueue_many_v1(array['a'], p_priority => {})", wrong)) == refusal);
    CHECK(here.db.refusal(fmt::format("select mail_enqueue_json_v1('{{\"body\": \"a\"}}', p_priority => {})", wrong)) ==
          refusal);
  }
  for (const auto* wrong : {"-1", "3"}) {
    CHECK_THAT(here.db.refusal(fmt::format(
                   "insert into mail_message (contract_version, priority, body) values (1, {}, 'a')", wrong)),
               test::contains("23514: new row for relation \"mail_message\" violates check constraint "
                              "\"mail_priority_known\""));
  }
  CHECK(here.counts() == "0|0|0|0");
}

TEST_CASE("a consumer sees the priority: claimed, taken, as JSON") {
  post_office here;
  here.send("a2 b1 c0");
  CHECK(here.db.ask("select priority, payload from mail_claim_json_v1(1)") == "0|{\"body\": \"c0\"}");
  CHECK(here.db.ask("select priority, body from mail_claim_v1(1)") == "1|b1");
  CHECK(here.db.ask("select priority, body from mail_take_v1(1)") == "2|a2");
}

TEST_CASE("a role that may produce may give a priority, also in bulk") {
  post_office here;
  auto web = here.open("qt_web");
  web.ask("select mail_enqueue_v1('a', p_priority => 2)");
  web.ask("insert into mail_message (contract_version, priority, body) values (1, 1, 'b')");
  auto mailer = here.open("qt_mailer");
  CHECK(test::bodies(mailer.receive(2)) == "b a");
}

TEST_CASE("what was delayed and is due stands behind the fresh messages that come before it, and before its equals") {
  post_office here;
  here.send("a0 b1 c2", "1 h");
  here.send("d0 e1 f2");
  here.advance(std::chrono::hours{2});
  CHECK(here.receive(1) == "a0");
  CHECK(here.receive(1) == "d0");
  CHECK(here.receive(1) == "b1");
  CHECK(here.receive(3) == "e1 c2 f2");
  CHECK(here.receive(1).empty());
}

TEST_CASE("what is delayed and not due holds up nothing") {
  post_office here;
  here.send("a0", "1 h");
  here.send("b2");
  CHECK(here.receive(5) == "b2");
  CHECK(here.db.ask("select mail_next_due_v1() > clock_timestamp()") == "t");
}

TEST_CASE("the next message that is due is known, whatever its priority") {
  post_office here;
  here.send("a0", "3 h");
  here.send("b2", "1 h");
  here.send("c1", "2 h");
  CHECK(here.db.ask("select mail_next_due_v1() = min(due_at) from mail_delayed") == "t");
}

TEST_CASE("a retry keeps its priority") {
  post_office here;
  here.send("a2 b1");
  const auto held = here.db.receive(2);
  REQUIRE(test::bodies(held) == "b1 a2");
  for (const auto& each : held) CHECK(here.db.fail(each, "5 s") == "retry");
  here.send("c0 d1 e2");
  here.advance(std::chrono::seconds{6});
  CHECK(here.receive(1) == "c0");
  CHECK(here.receive(2) == "b1 d1");
  CHECK(here.receive(2) == "a2 e2");
}

TEST_CASE("a dead letter keeps its priority when it is redriven") {
  post_office here;
  here.send("a2 b1");
  for (int attempt = 1; attempt <= 3; ++attempt) {
    for (const auto& each : here.db.receive(2)) here.db.fail(each);
  }
  REQUIRE(here.counts() == "0|0|0|2");
  CHECK(here.db.ask("select body, priority from mail_dead order by 1") == "a2|2 b1|1");
  CHECK(here.db.ask("select mail_redrive_all()") == "2");
  here.send("c0 d1");
  CHECK(here.receive(4) == "c0 b1 d1 a2");
}

TEST_CASE("what is given back or was left alone comes back in its place") {
  post_office here;
  here.send("a1 b0 c0 d1");
  const auto held = here.db.receive(3);
  REQUIRE(test::bodies(held) == "b0 c0 a1");
  CHECK(here.db.release(held[2]));
  CHECK(here.receive() == "a1");
  CHECK(here.db.release(held[1]));
  CHECK(here.receive(2) == "c0 d1");
  here.advance(std::chrono::minutes{1});
  CHECK(here.receive(4) == "b0 c0 a1 d1");
}

TEST_CASE("messages of every priority are buried when the lease of their last attempt runs out") {
  post_office here;
  here.send("a0 b1 c2");
  for (int attempt = 1; attempt <= 3; ++attempt) {
    CHECK(here.receive(5) == "a0 b1 c2");
    here.advance(std::chrono::minutes{1});
  }
  here.send("d2");
  CHECK(here.receive(4) == "d2");
  CHECK(here.counts() == "0|0|1|3");
}

TEST_CASE("retries of every priority are buried when the lease of their last attempt runs out") {
  post_office here;
  here.send("a0 b1", "1 s");
  here.send("c1");
  for (int attempt = 1; attempt <= 3; ++attempt) {
    here.advance(std::chrono::minutes{1});
    CHECK(here.receive(5) == "a0 b1 c1");
  }
  here.advance(std::chrono::minutes{1});
  here.send("d2");
  CHECK(test::bodies(here.db.take(1)) == "d2");
  CHECK(here.counts() == "0|0|0|3");
}

TEST_CASE("a claim passes over what others hold, in every priority, without waiting") {
  post_office here;
  here.send("a0 b1 c2");
  auto one = here.open();
  auto two = here.open();
  auto three = here.open();
  one.begin();
  two.begin();
  CHECK(test::bodies(one.take()) == "a0");
  CHECK(test::bodies(two.receive()) == "b1");
  CHECK(test::bodies(three.receive()) == "c2");
  CHECK(three.receive().empty());
  here.send("d1");
  two.rollback();
  one.rollback();
  here.make_sweep_due();
  CHECK(test::bodies(three.receive(4)) == "a0 b1 d1");
}

TEST_CASE("a message that commits late is found in its priority, also when later ones were handed out") {
  post_office here;
  auto straggler = here.open();
  straggler.begin();
  post_office::send(straggler, "late0 late1 late2");
  here.send("a0 b1 c2");
  CHECK(here.receive(3) == "a0 b1 c2");
  straggler.commit();
  here.make_sweep_due();
  here.send("d0 e1");
  CHECK(here.receive(2) == "late0 d0");
  CHECK(here.receive(3) == "late1 e1 late2");
}

TEST_CASE("claims of many at once hand out each message once, and none before one that comes first") {
  post_office here;
  here.db.ask("select mail_enqueue_many_v1(array(select n::text from generate_series(1, 300) as n), p_priority => 2)");
  here.db.ask("select mail_enqueue_many_v1(array(select n::text from generate_series(1, 300) as n), p_priority => 1)");
  here.db.ask("select mail_enqueue_many_v1(array(select n::text from generate_series(1, 300) as n), p_priority => 0)");
  here.db.ask(
      "create table seen (rank bigint generated always as identity, worker integer default pg_backend_pid(), priority "
      "smallint, body text)");
  std::vector<test::session> workers;
  for (int i = 0; i < 4; ++i) workers.push_back(here.open());
  std::vector<std::future<std::string>> all;
  all.reserve(workers.size());
  for (auto& worker : workers) {
    all.push_back(worker.later(R"(
      do $$
      begin
        loop
          insert into seen (priority, body) select priority, body from mail_take_v1(7);
          exit when not found;
          commit;
        end loop;
      end
      $$)"));
  }
  for (auto& each : all) each.get();
  CHECK(here.db.ask("select count(*), count(distinct (priority, body)) from seen") == "900|900");
  // Whoever took messages of a priority saw none left of those before it but what others were about to take.
  CHECK(here.db.ask("select bool_and(priority >= before) from (select priority, lag(priority, 1, priority) over "
                    "(partition by worker order by rank) as before from seen) as s") == "t");
  CHECK(here.db.ask("select min(s.rank) >= 300 - 4 * 7 * 3 from seen as s where s.priority = 1") == "t");
  CHECK(here.counts() == "0|0|0|0");
}

TEST_CASE("a paused queue hands out nothing of any priority") {
  post_office here;
  here.send("a0 b2");
  here.db.ask("select mail_pause()");
  CHECK(here.receive(2).empty());
  CHECK(here.db.take(2).empty());
  here.db.ask("select mail_resume()");
  CHECK(here.receive(2) == "a0 b2");
}
