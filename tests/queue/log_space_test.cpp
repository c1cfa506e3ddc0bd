#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

// How the space of a queue with storage = "log" is cleared away: nothing that is not done goes with it.

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

}  // namespace

TEST_CASE("a segment is emptied when nothing in it is left, and not before") {
  log_room here;
  const auto empty = [&] { return here.db.ask("select mail_truncate(0)") == "t"; };
  CHECK_FALSE(empty());
  here.db.send("a");
  here.db.send("b");
  CHECK_FALSE(empty());
  const auto held = here.db.receive(2);
  CHECK(held.size() == 2);
  CHECK_FALSE(empty());
  CHECK(here.db.ack(held[0]));
  CHECK_FALSE(empty());
  auto late = here.open();
  late.begin();
  late.send("late");
  CHECK(here.db.ack(held[1]));
  CHECK_FALSE(empty());
  late.commit();
  CHECK_FALSE(empty());
  here.db.begin();
  CHECK(test::bodies(here.db.take(1)) == "late");
  auto other = here.open();
  CHECK(other.ask("select mail_truncate(0)") == "f");
  here.db.rollback();
  CHECK_FALSE(empty());
  CHECK(test::bodies(here.db.take(1)) == "late");
  CHECK(empty());
  CHECK_FALSE(empty());
}

TEST_CASE("a segment is looked at again when nobody else can enqueue to it") {
  log_room here;
  here.db.ask("alter function mail_truncate set lock_timeout = '1min'");
  here.db.send("done");
  CHECK(here.db.ack(here.db.receive_one()));
  auto late = here.open();
  late.begin();
  late.send("late");
  auto clearing = here.open();
  auto waiting = clearing.later("select mail_truncate(0)");
  here.wait_until_blocked(clearing);
  late.commit();
  CHECK(waiting.get() == "f");
  CHECK(test::bodies(here.db.receive(9)) == "late");
}

TEST_CASE("what is set apart needs its segment no more") {
  log_room here;
  for (const auto* body : {"failed", "released", "extended", "lapsed"}) here.db.send(body);
  const auto held = here.db.receive(4);
  CHECK(here.db.fail(held[0], "1 h") == "retry");
  CHECK(here.db.release(held[1]));
  CHECK(here.db.extend(held[2], "2 h"));
  CHECK(here.db.ask("select mail_truncate(0)") == "f");
  here.advance(std::chrono::minutes{1});
  CHECK(test::bodies(here.db.receive(9)) == "released lapsed");
  CHECK(here.db.ask("select mail_truncate(0)") == "t");
  CHECK(here.counts() == "0|1|3|0");
  CHECK(here.db.ack(held[2]));
}

TEST_CASE("producers go on to the next segment when one has grown, and wait for it to be emptied") {
  log_room here;
  CHECK(here.db.ask("select mail_rotate(0)") == "f");
  for (int i = 0; i < 5; ++i) {
    here.db.send("a");
    CHECK(here.db.ask("select mail_rotate()") == "f");
    CHECK(here.db.ask("select mail_rotate(0)") == (i < 4 ? "t" : "f"));
  }
  CHECK(here.db.ask("select string_agg(segment::text, ',' order by message_id) from mail_message") == "0,1,2,3,4");
  CHECK(here.db.ack_many(here.db.receive(9)) == "{}");
  here.db.ask("select mail_maintain()");
  CHECK(here.db.ask("select count(*), min(segment) from mail_message") == "1|4");
  CHECK(here.db.ask("select mail_rotate(0)") == "t");
  here.db.ask("select mail_maintain()");
  CHECK(here.db.ask("select count(*) from mail_message") == "0");
}

TEST_CASE("claims that have ended are cleared away, those that are open stay with what has ended of them") {
  log_room here;
  for (const auto* body : {"a", "b", "c", "d", "e"}) here.db.send(body);
  const auto open = here.db.receive(2);
  CHECK(here.db.ack_many(here.db.receive(2)) == "{}");
  CHECK(here.db.ack(open[0]));
  CHECK(here.db.ask("select mail_compact()") == "f");
  auto ending = here.open();
  ending.begin();
  CHECK(ending.ack(open[1]));
  CHECK(here.db.ask("select mail_compact(0)") == "f");
  ending.rollback();
  CHECK(here.db.ask("select mail_compact(0)") == "t");
  CHECK(here.db.ask("select string_agg(message_ids::text, ' ' order by claim_id) from mail_claim") == "{1,2} {3,4}");
  CHECK_FALSE(here.db.ack(open[0]));
  CHECK(here.db.ack(open[1]));
  CHECK(test::bodies(here.db.receive(9)) == "e");
  CHECK(here.counts() == "0|0|1|0");
}

TEST_CASE("two sessions that clear away at once do not stand in each other's way") {
  log_room here;
  here.db.send("a");
  CHECK(here.db.ack(here.db.receive_one()));
  auto one = here.open();
  auto two = here.open();
  // Who has looked into a table holds it a little, until the transaction ends.
  const auto look = "begin; select count(*) from mail_live";
  for (const auto* clear : {"select mail_truncate(0)", "select mail_compact(0)"}) {
    one.ask(look);
    two.ask(look);
    auto waiting = one.later(clear);
    CHECK(two.ask(clear) == "f");
    CHECK(waiting.get() == "f");
    one.rollback();
    two.rollback();
  }
  CHECK(here.db.ask("select mail_truncate(0), mail_compact(0)") == "t|t");
}
