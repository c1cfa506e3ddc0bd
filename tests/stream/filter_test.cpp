#include <future>
#include <string>

#include "stream/journal.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// Consumers that ask for some of the events only.

namespace {

constexpr std::string_view filtered = R"(
[enums.channel]
values = ["email", "sms"]
[streams.log]
retention = "1h"
grants    = { produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }
[streams.log.payload]
body    = "text"
channel = "channel?"
amount  = "int32?"
[streams.log.consumers.all]
[streams.log.consumers.b]
where   = "body like 'b%'"
[streams.log.consumers.sms]
where   = "channel = 'sms'"
[streams.log.consumers.crew]
where   = "body like 'b%'"
workers = "cooperative"
lease   = "1m"
retry   = { max_attempts = 2, backoff = "constant", initial = "10s", jitter = 0 }
)";

/// A stream with consumers that have filters, and one that has none.
class sieve : public test::journal {
 public:
  sieve() : journal{filtered} {}

  /// Publishes texts: `a b a`; each gets its offset.
  void say(std::string_view bodies) {
    db.ask(fmt::format("select log_publish_many_v1(string_to_array('{}', ' '))", bodies));
    db.ask("select log_seal()");
  }

  /// Many events `a`, with a `b` at every so many.
  void fill(int count, int every = 1'000'000'000) {
    db.ask(
        fmt::format("select log_publish_many_v1(array(select case when g % {1} = 0 then 'b' else 'a' end || g "
                    "from generate_series(1, {0}) as g))",
                    count, every));
    db.ask("select log_seal()");
  }

  std::string get(std::string_view consumer = "b", int count = 1000) { return receive(consumer, count); }

  /// `offset|attempt …`, and notes the claim.
  std::string claim(test::session& with, int count = 1000) {
    const auto got = with.ask(
        fmt::format("select string_agg(event_offset || ':' || attempt, ' ' order by event_offset) || '|' || max(batch) "
                    "from log_claim_v1('crew', {})",
                    count));
    if (got == "null") return {};
    const auto end = got.find('|');
    claim_id = got.substr(end + 1);
    return got.substr(0, end);
  }

  std::string claim(int count = 1000) { return claim(db, count); }

  std::string end(std::string_view call) { return db.ask(fmt::format("select log_{}", call)); }

  std::string ack_claim(std::int64_t offset) { return end(fmt::format("ack('crew', {}, {})", claim_id, offset)); }

  void pass(int seconds) {
    db.ask(
        fmt::format("update log_claim set lease_until = lease_until - interval '{0} s';"
                    "update log_failed set due_at = due_at - interval '{0} s'",
                    seconds));
  }

  /// `up_to|behind|claims|retries|dead`
  std::string state(std::string_view consumer) {
    return db.ask(
        fmt::format("select up_to, behind, claims, retries, dead from log_lag() where consumer = '{}'", consumer));
  }

  std::string claim_id = "null";
};

}  // namespace

TEST_CASE("a consumer with a filter gets the events that match, with their own offsets") {
  sieve here;
  here.say("a b1 a b2 c");
  CHECK(here.get() == "2|b1 4|b2");
  CHECK(here.get("all") == "1|a 2|b1 3|a 4|b2 5|c");
  CHECK(here.read() == "1|a 2|b1 3|a 4|b2 5|c");
  CHECK(here.db.ask("select count(*) from stream_consume('log', 0)") == "5");
  CHECK(here.db.ask("select event_offset, payload->>'body' from log_receive_json_v1('b')") == "2|b1 4|b2");
}

TEST_CASE("an enum is compared by its labels, and null is no match") {
  sieve here;
  here.db.ask("select log_publish_v1('x', 'email')");
  here.db.ask("select log_publish_v1('y', 'sms')");
  here.db.ask("select log_publish_v1('z')");
  CHECK(here.get("sms") == "2|y");
}

TEST_CASE("a consumer that is subscribed at run time has no filter") {
  sieve here;
  here.db.ask("select log_subscribe('late', 'start')");
  here.say("a b");
  CHECK(here.get("late") == "1|a 2|b");
}

TEST_CASE("an acknowledgement covers what lies before it, and a stale one nothing") {
  sieve here;
  here.say("a b1 a b2 a");
  const auto batch = here.batch("b");
  CHECK(here.ack("b", 2) == "2");
  CHECK(here.state("b") == "2|3|0|0|0");
  CHECK(here.get() == "4|b2");
  CHECK(here.db.ask(fmt::format("select log_ack('b', {}, 4)", batch)) == "0");
  CHECK(here.ack("b", 3) == "1");
  CHECK(here.get() == "4|b2");
  CHECK(here.ack("b", 4) == "1");
  CHECK(here.get().empty());
  CHECK(here.state("b") == "5|0|0|0|0");
}

TEST_CASE("over events that do not match the position moves on by itself") {
  sieve here;
  here.say("a a a");
  const auto before = here.batch("b");
  CHECK(here.get().empty());
  CHECK(here.state("b") == "3|0|0|0|0");
  CHECK(here.batch("b") != before);
  CHECK(here.db.ask(fmt::format("select log_ack('b', {}, 3)", before)) == "0");
  const auto there = here.batch("b");
  CHECK(here.get().empty());
  CHECK(here.batch("b") == there);
}

TEST_CASE("a call looks at some thousands of events, and the next one goes on behind them") {
  sieve here;
  here.fill(25'000, 24'000);
  CHECK(here.get().empty());
  CHECK(here.state("b") == "10000|15000|0|0|0");
  CHECK(here.db.ask("select log_looked_up_to('b')") == "10000");
  CHECK(here.get().empty());
  CHECK(here.get() == "24000|b24000");
  CHECK(here.state("b") == "20000|5000|0|0|0");
  CHECK(here.ack("b", 24000) == "4000");
  CHECK(here.get().empty());
  CHECK(here.db.ask("select log_looked_up_to('b')") == "null");
  CHECK(here.db.ask("select log_looked_up_to('all')") == "null");
}

TEST_CASE("pages of one event each are looked at a hundred at a time") {
  sieve here;
  for (int i = 0; i < 130; ++i) here.say("a");
  CHECK(here.get().empty());
  CHECK(here.state("b") == "100|30|0|0|0");
  here.say("b");
  CHECK(here.get() == "131|b");
}

TEST_CASE("a batch has so many events that match, and no more are looked at") {
  sieve here;
  here.fill(5000, 2);
  CHECK(here.get("b", 3) == "2|b2 4|b4 6|b6");
  CHECK(here.db.ask("select count(*), max(event_offset) from log_receive_v1('b', 1200)") == "1200|2400");
  CHECK(here.db.refusal("select log_receive_v1('b', 0)") == "QN005: the number of events to read must be at least 1");
}

TEST_CASE("segments are emptied that hold nothing for a filter") {
  sieve here;
  here.say("a a a");
  here.db.ask("select log_unsubscribe('all'), log_unsubscribe('sms')");
  CHECK(here.rotate());
  here.age(std::chrono::minutes{61});
  CHECK(here.db.ask("select log_truncate(0::smallint)") == "f");
  CHECK(here.get().empty());
  CHECK(here.db.ask("select log_truncate(0::smallint)") == "f");
  CHECK(here.claim().empty());
  CHECK(here.db.ask("select log_truncate(0::smallint)") == "t");
  here.say("b");
  CHECK(here.get() == "4|b");
}

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

TEST_CASE("a consumer with a filter is moved like any other") {
  sieve here;
  here.say("a b1 a b2");
  CHECK(here.get() == "2|b1 4|b2");
  here.ack("b", 4);
  CHECK(here.db.ask("select log_seek('b', 1)") == "1");
  CHECK(here.get() == "2|b1 4|b2");
  CHECK(here.claim() == "2:1 4:1");
  CHECK(here.db.ask("select log_seek('crew', 2)") == "2");
  CHECK(here.ack_claim(4) == "0");
  CHECK(here.claim() == "4:1");
}

TEST_CASE("a filter stays when a consumer becomes cooperative, and when it becomes plain") {
  sieve here;
  here.say("a b1");
  here.db.ask("select log_share('b')");
  CHECK(here.db.ask("select event_offset from log_claim_v1('b')") == "2");
  CHECK(here.db.ask("select log_ack('b', (select max(claim_id) from log_claim where consumer = 'b'))") == "1");
  here.db.ask("select log_unshare('b')");
  here.say("a b2");
  CHECK(here.get() == "4|b2");
}

TEST_CASE("of two workers with a filter each gets other events") {
  sieve here;
  auto one = here.open();
  auto two = here.open();
  here.say("a b1 a b2 a b3");
  one.begin();
  CHECK(here.claim(one, 2) == "2:1 4:1");
  auto later = two.later("select event_offset from log_claim_v1('crew', 2)");
  here.wait_until_blocked(two);
  one.commit();
  CHECK(later.get() == "6");
}

TEST_CASE("of two who move a position on over nothing one does, and the other loses nothing") {
  sieve here;
  auto one = here.open();
  auto two = here.open();
  here.say("a a");
  one.begin();
  CHECK(here.receive(one, "b").empty());
  auto later = two.later("select event_offset from log_receive_v1('b')");
  here.wait_until_blocked(two);
  one.rollback();
  CHECK(later.get().empty());
  CHECK(here.state("b") == "2|0|0|0|0");
  here.say("a b");
  CHECK(here.get() == "4|b");
}

TEST_CASE("who finds the position moved on already does nothing") {
  sieve here;
  auto one = here.open();
  auto two = here.open();
  here.say("a a");
  one.begin();
  CHECK(here.receive(one, "b").empty());
  auto later = two.later("select event_offset from log_receive_v1('b')");
  here.wait_until_blocked(two);
  one.commit();
  CHECK(later.get().empty());
  CHECK(here.state("b") == "2|0|0|0|0");
}

TEST_CASE("whoever moves on does not take back what another has acknowledged") {
  sieve here;
  auto one = here.open();
  here.say("a a");
  one.begin();
  CHECK(here.receive(one, "b").empty());
  auto later = here.db.later(
      fmt::format("select log_ack('b', (select min(position_id) from log_position where consumer = 'b'), 1)"));
  here.wait_until_blocked(here.db);
  one.commit();
  CHECK(later.get() == "0");
  CHECK(here.state("b") == "2|0|0|0|0");
}

TEST_CASE("a move over nothing is taken back with the transaction that made it") {
  sieve here;
  here.say("a a");
  here.db.begin();
  CHECK(here.get().empty());
  CHECK(here.claim().empty());
  here.db.rollback();
  CHECK(here.state("b") == "0|2|0|0|0");
  CHECK(here.state("crew") == "0|2|0|0|0");
}

TEST_CASE("the filter's functions are no door for others") {
  sieve here;
  auto mailer = here.open("qt_mailer");
  here.say("a b");
  CHECK(here.receive(mailer, "b") == "2|b");
  CHECK(mailer.ask("select log_looked_up_to('b')") == "0");
  CHECK(mailer.refusal("select log_look_v1('b', 0, 10, true)") == "42501: permission denied for function log_look_v1");
  CHECK(mailer.refusal("select log_has_filter('b')") == "42501: permission denied for function log_has_filter");
  CHECK(mailer.refusal("select log_wants('b', null)") == "42501: permission denied for function log_wants");
}

TEST_CASE("a filter that seldom matches holds nothing back in a long stream, and leaves no dead rows") {
  sieve here;
  here.db.ask("select log_unsubscribe('all'), log_unsubscribe('sms')");
  auto pin = here.open();
  pin.ask("begin isolation level repeatable read; select count(*) from log_consumer");
  std::string received;
  std::string claimed;
  for (int round = 1; round <= 6; ++round) {
    here.fill(10'000, 10'000);
    for (int call = 0; call < 3; ++call) {
      if (const auto got = here.get(); !got.empty()) {
        received += got + " ";
        here.ack("b", std::stoll(got));
      }
      if (const auto got = here.claim(); !got.empty()) {
        claimed += got + " ";
        CHECK(here.ack_claim(std::stoll(got)) == "1");
      }
    }
    here.age(std::chrono::minutes{31});
    here.db.ask("select log_maintain(), log_compact(0)");
    here.rotate();
  }
  CHECK(received == "10000|b10000 20000|b10000 30000|b10000 40000|b10000 50000|b10000 60000|b10000 ");
  CHECK(claimed == "10000:1 20000:1 30000:1 40000:1 50000:1 60000:1 ");
  CHECK(here.db.ask("select first_offset > 20000, segments < 5 from log_stats()") == "t|t");
  here.db.ask("select pg_stat_force_next_flush()");
  test::wait_until(
      here.url(),
      fmt::format("select sum(n_tup_ins) >= 60000 from pg_stat_user_tables where schemaname = '{}'", here.schema()));
  // Deleted were the positions of the two consumers that were unsubscribed.
  CHECK(here.db.ask("select sum(n_dead_tup), sum(n_tup_upd), sum(n_tup_del) from pg_stat_user_tables "
                    "where schemaname = current_schema and relname ~ '^log_(event|position|claim|failed)'") == "0|0|2");
}

TEST_CASE("events whose offsets could be taken back are not looked at") {
  sieve here;
  auto low = here.open();
  low.begin();
  test::journal::publish(low, "b low");
  here.db.ask("select log_publish_v1('a')");
  here.db.ask("select log_publish_v1('b')");
  here.db.begin();
  CHECK(here.db.ask("select log_seal()") == "2");
  CHECK(here.get().empty());
  CHECK(here.claim().empty());
  here.db.rollback();
  CHECK(here.state("b") == "0|0|0|0|0");
  low.commit();
  CHECK(here.get() == "1|b low 3|b");
}

TEST_CASE("a function that takes its look back with an exception block has seen nothing") {
  sieve here;
  here.db.ask(R"(
    create function peek() returns text language plpgsql as $$
    declare
      v_seen text;
    begin
      begin
        select string_agg(body, ' ') into v_seen from log_receive_v1('b');
        raise exception 'back';
      exception when raise_exception then
        return v_seen;
      end;
    end
    $$)");
  auto low = here.open();
  low.begin();
  test::journal::publish(low, "b low");
  here.db.ask("select log_publish_v1('b')");
  CHECK(here.db.ask("select peek()") == "null");
  CHECK(here.get() == "1|b");
  CHECK(here.db.ask("select peek()") == "b");
}

TEST_CASE("an event that is missing in its page is an error, not one that does not match") {
  sieve here;
  here.say("a b1 b2");
  here.db.ask("delete from log_event where body = 'b1'");
  CHECK(here.db.refusal("select log_receive_v1('b')").starts_with("QN024:"));
  CHECK(here.db.refusal("select log_claim_v1('crew')").starts_with("QN024:"));
}
