#include <utility>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

// Truncate keeps nothing for older snapshots: whoever waits for the claims of a log while these are being cleared away
// finds what was there.

namespace {

constexpr std::string_view logged = R"(
[queues.mail]
storage = "log"
lease   = "1h"
retry   = { max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }
[queues.mail.payload]
body = "text"
)";

/// A queue with the messages 1, which is leased, and 2, which is not.
struct log_room : test::workshop {
  log_room() : workshop{logged} {
    db.send("leased");
    db.send("waiting");
    leased = db.receive_one();
  }

  test::held leased;
};

}  // namespace

TEST_CASE("what waits and what is leased is known beside a clearing of the claims") {
  log_room here;
  const std::pair<std::string, std::string> questions[] = {
      {"select ready, leased from mail_stats()", "1|1"},
      {"select message_id, state from mail_peek('{ready, leased}') order by 1", "1|leased 2|ready"},
      {"select mail_next_due_v1() > clock_timestamp()", "t"},
      {"select mail_attempt(1)", "1"},
      {"select message_id from mail_claim_v1(9)", "2"},
      {"select mail_ack(1, 1)", "t"}};
  for (const auto& [question, answer] : questions) {
    INFO(question);
    auto clearing = here.open();
    clearing.begin();
    REQUIRE(clearing.ask("select mail_compact(0)") == "t");
    auto asking = here.open();
    auto got = asking.later(question);
    here.wait_until_blocked(asking);
    clearing.commit();
    CHECK(got.get() == answer);
  }
}

TEST_CASE("nothing is cleared away by a transaction whose snapshot may be old") {
  log_room here;
  here.db.ask("select mail_rotate(0)");
  auto late = here.open();
  late.ask("begin isolation level repeatable read; select 1");
  here.db.ask("select mail_compact(0)");
  CHECK(late.refusal("select mail_maintain()") ==
        "QN004: a queue can be cleared away in a READ COMMITTED transaction only");
  late.rollback();
  CHECK(here.db.ask("select ready, leased from mail_stats()") == "1|1");
}
