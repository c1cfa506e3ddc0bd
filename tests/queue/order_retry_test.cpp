// What has failed or waits keeps its place among the messages of its key, which blocks or goes on.

#include <fmt/format.h>

#include "queue/ordered.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using test::ids;
using test::kill;
using test::ordered;
using test::send_all;
using test::skipping;

TEST_CASE("a message that waits for its retry keeps the later ones of its key back") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a", "b"});
  for (const auto& one : here.db.receive(9)) CHECK(here.db.fail(one, "10 s") == "retry");
  CHECK(here.db.receive(9).empty());
  here.advance(11s);
  const auto again = here.db.receive(9);
  REQUIRE(again.size() == 2);
  for (const auto& one : again) CHECK(one.attempt == 2);
  CHECK(here.db.ack_many(again) == "{}");
  CHECK(ids(here.db.receive(9)) == "2");
}

TEST_CASE("a message that was given back keeps its place") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a"});
  CHECK(here.db.release(here.db.receive_one()));
  const auto again = here.db.receive(9);
  CHECK(ids(again) == "1");
  CHECK(again.front().attempt == 2);
}

TEST_CASE("a message that is delayed on purpose has its place, and the later ones wait with it") {
  test::workshop here{ordered()};
  here.db.send("a", "10 s");
  send_all(here, {"a", "b"});
  CHECK(ids(here.db.receive(9)) == "3");
  here.advance(11s);
  const auto held = here.db.receive(9);
  CHECK(ids(held) == "1");
  CHECK(here.db.ack(held.front()));
  CHECK(ids(here.db.receive(9)) == "2");
}

TEST_CASE("delayed messages that are due before their turn wait without being looked at again") {
  test::workshop here{ordered()};
  here.db.send("a");
  for (int i = 0; i < 5; ++i) here.db.send("a", "10 s");
  const auto held = here.db.receive_one();
  here.advance(20s);
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ask("select count(*) from mail_delayed") == "1");
  CHECK(here.db.ask("select count(*) from mail_message") == "5");
  CHECK(here.db.ask("select mail_next_due_v1() > now()") == "t");
  CHECK(here.db.ack(held));
  for (int id = 2; id <= 6; ++id) {
    const auto next = here.db.receive(9);
    REQUIRE(ids(next) == std::to_string(id));
    CHECK(here.db.ack(next.front()));
  }
  CHECK(here.contents().empty());
}

TEST_CASE("messages that only wait for their turn keep what makes them unique") {
  test::workshop here{R"(
[queues.mail]
ordered_by = "customer"
unique = { fields = ["body"], while = "pending" }
[queues.mail.payload]
body     = { type = "text", max_length = 200 }
customer = { type = "int32", default = 7 }
)"};
  const auto send = [&](std::string_view body, std::string_view delay) {
    return here.db.ask(
        fmt::format("select is_duplicate, message_id from mail_enqueue_v1('{}', p_delay => '{}')", body, delay));
  };
  CHECK(send("first", "0") == "f|1");
  CHECK(send("second", "10 s") == "f|2");
  const auto held = here.db.receive_one();
  here.advance(11s);
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ask("select message_id, attempt from mail_message") == "2|0");
  CHECK(send("second", "0") == "t|2");
  CHECK(here.db.ack(held));
  const auto second = here.db.receive_one();
  CHECK(second.body == "second");
  CHECK(send("second", "0") == "t|2");
  CHECK(here.db.ack(second));
  CHECK(send("second", "0") == "f|5");
}

TEST_CASE("messages that wait again below the low-water mark are found") {
  test::workshop here{ordered()};
  // The first is begun when the second comes back before it.
  send_all(here, {"b", "a"});
  here.db.send("a", "10 s");
  for (const auto& one : here.db.receive(9)) {
    if (one.body == "b") CHECK(here.db.ack(one));
  }
  // The mark rises when older transactions have ended, of other tests, too.
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (here.db.ask("select pg_sequence_last_value('mail_low_water') > 3") != "t") {
    REQUIRE(std::chrono::steady_clock::now() < end);
    here.db.send("b");
    here.db.take(1);
    here.make_sweep_due();
  }
  here.advance(20s);
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ask("select message_id from mail_message") == "3");
  CHECK(here.db.ask("select mail_ack(2, 1)") == "t");
  CHECK(ids(here.db.receive(9)) == "3");
}

TEST_CASE("a message without attempts left blocks its key until it is redriven, and keeps its place") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a"});
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const auto held = here.db.receive_one();
    REQUIRE(held.id == 1);
    CHECK(here.db.fail(held, "0", "no such address") == (attempt < 3 ? "retry" : "dead"));
  }
  here.db.send("b");
  CHECK(ids(here.db.receive(9)) == "3");
  CHECK(here.db.take(9).empty());
  CHECK(here.db.ask("select key, message_id, attempts, last_error, blocked_since <= now() from mail_blocked()") ==
        "a|1|3|no such address|t");
  CHECK(here.db.redrive(1));
  CHECK(here.db.ask("select count(*) from mail_blocked()") == "0");
  const auto again = here.db.receive(9);
  CHECK(ids(again) == "1");
  CHECK(again.front().attempt == 4);
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ack(again.front()));
  CHECK(ids(here.db.receive(9)) == "2");
}

TEST_CASE("a purge lets the keys go on that dead letters blocked") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a"});
  kill(here, 1);
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ask("select mail_purge()") == "1");
  CHECK(ids(here.db.receive(9)) == "2");
}

TEST_CASE("a message whose last lease runs out blocks its key, too") {
  test::workshop here{ordered()};
  send_all(here, {"a", "a"});
  for (int i = 0; i < 3; ++i) {
    CHECK(ids(here.db.receive(9)) == "1");
    here.advance(31s);
  }
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ask("select key, message_id, last_error from mail_blocked()") ==
        "a|1|the lease of the last attempt ran out");
}

TEST_CASE("where a failure is skipped the next one goes on, and a redriven one has its turn again") {
  test::workshop here{skipping};
  send_all(here, {"a", "a", "a"});
  kill(here, 1);
  const auto second = here.db.receive(9);
  CHECK(ids(second) == "2");
  CHECK(here.db.redrive(1));
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ack(second.front()));
  CHECK(ids(here.db.receive(9)) == "1");
  CHECK(here.db.ask("select to_regproc('mail_blocked') is null") == "t");
}

TEST_CASE("a claim that buries a message goes on with the next of its key where a failure is skipped") {
  test::workshop here{skipping};
  send_all(here, {"a", "a"});
  for (int i = 0; i < 3; ++i) {
    CHECK(ids(here.db.receive(9)) == "1");
    here.advance(31s);
  }
  CHECK(ids(here.db.receive(9)) == "2");
  CHECK(here.counts() == "0|0|1|1");
}
