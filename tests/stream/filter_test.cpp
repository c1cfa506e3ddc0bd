#include <chrono>
#include <string>

#include "stream/sieve.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// Consumers that ask for some of the events only.

using test::sieve;

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
