#include "stream/sieve.hpp"
#include "support/catch.hpp"

// Claims of cooperative consumers that ask for some of the events only.

using test::sieve;

TEST_CASE("a claim has what matches alone, and ends when that is done") {
  sieve here;
  here.say("a b1 a b2 a b3 a");
  CHECK(here.claim(2) == "2:1 4:1");
  CHECK(here.state("crew") == "1|6|1|0|0");
  CHECK(here.ack_claim(2) == "1");
  CHECK(here.state("crew") == "2|5|1|0|0");
  CHECK(here.ack_claim(4) == "1");
  CHECK(here.state("crew") == "4|3|0|0|0");
  CHECK(here.claim() == "6:1");
  CHECK(here.end(fmt::format("ack('crew', {})", here.claim_id)) == "1");
  CHECK(here.state("crew") == "7|0|0|0|0");
  CHECK(here.claim().empty());
}

TEST_CASE("a claim over nothing that matches only moves the cursor") {
  sieve here;
  here.fill(12'000);
  CHECK(here.claim().empty());
  CHECK(here.state("crew") == "10000|2000|0|0|0");
  CHECK(here.db.ask("select log_next_due_v1('crew') <= clock_timestamp()") == "t");
  CHECK(here.claim().empty());
  CHECK(here.state("crew") == "12000|0|0|0|0");
  CHECK(here.db.ask("select log_next_due_v1('crew')") == "null");
  const auto rows = here.db.ask("select count(*) from log_claim");
  CHECK(here.claim().empty());
  CHECK(here.db.ask("select count(*) from log_claim") == rows);
}

TEST_CASE("a claim that was left is taken over with what matches") {
  sieve here;
  here.say("a b1 a b2 a b3 a b4");
  CHECK(here.claim() == "2:1 4:1 6:1 8:1");
  const auto old = here.claim_id;
  CHECK(here.ack_claim(3) == "1");
  here.pass(61);
  CHECK(here.claim(2) == "4:2 6:2");
  CHECK(here.end(fmt::format("ack('crew', {}, 8)", old)) == "0");
  const auto second = here.claim_id;
  CHECK(here.claim() == "8:2");
  CHECK(here.ack_claim(8) == "1");
  CHECK(here.end(fmt::format("ack('crew', {}, 6)", second)) == "2");
  CHECK(here.state("crew") == "8|0|0|0|0");
}

TEST_CASE("nothing is left behind a takeover where only what failed is") {
  sieve here;
  here.say("a b1 a b2 a b3");
  CHECK(here.claim() == "2:1 4:1 6:1");
  CHECK(here.end(fmt::format("nack('crew', {}, 6, null, '1 h')", here.claim_id)) == "retry");
  here.pass(61);
  CHECK(here.claim(2) == "2:2 4:2");
  CHECK(here.state("crew") == "1|5|1|1|0");
  CHECK(here.ack_claim(4) == "2");
  CHECK(here.state("crew") == "6|0|0|1|0");
}

TEST_CASE("what is released or held for longer stays what it is") {
  sieve here;
  here.say("a b1 a b2 a");
  CHECK(here.claim() == "2:1 4:1");
  CHECK(here.end(fmt::format("extend('crew', {}, '2 minutes') > now()", here.claim_id)) == "t");
  CHECK(here.end(fmt::format("nack('crew', {}, 3)", here.claim_id)) == "lost");
  CHECK(here.end(fmt::format("release('crew', {})", here.claim_id)) == "t");
  CHECK(here.claim() == "2:1 4:1");
}

TEST_CASE("an event that does not match cannot fail, and one that does goes its own way") {
  sieve here;
  here.say("a b1 a b2 a b3");
  CHECK(here.claim() == "2:1 4:1 6:1");
  CHECK(here.end(fmt::format("nack('crew', {}, 3)", here.claim_id)) == "lost");
  CHECK(here.end(fmt::format("nack('crew', {}, 4)", here.claim_id)) == "retry");
  CHECK(here.end(fmt::format("nack('crew', {}, 6)", here.claim_id)) == "retry");
  CHECK(here.state("crew") == "1|5|1|2|0");
  CHECK(here.ack_claim(2) == "1");
  CHECK(here.state("crew") == "6|0|0|2|0");
  here.pass(10);
  CHECK(here.claim() == "4:2 6:2");
  CHECK(here.end(fmt::format("nack('crew', {}, 4)", here.claim_id)) == "dead");
  CHECK(here.ack_claim(6) == "1");
  CHECK(here.state("crew") == "6|0|0|0|1");
}

TEST_CASE("the last event of a claim that fails ends it") {
  sieve here;
  here.say("a b1 a b2");
  CHECK(here.claim() == "2:1 4:1");
  CHECK(here.ack_claim(2) == "1");
  CHECK(here.end(fmt::format("nack('crew', {}, 4)", here.claim_id)) == "retry");
  CHECK(here.state("crew") == "4|0|0|1|0");
}

TEST_CASE("after the last attempt the dead letters are what matched") {
  sieve here;
  here.say("a b1 a b2 a");
  CHECK(here.claim() == "2:1 4:1");
  CHECK(here.end(fmt::format("nack('crew', {}, 2, null, '1 h')", here.claim_id)) == "retry");
  here.pass(61);
  CHECK(here.claim() == "4:2");
  here.pass(61);
  CHECK(here.claim().empty());
  CHECK(here.db.ask("select event_offset, dead_at is not null from log_failed order by 1") == "2|f 4|t");
  CHECK(here.state("crew") == "5|0|0|1|1");
}
