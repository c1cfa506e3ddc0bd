#include "stream/journal.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// What is cleared away, and what is not: I6 and I4.

namespace {

using std::chrono::minutes;

/// A stream with `a` and `b` in segment 0, acknowledged by both consumers and older than the retention, and `c` in 1.
struct old_segment : test::journal {
  old_segment() {
    publish("a");
    publish("b");
    receive("audit");
    ack("audit", 2);
    ack("mirror", 2);
    age(minutes{120});
    REQUIRE(rotate());
    publish("c");
    receive("audit");
  }

  void maintain() { db.ask("select log_maintain()"); }
};

}  // namespace

TEST_CASE("a segment that nobody needs is emptied, and the offsets go on") {
  old_segment here;
  here.maintain();
  CHECK(here.segments() == "1");
  CHECK(here.receive("audit") == "3|c");
  CHECK(here.db.ask("select first_offset, last_offset, segments from log_stats()") == "3|3|1");
  here.publish("d");
  CHECK(here.read(2) == "3|c 4|d");
}

TEST_CASE("events within the retention stay") {
  test::journal here;
  here.publish("a");
  here.receive("audit");
  here.ack("audit", 1);
  here.ack("mirror", 1);
  here.age(minutes{59});
  REQUIRE(here.rotate());
  here.publish("b");
  here.read();
  here.db.ask("select log_maintain()");
  CHECK(here.read() == "1|a 2|b");
}

TEST_CASE("events that a consumer has not acknowledged stay, however old they are") {
  old_segment here;
  here.db.ask("select log_seek('mirror', 1)");
  here.maintain();
  CHECK(here.receive("mirror") == "2|b 3|c");
  CHECK(here.ack("mirror", 2) == "1");
  here.maintain();
  CHECK(here.segments() == "1");
  CHECK(here.receive("mirror") == "3|c");
}

TEST_CASE("events stay while nobody knows whether a consumer has had them") {
  old_segment here;
  here.db.ask("truncate log_position");
  here.maintain();
  CHECK(here.segments() == "0 1");
}

TEST_CASE("an event of an old segment that has no offset yet stays") {
  old_segment here;
  auto late = here.open();
  // It has looked which segment is filled before the rotation.
  late.ask("begin; insert into log_event (segment, contract_version, body) values (0, 1, 'late')");
  here.maintain();
  CHECK(here.segments() == "0 1");
  late.commit();
  here.maintain();
  CHECK(here.segments() == "0 1");
  CHECK(here.read(2) == "3|c 4|late");
  here.maintain();
  CHECK(here.segments() == "0 1");
  here.receive("audit");
  here.ack("audit", 4);
  here.ack("mirror", 4);
  here.publish("d");
  here.age(minutes{120});
  here.publish("e");
  here.read();
  here.maintain();
  CHECK(here.segments() == "1");
}

TEST_CASE("an event that is published into a segment after that was emptied is delivered") {
  old_segment here;
  here.maintain();
  here.db.ask("insert into log_event (segment, contract_version, body) values (0, 1, 'late')");
  CHECK(here.read(2) == "3|c 4|late");
  here.publish("d");
  CHECK(here.read(2) == "3|c 4|late 5|d");
}

TEST_CASE("the segment stays while somebody subscribes to its start") {
  old_segment here;
  auto subscriber = here.open();
  subscriber.begin();
  CHECK(subscriber.ask("select log_subscribe('historian', 'start')") == "0");
  here.maintain();
  CHECK(here.segments() == "0 1");
  subscriber.commit();
  here.maintain();
  CHECK(here.receive("historian") == "1|a 2|b 3|c");
}

TEST_CASE("a consumer that goes back while a segment waits to be emptied keeps it") {
  old_segment here;
  here.db.ask("alter function log_truncate(smallint) set lock_timeout = '10s'");
  auto going_back = here.open();
  going_back.ask("begin; select log_seek('mirror', 0)");
  auto clearing = here.open();
  auto cleared = clearing.later("select log_truncate(0::smallint)");
  here.wait_until_blocked(clearing);
  going_back.commit();
  CHECK(cleared.get() == "f");
  CHECK(here.receive("mirror") == "1|a 2|b 3|c");
}

TEST_CASE("a rotation that was rolled back leaves the newest page where it is") {
  test::journal here;
  here.publish("a");
  here.receive("audit");
  here.ack("audit", 1);
  here.ack("mirror", 1);
  here.age(minutes{120});
  here.db.ask("begin; select log_rotate('-1 s'); rollback");
  here.db.ask("select log_maintain()");
  CHECK(here.segments() == "0");
  here.publish("b");
  CHECK(here.read(1) == "2|b");
}

TEST_CASE("who subscribes while a segment is emptied begins behind it") {
  old_segment here;
  auto clearing = here.open();
  clearing.begin();
  CHECK(clearing.ask("select log_truncate(0::smallint)") == "t");
  auto subscriber = here.open();
  auto subscribed = subscriber.later("select log_subscribe('historian', 'start')");
  here.wait_until_blocked(subscriber);
  clearing.commit();
  CHECK(subscribed.get() == "2");
  CHECK(here.receive("historian") == "3|c");
}

TEST_CASE("who asks for what is cleared away is told so, and no event is skipped in silence") {
  old_segment here;
  here.maintain();
  CHECK(here.db.refusal("select * from log_read_v1(0)") ==
        "QN022: events before offset 3 of stream \"log\" are not kept any more");
  CHECK(here.db.refusal("select log_subscribe('x', p_after => 1)") ==
        "QN022: events before offset 3 of stream \"log\" are not kept any more");
  CHECK(here.db.refusal("select log_seek('audit', 0)") ==
        "QN022: events before offset 3 of stream \"log\" are not kept any more");
  CHECK(here.db.ask("select log_subscribe('x', 'start')") == "2");
}

TEST_CASE("what is left before an emptied segment is not read up to the gap") {
  old_segment here;
  here.receive("audit");
  here.ack("audit", 3);
  here.ack("mirror", 3);
  here.age(minutes{120});
  REQUIRE(here.rotate());
  here.publish("d");
  CHECK(here.read(3) == "4|d");
  // The older segment stays, because somebody has locked it.
  CHECK(here.db.ask("select log_truncate(1::smallint)") == "t");
  CHECK(here.segments() == "0 2");
  CHECK(here.db.ask("select first_offset from log_stats()") == "4");
  CHECK(here.db.ask("select log_subscribe('historian', 'start')") == "3");
  CHECK(here.receive("historian") == "4|d");
  CHECK(here.db.refusal("select * from log_read_v1(2)") ==
        "QN022: events before offset 4 of stream \"log\" are not kept any more");
  here.maintain();
  CHECK(here.segments() == "2");
}

TEST_CASE("publishing goes round the segments, one of which stays empty") {
  test::journal here;
  int offset = 0;
  for (int round = 0; round < 12; ++round) {
    here.publish(fmt::format("e{}", ++offset));
    here.receive("audit");
    here.ack("audit", offset);
    here.ack("mirror", offset);
    here.age(minutes{45});
    here.db.ask("select log_maintain()");
    here.rotate();
    CHECK(here.db.ask("select count(distinct segment) < 5 from log_page") == "t");
  }
  CHECK(here.db.ask("select last_offset from log_stats()") == "12");
  CHECK(here.db.ask("select first_offset > 8 from log_stats()") == "t");
}

TEST_CASE("when no segment is free, publishing stays where it is") {
  test::journal here;
  int rotations = 0;
  for (int i = 0; i < 8; ++i) {
    here.publish(fmt::format("e{}", i));
    here.read();
    if (here.rotate()) ++rotations;
  }
  CHECK(rotations == 3);
  CHECK(here.whole() == "e0 e1 e2 e3 e4 e5 e6 e7");
}

TEST_CASE("a stream that was idle for long keeps its count when all is cleared away") {
  test::journal here;
  here.publish("a");
  here.receive("audit");
  here.ack("audit", 1);
  here.ack("mirror", 1);
  here.age(minutes{600});
  REQUIRE(here.rotate());
  here.db.ask("select log_maintain()");
  CHECK(here.db.ask("select count(*) from log_event") == "0");
  here.publish("b");
  CHECK(here.receive("audit") == "2|b");
}

TEST_CASE("a consumer that reads by itself clears away and rotates") {
  old_segment here;
  here.db.ask("select setval('log_maintained_at', 0)");
  here.receive("audit");
  CHECK(here.segments() == "1");
}

TEST_CASE("nothing of it leaves dead rows") {
  test::journal here;
  here.db.ask("create table pinned (); ");
  auto pin = here.open();
  pin.ask("begin isolation level repeatable read; select count(*) from pinned");
  int offset = 0;
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 10; ++i) here.publish("x");
    offset += 10;
    here.receive("audit");
    here.ack("audit", offset);
    here.receive("mirror");
    here.ack("mirror", offset);
    if (round % 10 == 9) {
      here.db.ask("select log_compact(0)");
      here.rotate();
    }
  }
  here.db.ask("select pg_stat_force_next_flush()");
  test::wait_until(here.url(),
                   fmt::format("select sum(n_tup_ins) >= 360 from pg_stat_user_tables where schemaname = '{}' and "
                               "relname like 'log_%'",
                               here.schema()));
  CHECK(here.db.ask(fmt::format("select sum(n_dead_tup), sum(n_tup_upd), sum(n_tup_del) from pg_stat_user_tables "
                                "where schemaname = '{}' and relname like 'log_%'",
                                here.schema())) == "0|0|0");
}

TEST_CASE("a time within what was cleared away out of order is the first event that is left") {
  test::journal here;
  for (const auto* body : {"1", "2", "3"}) {
    here.publish(body);
    here.read();
    REQUIRE(here.rotate());
  }
  here.publish("4");
  here.read();
  // The first segment was held by somebody while those behind it were emptied.
  here.db.ask("truncate log_event_1, log_page_1, log_event_2, log_page_2");
  CHECK(here.db.ask("select log_offset_at(now() - interval '1 h')") == "3");
  CHECK(here.db.ask("select log_subscribe('late', p_at => now() - interval '1 h')") == "3");
}

TEST_CASE("only a call that is all of its statement clears away: a function that calls it goes on to work") {
  test::journal here;
  here.db.ask(
      "create function process() returns bigint language sql as 'select count(*) from log_receive_v1(''audit'')'");
  const auto is_due = [&] { return here.db.ask("select pg_sequence_last_value('log_maintained_at') = 1") == "t"; };
  const auto look = [&](std::string_view sql) {
    here.db.ask("select setval('log_maintained_at', 1)");
    here.db.ask(sql);
    return is_due();
  };
  CHECK(look("select process()"));
  CHECK(look("select count(*) from log_receive_v1('audit')"));
  CHECK(look("with got as (select * from log_receive_v1('audit')) select * from got"));
  CHECK_FALSE(look("select * from log_receive_v1('audit')"));
  CHECK_FALSE(look("select body from log_read_v1(0, 10);"));
  CHECK_FALSE(look("select * from stream_consume('log', 0)"));
  CHECK_FALSE(look("select * from log_read_json(0)"));
}
