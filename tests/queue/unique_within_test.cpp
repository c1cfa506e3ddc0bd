// A queue in which there is one message of those that are the same for a time.

#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

namespace {

constexpr std::string_view timed_queue = R"(
[queues.mail]
retry  = { max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }
unique = { fields = ["kind", "body"], within = "1h" }
[queues.mail.payload]
body = { type = "text", max_length = 20 }
kind = { type = "int16", default = 0 }
)";

struct timed_workshop : test::workshop {
  timed_workshop() : test::workshop{timed_queue} {}

  std::string put(std::string_view body) { return db.ask(enqueue(body)); }

  static std::string enqueue(std::string_view body) {
    return fmt::format(
        "select case when e.is_duplicate then 'again ' || e.message_id else 'new' end from mail_enqueue_v1('{}') as e",
        body);
  }

  void pass(std::string_view time) {
    db.ask(fmt::format("update mail_unique_v1 set lease_until = lease_until - interval '{}'", time));
  }

  std::string keys() { return db.ask("select body, kind, message_id from mail_unique_v1 order by body"); }
};

}  // namespace

TEST_CASE("a message that is the same as one of the last hour is left out, also when that one has ended") {
  timed_workshop here;
  CHECK(here.put("a") == "new");
  CHECK(here.put("a") == "again 1");
  CHECK(here.db.ask("select is_duplicate from mail_enqueue_v1('a', 1::smallint)") == "f");
  CHECK(here.db.ack_many(here.db.receive(9)) == "{}");
  CHECK(here.put("a") == "again 1");
  here.pass("59 min");
  CHECK(here.put("a") == "again 1");
  here.pass("1 min");
  CHECK(here.put("a") == "new");
  CHECK(here.put("a").starts_with("again "));
  CHECK(here.counts() == "1|0|0|0");
}

TEST_CASE("a message that is older than the time moves on although another one is the same") {
  timed_workshop here;
  here.put("a");
  here.pass("1 h");
  CHECK(here.put("a") == "new");
  const auto claimed = here.db.receive(2);
  REQUIRE(claimed.size() == 2);
  for (const auto& each : claimed) CHECK(here.db.fail(each, "1 h") == "retry");
  CHECK(here.counts() == "0|2|0|0");
}

TEST_CASE("dead letters are redriven whatever is the same as they are") {
  timed_workshop here;
  here.put("a");
  for (int k = 0; k < 3; ++k) here.db.fail(here.db.receive_one());
  here.pass("1 h");
  CHECK(here.put("a") == "new");
  CHECK(here.db.redrive(1));
  CHECK(here.counts() == "2|0|0|0");
}

TEST_CASE("a message that expired before it was tried is redriven whatever is the same") {
  test::workshop here{R"(
[queues.mail]
expires = "1m"
unique = { fields = ["body"], within = "1h" }
[queues.mail.payload]
body = { type = "text", max_length = 20 }
)"};
  here.db.send("a");
  here.advance(std::chrono::minutes{2});
  CHECK(here.db.receive(9).empty());
  CHECK(here.counts() == "0|0|0|1");
  CHECK(here.db.redrive(1));
  CHECK(here.counts() == "1|0|0|0");
  CHECK(here.db.receive(9) == std::vector{test::held{1, 1, "a"}});
}

TEST_CASE("a message that expired keeps its key until the time of that is over") {
  test::workshop here{R"(
[queues.mail]
expires = "1m"
unique = { fields = ["body"], within = "1h" }
[queues.mail.payload]
body = { type = "text", max_length = 20 }
)"};
  const auto put = [&] { return here.db.ask("select message_id, is_duplicate from mail_enqueue_v1('a')"); };
  CHECK(put() == "1|f");
  here.advance(std::chrono::minutes{2});
  CHECK(put() == "1|t");
  CHECK(here.db.receive(9).empty());
  CHECK(here.counts() == "0|0|0|1");
  CHECK(put() == "1|t");
  here.db.ask("update mail_unique_v1 set lease_until = lease_until - interval '1 h'");
  CHECK(put().ends_with("|f"));
}

TEST_CASE("a message that is due before its turn stays, whatever is the same by then") {
  test::workshop here{R"(
[queues.mail]
ordered_by = "kind"
unique = { fields = ["body"], within = "1h" }
[queues.mail.payload]
body = { type = "text", max_length = 20 }
kind = { type = "int16", default = 0 }
)"};
  here.db.send("a");
  CHECK(here.db.receive(1).size() == 1);
  here.db.ask("select mail_enqueue_v1('b', p_delay => interval '1 s')");
  here.db.ask("update mail_unique_v1 set lease_until = lease_until - interval '1 h'");
  CHECK(here.db.ask("select is_duplicate from mail_enqueue_v1('b', 1::smallint)") == "f");
  here.db.ask("update mail_delayed set due_at = due_at - interval '2 s' where lease_until = '-infinity'");
  CHECK(test::bodies(here.db.receive(1)) == "b");
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ask("select count(*) from (select message_id from mail_message union all select message_id from "
                    "mail_delayed) as m") == "3");
}

TEST_CASE("of two producers who follow a message whose time is over, one waits for the other and is its duplicate") {
  timed_workshop here;
  here.put("a");
  here.pass("1 h");
  auto other = here.open();
  for (const bool is_kept : {false, true}) {
    here.db.begin();
    CHECK(here.put("a") == "new");
    auto waiting = other.later(timed_workshop::enqueue("a"));
    here.wait_until_blocked(other);
    here.db.ask(is_kept ? "commit" : "rollback");
    CHECK(waiting.get().starts_with(is_kept ? "again " : "new"));
    here.pass("1 h");
  }
}

TEST_CASE("keys are forgotten by claims when their time has been over for as long again") {
  timed_workshop here;
  here.put("a");
  here.pass("90 min");
  here.put("b");
  here.make_sweep_due();
  here.db.receive();
  CHECK(here.keys() == "a|0|1 b|0|2");
  here.pass("31 min");
  here.make_sweep_due();
  here.db.receive();
  CHECK(here.keys() == "b|0|2");
}
