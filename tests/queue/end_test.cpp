#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

namespace {

std::string declared_with(std::string_view retry) {
  return fmt::format("[queues.mail]\nretry = {{ {} }}\n[queues.mail.payload]\nbody = \"text\"\n", retry);
}

/// The smallest and the largest delay in milliseconds of many after that failure.
std::pair<long long, long long> delays(test::workshop& here, int attempt) {
  const auto row = here.db.ask(fmt::format(R"(
    select floor(extract(epoch from min(d)) * 1000)::bigint, ceil(extract(epoch from max(d)) * 1000)::bigint
    from (select mail_retry_delay({} + 0 * n) as d from generate_series(1, 200) as n) as t
  )",
                                           attempt));
  return {std::stoll(row), std::stoll(row.substr(row.find('|') + 1))};
}

}  // namespace

TEST_CASE("an acknowledged message is gone") {
  test::workshop here;
  here.db.send("a");
  CHECK(here.db.ack(here.db.receive_one()));
  CHECK(here.contents().empty());
}

TEST_CASE("many messages are acknowledged at once, and those that could not be are named") {
  test::workshop here;
  for (const auto* body : {"a", "b", "c", "d"}) here.db.send(body);
  auto held = here.db.receive(3);
  CHECK(here.db.fail(held[0]) == "retry");
  const auto again = here.db.receive_one();
  REQUIRE(again.id == 1);
  CHECK(here.db.release(held[1]));
  // One that is claimed again under another attempt, one that was given back, one nobody holds, one that is not there.
  CHECK(here.db.ask("select mail_ack_many('{1, 2, 3, 4, 99}', '{1, 1, 1, 1, 1}')") == "{1,2,4,99}");
  CHECK(here.db.ack_many({again}) == "{}");
  CHECK(here.counts() == "2|0|0|0");
}

TEST_CASE("acknowledgements of nothing, of half a pair and of the same message twice are well defined") {
  test::workshop here;
  for (const auto* body : {"a", "b"}) here.db.send(body);
  here.db.receive(2);
  CHECK(here.db.ask("select mail_ack_many('{}', '{}'), mail_ack_many(null, null)") == "{}|{}");
  CHECK(here.db.ask("select mail_ack(1, null), mail_ack(null, 1), mail_ack(null, null)") == "f|f|f");
  CHECK(here.db.ask("select mail_ack_many('{1, 2}', '{1}')") == "{2}");
  CHECK(here.db.ask("select mail_ack_many('{2, 2}', '{1, 1}')") == "{}");
  CHECK(here.contents().empty());
}

TEST_CASE("a failed message waits as the queue says, keeps its error and comes back as the next attempt") {
  test::workshop here;
  here.db.send("a");
  CHECK(here.db.ask("select mail_nack(message_id, attempt, 'boom') from mail_claim_v1()") == "retry");
  CHECK(here.db.ask(
            "select attempt, last_error, due_at - clock_timestamp() between '9 s' and '10 s' from mail_delayed") ==
        "1|boom|t");
  here.advance(std::chrono::seconds{11});
  CHECK(here.db.receive_one() == test::held{1, 2, "a"});
}

TEST_CASE("a failed message waits as its consumer says, and a negative wait is refused") {
  test::workshop here;
  here.db.send("a");
  const auto held = here.db.receive_one();
  CHECK(here.db.refusal("select mail_nack(1, 1, null, '-1 s')") == "QN005: a delay cannot be negative");
  CHECK(here.db.fail(held, "1 hour") == "retry");
  here.advance(std::chrono::minutes{59});
  CHECK(here.db.receive().empty());
  here.advance(std::chrono::minutes{2});
  CHECK(here.db.receive_one().attempt == 2);
}

TEST_CASE("the last failure makes a dead letter, whether the message was tried before or not") {
  test::workshop here;
  const auto first = here.db.send("a");
  CHECK(here.db.fail(here.db.receive_one(), "0", "one") == "retry");
  CHECK(here.db.fail(here.db.receive_one(), "0", "two") == "retry");
  CHECK(here.db.fail(here.db.receive_one(), "0", "three") == "dead");
  CHECK(here.db.ask("select message_id, attempt, last_error, body from mail_dead") ==
        fmt::format("{}|3|three|a", first));
  CHECK(here.counts() == "0|0|0|1");
  // The lease of the first two attempts ran out, so that the message was never set aside.
  here.db.send("b");
  here.db.receive();
  here.advance(std::chrono::minutes{1});
  here.db.receive();
  here.advance(std::chrono::minutes{1});
  CHECK(here.db.fail(here.db.receive_one()) == "dead");
  CHECK(here.counts() == "0|0|0|2");
}

TEST_CASE("a longer lease holds as long as it says, also for a retried message") {
  test::workshop here;
  here.db.send("a");
  for (int attempt = 1; attempt <= 2; ++attempt) {
    const auto held = here.db.receive_one();
    CHECK(here.db.ask(fmt::format("select mail_extend({}, {}, '1 h') - clock_timestamp() between '59 min' and '1 h'",
                                  held.id, held.attempt)) == "t");
    here.advance(std::chrono::minutes{50});
    CHECK(here.db.receive().empty());
    CHECK(here.db.ask(fmt::format("select mail_extend({}, {}) - clock_timestamp() between '29 s' and '30 s'", held.id,
                                  held.attempt)) == "t");
    CHECK(here.db.fail(held) == "retry");
  }
}

TEST_CASE("a released message comes back at once and has not used up an attempt") {
  test::workshop here;
  here.db.send("a");
  for (int i = 1; i <= 10; ++i) {
    const auto held = here.db.receive_one();
    CHECK(held.attempt == i);
    CHECK(here.db.release(held));
  }
  CHECK(here.counts() == "1|0|0|0");
  CHECK(here.db.fail(here.db.receive_one()) == "retry");
  CHECK(here.db.release(here.db.receive_one()));
  CHECK(here.db.fail(here.db.receive_one()) == "retry");
  CHECK(here.db.fail(here.db.receive_one()) == "dead");
}

TEST_CASE("a released message does not wait behind those that came after it") {
  test::workshop here;
  for (const auto* body : {"a", "b", "c"}) here.db.send(body);
  const auto held = here.db.receive_one();
  CHECK(here.db.release(held));
  CHECK(test::bodies(here.db.receive(1)) == "a");
}

TEST_CASE("a dead letter that is redriven has all its attempts again") {
  test::workshop here;
  const auto id = here.db.send("a");
  for (int i = 1; i <= 3; ++i) here.db.fail(here.db.receive_one());
  CHECK(here.db.redrive(id));
  CHECK_FALSE(here.db.redrive(id));
  CHECK(here.counts() == "1|0|0|0");
  CHECK(here.db.fail(here.db.receive_one()) == "retry");
  CHECK(here.db.fail(here.db.receive_one()) == "retry");
  const auto last = here.db.receive_one();
  CHECK(last == test::held{id, 6, "a"});
  CHECK(here.db.fail(last) == "dead");
  CHECK(here.db.redrive(id));
  CHECK(here.db.ack(here.db.receive_one()));
  CHECK(here.contents().empty());
}

TEST_CASE("all dead letters are redriven, or the oldest of them") {
  test::workshop here{declared_with("max_attempts = 1")};
  for (const auto* body : {"a", "b", "c"}) {
    here.db.send(body);
    here.db.fail(here.db.receive_one());
  }
  CHECK(here.counts() == "0|0|0|3");
  CHECK(here.db.ask("select mail_redrive_all(2)") == "2");
  CHECK(test::bodies(here.db.receive(9)) == "a b");
  CHECK(here.db.ask("select mail_redrive_all(0), mail_redrive_all(), mail_redrive_all()") == "0|1|0");
  CHECK(test::bodies(here.db.receive(9)) == "c");
}

TEST_CASE("purging deletes the dead letters that are old enough") {
  test::workshop here{declared_with("max_attempts = 1")};
  here.db.send("a");
  here.db.fail(here.db.receive_one());
  here.advance(std::chrono::hours{2});
  here.db.send("b");
  here.db.fail(here.db.receive_one());
  CHECK(here.db.ask("select mail_purge('3 h')") == "0");
  CHECK(here.db.ask("select mail_purge('1 h')") == "1");
  CHECK(here.db.ask("select body from mail_dead") == "b");
  CHECK(here.db.ask("select mail_purge()") == "1");
  CHECK(here.contents().empty());
}

TEST_CASE("the current attempt on a message is known to those who ask by its id") {
  test::workshop here;
  here.db.send("a");
  CHECK(here.db.ask("select mail_attempt(1), mail_attempt(2)") == "null|null");
  const auto held = here.db.receive_one();
  CHECK(here.db.ask("select mail_attempt(1)") == "1");
  CHECK(here.db.fail(held) == "retry");
  CHECK(here.db.ask("select mail_attempt(1)") == "null");
  here.db.receive();
  CHECK(here.db.ask("select mail_attempt(1), queue_ack(1, 1), queue_ack(1, 2)") == "2|f|t");
}

TEST_CASE("a constant backoff is the same after every failure") {
  test::workshop here{declared_with("backoff = \"constant\", initial = \"5s\", jitter = 0")};
  for (const int attempt : {1, 2, 100, 2147483647}) CHECK(delays(here, attempt) == std::pair{5000LL, 5000LL});
}

TEST_CASE("a linear backoff grows by its beginning up to its end") {
  test::workshop here{declared_with("backoff = \"linear\", initial = \"5s\", max = \"12s\", jitter = 0")};
  CHECK(delays(here, 1) == std::pair{5000LL, 5000LL});
  CHECK(delays(here, 2) == std::pair{10000LL, 10000LL});
  for (const int attempt : {3, 60, 2147483647}) CHECK(delays(here, attempt) == std::pair{12000LL, 12000LL});
}

TEST_CASE("an exponential backoff doubles up to its end, however many attempts there are") {
  test::workshop here{
      declared_with("max_attempts = 100, backoff = \"exponential\", initial = \"1s\", max = \"1h\", jitter = 0")};
  long long expected = 1000;
  for (int attempt = 1; attempt <= 12; ++attempt, expected *= 2)
    CHECK(delays(here, attempt) == std::pair{expected, expected});
  for (const int attempt : {13, 31, 60, 64, 100, 1025, 2147483647})
    CHECK(delays(here, attempt) == std::pair{3600000LL, 3600000LL});
}

TEST_CASE("an exponential backoff from next to nothing to very long does not overflow") {
  test::workshop here{declared_with("backoff = \"exponential\", initial = \"1ms\", max = \"3650d\", jitter = 0")};
  CHECK(delays(here, 21) == std::pair{1048576LL, 1048576LL});
  for (const int attempt : {60, 64, 65, 2147483647})
    CHECK(delays(here, attempt) == std::pair{315360000000LL, 315360000000LL});
}

TEST_CASE("jitter shortens a delay by up to its share, and not always by the same") {
  test::workshop here{declared_with("backoff = \"constant\", initial = \"10s\", jitter = 0.2")};
  const auto [least, most] = delays(here, 1);
  CHECK(least >= 8000);
  CHECK(most <= 10000);
  CHECK(most - least > 500);
}

TEST_CASE("attempts beyond a hundred go on to count") {
  test::workshop here{declared_with("max_attempts = 100, backoff = \"exponential\", jitter = 0")};
  here.db.send("a");
  for (int attempt = 1; attempt <= 99; ++attempt) {
    const auto held = here.db.receive_one();
    CHECK(held.attempt == attempt);
    CHECK(here.db.ask(fmt::format("select mail_nack({}, {})", held.id, held.attempt)) == "retry");
    here.advance(std::chrono::hours{2});
  }
  CHECK(here.db.fail(here.db.receive_one()) == "dead");
}

TEST_CASE("a message on its last attempt is not buried with one that is claimed beside it and has none left") {
  test::workshop here;
  here.db.send("spent");
  here.db.send("last");
  for (int attempt = 1; attempt <= 2; ++attempt) {
    for (const auto& one : here.db.receive(2)) CHECK(here.db.fail(one) == "retry");
  }
  CHECK(test::bodies(here.db.receive(1)) == "spent");
  here.advance(std::chrono::seconds{31});
  const auto held = here.db.receive(2);
  REQUIRE(test::bodies(held) == "last");
  CHECK(held.front().attempt == 3);
  CHECK(here.counts() == "0|0|1|1");
  CHECK(here.db.ack(held.front()));
}
