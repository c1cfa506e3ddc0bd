#include <future>

#include "stream/journal.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// Which events there are, and in which order: I1, I2, I3.

TEST_CASE("events have the offsets 1, 2, 3 in the order in which they were published") {
  test::journal here;
  for (const auto* body : {"a", "b", "c"}) here.publish(body);
  CHECK(here.read() == "1|a 2|b 3|c");
  CHECK(here.read(1, 1) == "2|b");
  CHECK(here.read(3).empty());
  CHECK(here.read(100).empty());
}

TEST_CASE("an event of a transaction that commits late comes after those that were read before, and is not skipped") {
  test::journal here;
  auto slow = here.open();
  slow.begin();
  test::journal::publish(slow, "slow");
  here.publish("fast");
  CHECK(here.read() == "1|fast");
  here.publish("faster");
  CHECK(here.read() == "1|fast 2|faster");
  slow.commit();
  CHECK(here.read(2) == "3|slow");
  here.publish("last");
  CHECK(here.read() == "1|fast 2|faster 3|slow 4|last");
  CHECK(here.whole() == "fast faster slow last");
}

TEST_CASE("a transaction that drew its id before the last seal and publishes after it is not skipped") {
  test::journal here;
  auto early = here.open();
  early.ask("begin; select pg_current_xact_id()");
  here.publish("a");
  CHECK(here.read() == "1|a");
  test::journal::publish(early, "b");
  early.commit();
  CHECK(here.read() == "1|a 2|b");
}

TEST_CASE("what was rolled back is never delivered and leaves no gap") {
  test::journal here;
  auto other = here.open();
  other.begin();
  test::journal::publish(other, "gone");
  here.publish("a");
  CHECK(here.read() == "1|a");
  other.rollback();
  other.begin();
  test::journal::publish(other, "b");
  other.ask("savepoint one");
  test::journal::publish(other, "gone too");
  other.ask("rollback to one");
  test::journal::publish(other, "c");
  other.commit();
  CHECK(here.read() == "1|a 2|b 3|c");
  CHECK(here.whole() == "a b c");
}

TEST_CASE("the events of a transaction are next to each other, whoever publishes between them") {
  test::journal here;
  auto one = here.open();
  auto two = here.open();
  one.begin();
  two.begin();
  for (const auto* number : {"1", "2", "3"}) {
    test::journal::publish(one, std::string{"one"} + number);
    test::journal::publish(two, std::string{"two"} + number);
    here.publish(std::string{"alone"} + number);
  }
  two.commit();
  one.commit();
  CHECK(here.whole() == "one1 one2 one3 two1 two2 two3 alone1 alone2 alone3");
}

TEST_CASE("a page with a running transaction between its ends does not get that one's events later") {
  test::journal here;
  auto one = here.open();
  auto middle = here.open();
  auto two = here.open();
  for (auto* each : {&one, &middle, &two}) each->begin();
  test::journal::publish(one, "a");
  test::journal::publish(middle, "late1");
  test::journal::publish(two, "b");
  one.commit();
  two.commit();
  CHECK(here.read() == "1|a 2|b");
  here.publish("c");
  CHECK(here.read() == "1|a 2|b 3|c");
  test::journal::publish(middle, "late2");
  middle.commit();
  CHECK(here.read() == "1|a 2|b 3|c 4|late1 5|late2");
  here.publish("d");
  CHECK(here.whole() == "a b c late1 late2 d");
}

TEST_CASE("a transaction that runs between two pages does not get into the range of both") {
  test::journal here;
  here.publish("a");
  CHECK(here.read() == "1|a");
  auto between = here.open();
  between.begin();
  test::journal::publish(between, "between");
  here.publish("b");
  CHECK(here.read() == "1|a 2|b");
  here.publish("c");
  CHECK(here.read() == "1|a 2|b 3|c");
  between.commit();
  CHECK(here.read() == "1|a 2|b 3|c 4|between");
  CHECK(here.whole() == "a b c between");
}

TEST_CASE("more than a thousand events of one transaction are several pages in their order") {
  test::journal here;
  here.db.ask("select log_publish_many_v1(array(select i::text from generate_series(1, 2500) as i))");
  CHECK(here.db.ask("select log_seal()") == "2500");
  CHECK(here.db.ask("select count(*) from log_page where last_offset >= first_offset") == "3");
  CHECK(here.db.ask("select bool_and(event_offset::text = body) from log_read_v1(0, 2500)") == "t");
  CHECK(here.read(999, 3) == "1000|1000 1001|1001 1002|1002");
}

TEST_CASE("a read that begins anywhere in a long page gives what stands there") {
  test::journal here;
  auto late = here.open();
  late.begin();
  late.ask("select log_publish_many_v1(array(select 'late ' || i from generate_series(1, 300) as i))");
  here.db.ask("select log_publish_many_v1(array(select i::text from generate_series(1, 700) as i))");
  auto rolled_back = here.open();
  rolled_back.begin();
  rolled_back.ask("select log_publish_many_v1(array(select 'never' from generate_series(1, 300)))");
  here.db.ask("select log_publish_many_v1(array(select i::text from generate_series(701, 900) as i))");
  rolled_back.rollback();
  CHECK(here.db.ask("select log_seal()") == "900");
  late.commit();
  here.publish("901");
  CHECK(here.db.ask("select log_seal()") == "301");
  CHECK(here.db.ask("select count(*) from log_page where mark_stamps <> '{}'") == "2");
  here.db.ask("create table seen as select * from log_read_v1(0, 2000)");
  CHECK(here.db.ask("select string_agg(body, ' ' order by event_offset) = (select string_agg(i::text, ' ') from "
                    "generate_series(1, 900) as i) || ' ' || (select string_agg('late ' || i, ' ') from "
                    "generate_series(1, 300) as i) || ' 901' from seen") == "t");
  CHECK(here.db.ask("select count(*) from seen as s, log_read_v1(s.event_offset - 1, 1) as r "
                    "where (r.event_offset, r.body) = (s.event_offset, s.body)") == "1201");
}

TEST_CASE("an offset is not shown in a transaction that could take it back") {
  test::journal here;
  auto low = here.open();
  low.begin();
  test::journal::publish(low, "low");
  here.publish("high");
  auto reader = here.open();
  reader.begin();
  CHECK(test::journal::read(reader).empty());
  reader.rollback();
  // In one message, whose first statement looks like a transaction of its own.
  CHECK(here.db.ask("begin; select event_offset, body from log_read_v1(0)").empty());
  here.db.rollback();
  low.commit();
  // Had one of them been shown `1|high`, it would be wrong now.
  CHECK(here.read() == "1|low 2|high");
}

TEST_CASE("what a transaction has sealed is shown by it after others could see it") {
  test::journal here;
  auto low = here.open();
  low.begin();
  test::journal::publish(low, "low");
  here.publish("a");
  auto reader = here.open();
  reader.begin();
  CHECK(test::journal::read(reader).empty());
  CHECK(here.read().empty());
  reader.commit();
  reader.begin();
  CHECK(test::journal::read(reader) == "1|a");
  reader.rollback();
}

TEST_CASE("a function that takes its read back with an exception block has seen nothing") {
  test::journal here;
  here.db.ask(R"(
    create function peek() returns text language plpgsql as $$
    declare
      v_seen text;
    begin
      begin
        select string_agg(r.body, ' ') into v_seen from log_read_v1(0) as r;
        raise exception 'back';
      exception when raise_exception then
        return v_seen;
      end;
    end
    $$
  )");
  auto low = here.open();
  low.begin();
  test::journal::publish(low, "low");
  here.publish("a");
  CHECK(here.db.ask("select peek()") == "null");
  CHECK(here.read() == "1|a");
  CHECK(here.db.ask("select peek()") == "a");
}

TEST_CASE("with the extended protocol a read seals for the one after it what another seal could number otherwise") {
  test::journal here;
  auto low = here.open();
  low.begin();
  test::journal::publish(low, "low");
  here.publish("a");
  auto& db = here.db.connection();
  CHECK(db.execute("select event_offset from log_read_v1(0)").size() == 0);
  CHECK(db.execute("select event_offset from log_read_v1(0)").size() == 1);
}

TEST_CASE("a transaction that seals between its own events gets offsets for all of them") {
  test::journal here;
  auto busy = here.open();
  busy.begin();
  test::journal::publish(busy, "first");
  here.publish("other");
  CHECK(busy.ask("select log_seal()") == "1");
  test::journal::publish(busy, "second");
  busy.commit();
  CHECK(here.read() == "1|other 2|first 3|second");
  here.publish("last");
  CHECK(here.whole() == "other first second last");
}

TEST_CASE("events of one transaction are adjacent when publishing went on to another segment between them") {
  test::journal here;
  here.publish("a");
  CHECK(here.read() == "1|a");
  auto early = here.open();
  early.begin();
  test::journal::publish(early, "early 1");
  auto busy = here.open();
  busy.begin();
  test::journal::publish(busy, "x");
  REQUIRE(here.rotate());
  test::journal::publish(busy, "y");
  test::journal::publish(early, "early 2");
  busy.commit();
  here.publish("b");
  // Each of the pages that this seal makes is of one segment.
  CHECK(here.db.ask("select log_seal()") == "3");
  early.commit();
  here.publish("c");
  CHECK(here.db.ask("select log_seal()") == "3");
  CHECK(here.db.ask("select log_seal()") == "0");
  CHECK(here.whole() == "a x y b early 1 early 2 c");
}

TEST_CASE("a transaction that may not write reads what has an offset") {
  test::journal here;
  here.publish("a");
  here.read();
  here.publish("b");
  here.db.ask("select setval('log_v1_read_at', 1)");
  auto reader = here.open();
  reader.ask("begin read only");
  CHECK(test::journal::read(reader) == "1|a");
  CHECK(reader.ask("select log_seal()") == "0");
  reader.commit();
  CHECK(here.read() == "1|a 2|b");
}

TEST_CASE("a seal is durable where commits are not") {
  test::journal here;
  here.db.ask("set synchronous_commit = off");
  here.publish("a");
  here.db.ask("begin; select log_seal()");
  CHECK(here.db.ask("show synchronous_commit") == "on");
  here.db.commit();
  CHECK(here.db.ask("show synchronous_commit") == "off");
}

TEST_CASE("while one seals, others read what is sealed and do not wait") {
  test::journal here;
  here.publish("a");
  CHECK(here.read() == "1|a");
  here.publish("b");
  auto sealer = here.open();
  sealer.begin();
  CHECK(sealer.ask("select log_seal()") == "1");
  CHECK(here.read() == "1|a");
  CHECK(here.db.ask("select log_seal()") == "null");
  sealer.rollback();
  CHECK(here.read() == "1|a 2|b");
}

TEST_CASE("a seal that waited for another one goes on where that has ended") {
  test::journal here;
  here.publish("a");
  auto sealer = here.open();
  sealer.begin();
  CHECK(sealer.ask("select log_seal()") == "1");
  here.publish("b");
  // A subscription to the end waits for the seal, and seals in the same statement.
  auto subscriber = here.open();
  auto subscribed = subscriber.later("select log_subscribe('new', 'end')");
  here.wait_until_blocked(subscriber);
  sealer.commit();
  CHECK(subscribed.get() == "2");
  CHECK(here.whole() == "a b");
}

TEST_CASE("reading needs READ COMMITTED and says so") {
  test::journal here;
  here.publish("a");
  for (const auto* level : {"repeatable read", "serializable"}) {
    for (const auto* call : {"log_read_v1(0)", "log_receive_v1('audit')", "log_seal()", "log_ack('audit', 1, 1)",
                             "log_subscribe('x')", "log_seek('audit', 0)", "log_lag()", "log_stats()"}) {
      auto strict = here.open();
      strict.ask(fmt::format("begin isolation level {}", level));
      CHECK(strict.refusal(fmt::format("select {}", call)) ==
            "QN004: a stream can be read in a READ COMMITTED transaction only");
    }
  }
  // Publishing is not reading.
  here.db.ask("begin isolation level serializable; select log_publish_v1('b'); commit");
  CHECK(here.read() == "1|a 2|b");
}

TEST_CASE("a transaction that found nothing new keeps nobody from giving offsets") {
  test::journal here;
  auto idle = here.open();
  idle.begin();
  CHECK(test::journal::receive(idle, "audit").empty());
  here.publish("a");
  CHECK(here.read() == "1|a");
  CHECK(test::journal::receive(idle, "audit") == "1|a");
  here.publish("b");
  CHECK(here.read() == "1|a 2|b");
}
