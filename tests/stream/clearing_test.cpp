#include "stream/team.hpp"
#include "support/catch.hpp"

// Truncate keeps nothing for older snapshots: whoever waits for the positions and claims while these are being cleared
// away finds what was there.

namespace {

/// Asks while another session has cleared away and not committed.
std::string ask_beside_clearing(test::team& here, const std::string& question) {
  auto clearing = here.open();
  clearing.begin();
  REQUIRE(clearing.ask("select log_compact(0)") == "t");
  auto asking = here.open();
  auto answer = asking.later(question);
  here.wait_until_blocked(asking);
  clearing.commit();
  return answer.get();
}

}  // namespace

TEST_CASE("what is still to be done of a claim is known beside a clearing") {
  test::team here;
  here.say("a b c");
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2 3");
  CHECK(ann.nack(1) == "retry");
  CHECK(ask_beside_clearing(here, fmt::format("select log_held('crew', {})", ann.batch)) == "{2,3}");
}

TEST_CASE("when a lease runs out, and how far was looked, are known beside a clearing") {
  test::team here;
  here.say("a b");
  CHECK(here.hire().claim(1) == "1");
  const auto due = GENERATE("select log_next_due_v1('free') > clock_timestamp() + interval '50 s'",
                            "select log_looked_up_to('crew') = 1");
  if (std::string_view{due}.find("free") != std::string_view::npos) CHECK(here.hire("free").claim(1) == "1");
  CHECK(ask_beside_clearing(here, due) == "t");
}

TEST_CASE("how far consumers are is known beside a clearing") {
  test::team here;
  here.say("a b c");
  auto ann = here.hire();
  CHECK(ann.claim(2) == "1 2");
  CHECK(ann.ack(1) == "1");
  CHECK(ask_beside_clearing(
            here, "select up_to, claims, moved_at is not null from log_lag() where consumer = 'crew'") == "1|1|t");
}

TEST_CASE("a claim and its end that wait for a clearing go on where all was") {
  test::team here;
  here.say("a b c");
  auto ann = here.hire();
  CHECK(ann.claim(2) == "1 2");
  CHECK(ask_beside_clearing(here, "select event_offset from log_claim_v1('crew')") == "3");
  CHECK(ask_beside_clearing(here, ann.acking()) == "2");
  CHECK(ask_beside_clearing(here, "select log_done_up_to('crew')") == "2");
}
