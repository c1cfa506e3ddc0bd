#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

TEST_CASE("a claim hands out as many as asked for, and nothing when nothing is there") {
  test::workshop here;
  CHECK(here.db.receive(3).empty());
  for (const auto* body : {"a", "b", "c", "d"}) here.db.send(body);
  CHECK(test::bodies(here.db.receive(3)) == "a b c");
  CHECK(test::bodies(here.db.receive(3)) == "d");
  CHECK(here.counts() == "0|0|4|0");
  CHECK(test::bodies(here.db.receive(2147483647)).empty());
}

TEST_CASE("a claim says which attempt it is, since when the message waits and until when it is leased") {
  test::workshop here;
  here.db.send("a");
  CHECK(here.db.ask("select attempt, enqueued_at <= now(), lease_until - clock_timestamp() between '29 s' and '30 s' "
                    "from mail_claim_v1()") == "1|t|t");
  here.db.send("b");
  CHECK(here.db.ask(
            "select lease_until - clock_timestamp() between '119 s' and '120 s' from mail_claim_v1(1, '2 min')") ==
        "t");
}

TEST_CASE("a message comes back when its lease has run out, as the next attempt") {
  test::workshop here;
  here.db.send("a");
  const auto first = here.db.receive_one();
  here.advance(std::chrono::seconds{29});
  CHECK(here.db.receive().empty());
  here.advance(std::chrono::seconds{2});
  CHECK(here.counts() == "1|0|0|0");
  const auto second = here.db.receive_one();
  CHECK(second == test::held{first.id, 2, "a"});
}

TEST_CASE("a message whose last lease runs out is a dead letter that says so, and others are handed out meanwhile") {
  test::workshop here;
  here.db.send("bad");
  here.db.send("good");
  for (int attempt = 1; attempt <= 3; ++attempt) {
    CHECK(here.db.receive_one() == test::held{1, attempt, "bad"});
    here.advance(std::chrono::minutes{1});
  }
  CHECK(test::bodies(here.db.receive(1)) == "good");
  CHECK(here.counts() == "0|0|1|1");
  CHECK(here.db.ask("select body, attempt, last_error from mail_dead") ==
        "bad|3|the lease of the last attempt ran out");
}

TEST_CASE("a message whose last lease runs out is a dead letter to claim and to take, tried before or not") {
  for (const bool is_retried : {false, true}) {
    for (const bool is_taken : {false, true}) {
      test::workshop here;
      here.db.send("bad");
      here.db.send("good");
      for (int attempt = 1; attempt <= 3; ++attempt) {
        const auto held = here.db.receive_one();
        CHECK(held == test::held{1, attempt, "bad"});
        if (is_retried && attempt < 3) {
          CHECK(here.db.fail(held) == "retry");
        } else {
          here.advance(std::chrono::minutes{1});
        }
      }
      CHECK(test::bodies(is_taken ? here.db.take(1) : here.db.receive(1)) == "good");
      CHECK(here.counts() == (is_taken ? "0|0|0|1" : "0|0|1|1"));
    }
  }
}

TEST_CASE("a retried message that is claimed is handed out to nobody else until its lease runs out") {
  test::workshop here;
  here.db.send("a");
  CHECK(here.db.fail(here.db.receive_one()) == "retry");
  CHECK(here.db.receive_one().attempt == 2);
  here.advance(std::chrono::seconds{25});
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.take(9).empty());
  CHECK(here.counts() == "0|0|1|0");
  here.advance(std::chrono::seconds{10});
  CHECK(here.db.receive_one().attempt == 3);
}

TEST_CASE("a message without attempts left is dropped where there are no dead letters") {
  test::workshop here{R"(
[queues.mail]
retry       = { max_attempts = 1 }
dead_letter = false
[queues.mail.payload]
body = "text"
)"};
  here.db.send("a");
  here.db.receive();
  here.advance(std::chrono::minutes{1});
  CHECK(here.db.receive().empty());
  CHECK(here.contents().empty());
  here.db.send("b");
  CHECK(here.db.fail(here.db.receive_one()) == "dropped");
  CHECK(here.contents().empty());
  CHECK(here.db.ask("select to_regprocedure('mail_redrive(bigint)'), to_regprocedure('mail_purge(interval)')") ==
        "null|null");
}

TEST_CASE("arguments of claims that make no sense are refused") {
  test::workshop here;
  here.db.send("a");
  const std::string none = "QN005: the number of messages to claim must be at least 1";
  for (const auto* count : {"0", "-1", "null"}) {
    CHECK(here.db.refusal(fmt::format("select mail_claim_v1({})", count)) == none);
    CHECK(here.db.refusal(fmt::format("select mail_claim_json_v1({})", count)) == none);
    CHECK(here.db.refusal(fmt::format("select mail_take_v1({})", count)) == none);
  }
  const std::string nothing = "QN005: a lease must be longer than nothing, and 100000 years at most";
  CHECK(here.db.refusal("select mail_claim_v1(1, '0')") == nothing);
  CHECK(here.db.refusal("select mail_claim_v1(1, '-1 s')") == nothing);
  CHECK(here.db.refusal("select mail_claim_json_v1(1, '0')") == nothing);
  CHECK(here.db.refusal("select mail_extend(1, 1, '0')") == nothing);
  CHECK(here.counts() == "1|0|0|0");
}

TEST_CASE("claims and takes are refused in transactions that do not see what others commit") {
  test::workshop here;
  here.db.send("a");
  for (const auto* level : {"repeatable read", "serializable"}) {
    for (const auto* call : {"mail_claim_v1()", "mail_claim_json_v1()", "mail_take_v1()", "queue_dequeue('mail')"}) {
      CHECK(here.db.refusal(fmt::format("begin isolation level {}; select * from {}", level, call)) ==
            "QN004: messages can be claimed in a READ COMMITTED transaction only");
      here.db.rollback();
    }
  }
  here.db.ask("begin isolation level read uncommitted");
  CHECK(here.db.receive().size() == 1);
  here.db.commit();
}

TEST_CASE("take ends messages with the transaction of its caller") {
  test::workshop here;
  for (const auto* body : {"a", "b", "c"}) here.db.send(body);
  here.db.begin();
  CHECK(here.db.take(2) == std::vector<test::held>{{1, 1, "a"}, {2, 1, "b"}});
  here.db.commit();
  CHECK(here.counts() == "1|0|0|0");
  here.db.begin();
  CHECK(test::bodies(here.db.take(2)) == "c");
  here.db.rollback();
  CHECK(test::bodies(here.db.take(2)) == "c");
  CHECK(here.contents().empty());
}

TEST_CASE("take ends retried and delayed messages as well, with the number of the attempt") {
  test::workshop here;
  here.db.send("a");
  here.db.send("later", "1 h");
  CHECK(here.db.fail(here.db.receive_one()) == "retry");
  here.advance(std::chrono::hours{2});
  const auto taken = here.db.take(5);
  CHECK(taken == std::vector<test::held>{{1, 2, "a"}, {2, 1, "later"}});
  CHECK(here.contents().empty());
}

TEST_CASE("claims as JSON are claims") {
  test::workshop here;
  here.db.send("a");
  CHECK(here.db.ask("select message_id, attempt, enqueued_at <= now(), payload from mail_claim_json_v1(5, '1 min')") ==
        R"(1|1|t|{"body": "a"})");
  CHECK(here.db.ack({1, 1, "a"}));
}

TEST_CASE("a paused queue takes messages and hands out none until it is resumed") {
  test::workshop here;
  here.db.send("a");
  const auto held = here.db.receive_one();
  here.db.send("b");
  here.db.send("c", "1 s");
  CHECK(here.db.ask("select mail_pause(), mail_pause(), is_paused from mail_stats()") == "t|f|f");
  here.advance(std::chrono::seconds{2});
  here.db.send("d");
  CHECK(here.db.receive(5).empty());
  CHECK(here.db.take(5).empty());
  CHECK(here.db.ask("select queue_dequeue('mail')").empty());
  CHECK(here.db.ask("select is_paused from mail_stats()") == "t");
  // What was handed out before ends as ever.
  CHECK(here.db.ack(held));
  CHECK(here.db.ask("select mail_resume(), mail_resume()") == "t|f");
  CHECK(test::bodies(here.db.receive(5)) == "c b d");
}

TEST_CASE("stats count each message once, in the state that it is in") {
  test::workshop here;
  CHECK(here.db.ask("select * from mail_stats()") == "0|0|0|0|null|f");
  for (int i = 0; i < 5; ++i) here.db.send("a");
  here.db.send("b", "1 h");
  const auto held = here.db.receive(3);
  CHECK(here.db.fail(held[0], "1 h") == "retry");
  CHECK(here.counts() == "2|2|2|0");
  for (int i = 0; i < 3; ++i) {
    here.advance(std::chrono::hours{2});
    for (const auto& message : here.db.receive(9)) here.db.fail(message, i == 2 ? "1 h" : "0");
  }
  CHECK(here.db.ask("select ready + delayed + leased + dead from mail_stats()") == "6");
  here.db.send("c");
  here.advance(std::chrono::minutes{10});
  CHECK(here.db.ask("select oldest_age >= '10 min' from mail_stats()") == "t");
}

TEST_CASE("a consumer that waits is woken by what is enqueued, and nobody is notified when no one waits") {
  test::workshop here;
  auto waiting = here.open();
  const auto channel = here.schema() + ".mail";
  waiting.connection().listen(channel);
  const auto is_woken = [&](std::chrono::milliseconds wait) {
    return waiting.connection().wait_for_notification(std::chrono::steady_clock::now() + wait).has_value();
  };
  here.db.send("a");
  CHECK_FALSE(is_woken(std::chrono::milliseconds{0}));
  const auto key = here.db.ask(
      "select substring(pg_get_functiondef('mail_wake()'::regprocedure) from 'pg_try_advisory_lock\\((-?[0-9]+)\\)')");
  waiting.ask(fmt::format("select pg_advisory_lock_shared({})", key));
  const std::string ten = "10 s";
  for (const auto* call :
       {"mail_enqueue_v1('a')", "mail_enqueue_v1('a', '1 h')", "mail_enqueue_many_v1('{a}')",
        "queue_enqueue('mail', '{\"body\": \"a\"}')", "mail_wake()", "mail_wake_v1()",
        "mail_nack(c.message_id, c.attempt) from mail_claim_v1() as c",
        "mail_release(c.message_id, c.attempt) from mail_claim_v1() as c", "mail_pause(); select mail_resume()"}) {
    INFO(call);
    here.db.ask(fmt::format("select {}", call));
    CHECK(is_woken(std::chrono::seconds{10}));
    while (is_woken(std::chrono::milliseconds{0})) {
    }
  }
}

TEST_CASE("a claim that takes longer than its lease does not claim again what it has claimed") {
  test::workshop here;
  here.db.send("without attempts");
  here.db.receive();
  here.make_last();
  here.advance(std::chrono::minutes{1});
  here.db.send("fresh");
  auto holder = here.open();
  auto claiming = here.open();
  holder.ask("begin; lock table mail_dead in exclusive mode");
  auto claimed = claiming.later("select body, attempt from mail_claim_v1(5, '50 ms')");
  here.wait_until_blocked(claiming);
  here.db.ask("select pg_sleep(0.06)");
  holder.rollback();
  CHECK(claimed.get() == "fresh|1");
  CHECK(here.counts() == "1|0|0|1");
}
