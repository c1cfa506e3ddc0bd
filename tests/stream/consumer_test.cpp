#include <future>

#include "stream/journal.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// Who reads, how far, and that an acknowledgement counts once: I5.

TEST_CASE("each consumer sees every event, at its own pace") {
  test::journal here;
  for (const auto* body : {"a", "b", "c"}) here.publish(body);
  CHECK(here.receive("audit") == "1|a 2|b 3|c");
  CHECK(here.ack("audit", 3) == "3");
  CHECK(here.receive("audit").empty());
  CHECK(here.receive("mirror", 2) == "1|a 2|b");
  CHECK(here.ack("mirror", 2) == "2");
  CHECK(here.receive("mirror") == "3|c");
}

TEST_CASE("what was not acknowledged comes again the same, also when only a part was received") {
  test::journal here;
  for (const auto* body : {"a", "b", "c"}) here.publish(body);
  CHECK(here.receive("audit", 2) == "1|a 2|b");
  here.publish("d");
  CHECK(here.receive("audit", 2) == "1|a 2|b");
  CHECK(here.ack("audit", 1) == "1");
  CHECK(here.receive("audit") == "2|b 3|c 4|d");
}

TEST_CASE("a stale or repeated acknowledgement returns 0 and changes nothing") {
  test::journal here;
  for (const auto* body : {"a", "b", "c"}) here.publish(body);
  here.receive("audit");
  const auto batch = here.batch("audit");
  const auto ack = [&](int offset) {
    return here.db.ask(fmt::format("select log_ack('audit', {}, {})", batch, offset));
  };
  CHECK(ack(2) == "2");
  CHECK(ack(2) == "0");
  CHECK(ack(3) == "0");
  CHECK(ack(1) == "0");
  CHECK(here.receive("audit") == "3|c");
  CHECK(here.db.ask("select log_ack('audit', null, 3), log_ack('audit', 0, 3)") == "0|0");
  CHECK(here.ack("audit", 2) == "0");
}

TEST_CASE("of two acknowledgements of a batch at once exactly one counts") {
  for (const bool commits : {true, false}) {
    test::journal here;
    for (const auto* body : {"a", "b"}) here.publish(body);
    here.receive("audit");
    const auto call = fmt::format("select log_ack('audit', {}, 2)", here.batch("audit"));
    auto one = here.open();
    auto two = here.open();
    one.begin();
    CHECK(one.ask(call) == "2");
    auto second = two.later(call);
    here.wait_until_blocked(two);
    commits ? one.commit() : one.rollback();
    CHECK(second.get() == (commits ? "0" : "2"));
    CHECK(here.receive("audit").empty());
  }
}

TEST_CASE("effects in the transaction of the acknowledgement happen exactly once") {
  test::journal here;
  here.db.ask("create table processed (body text)");
  for (const auto* body : {"a", "b"}) here.publish(body);
  here.db.ask("select log_seal()");
  constexpr auto handle = R"(
    with events as (
      select * from log_receive_v1('audit', 100)
    ), written as (
      insert into processed select body from events
    )
    select log_ack('audit', max(batch), max(event_offset)) from events
  )";
  auto one = here.open();
  auto two = here.open();
  one.begin();
  two.begin();
  CHECK(one.ask(handle) == "2");
  auto second = two.later(handle);
  here.wait_until_blocked(two);
  one.commit();
  CHECK(second.get() == "0");
  // Whose acknowledgement did not count takes its effects back.
  two.rollback();
  CHECK(here.db.ask("select body from processed order by 1") == "a b");
  CHECK(here.receive("audit").empty());
}

TEST_CASE("an acknowledgement beyond the last event is refused") {
  test::journal here;
  here.publish("a");
  here.receive("audit");
  CHECK(here.db.refusal(fmt::format("select log_ack('audit', {}, 2)", here.batch("audit"))) ==
        "QN005: stream \"log\" has no event 2 that could be acknowledged (Its last event has the offset 1.)");
}

TEST_CASE("a consumer of an unknown name is refused") {
  test::journal here;
  CHECK(here.db.refusal("select log_receive_v1('nobody')") == "QN023: stream \"log\" has no consumer \"nobody\"");
  CHECK(here.db.refusal("select log_ack('nobody', 1, 1)") == "QN023: stream \"log\" has no consumer \"nobody\"");
  CHECK(here.db.refusal("select log_seek('nobody', 0)") == "QN023: stream \"log\" has no consumer \"nobody\"");
}

TEST_CASE("who subscribes late reads from the start, the end, an offset or a time") {
  test::journal here;
  here.publish("a");
  here.publish("b");
  here.read();
  here.age(std::chrono::minutes{10});
  here.publish("c");
  here.read();
  CHECK(here.db.ask("select log_subscribe('first', 'start')") == "0");
  CHECK(here.db.ask("select log_subscribe('offset', p_after => 1)") == "1");
  CHECK(here.db.ask("select log_subscribe('time', p_at => now() - interval '5 minutes')") == "2");
  here.publish("d");
  CHECK(here.db.ask("select log_subscribe('last')") == "4");
  CHECK(here.db.ask("select log_subscribe('future', p_at => now() + interval '5 minutes')") == "4");
  here.publish("e");
  CHECK(here.receive("first") == "1|a 2|b 3|c 4|d 5|e");
  CHECK(here.receive("offset", 1) == "2|b");
  CHECK(here.receive("time", 2) == "3|c 4|d");
  CHECK(here.receive("last") == "5|e");
  CHECK(here.db.ask("select log_subscribe('first', 'end')") == "null");
  CHECK(here.receive("first", 1) == "1|a");
}

TEST_CASE("a subscription that makes no sense is refused") {
  test::journal here;
  CHECK(here.db.refusal("select log_subscribe('')") == "QN005: a consumer needs a name of 1 to 200 characters");
  CHECK(here.db.refusal("select log_subscribe(null)") == "QN005: a consumer needs a name of 1 to 200 characters");
  constexpr auto where = "QN005: a consumer begins at the start, at the end, after an offset or at a time";
  CHECK(here.db.refusal("select log_subscribe('x', 'middle')") == where);
  CHECK(here.db.refusal("select log_subscribe('x', p_after => 0, p_at => now())") == where);
  CHECK(here.db.refusal("select log_subscribe('x', p_after => 1)") ==
        "QN005: there is no offset 1 in stream \"log\" (Its events have the offsets 1 to 0.)");
  CHECK(here.db.ask("select count(*) from log_consumer where consumer = 'x'") == "0");
}

TEST_CASE("a consumer can be moved back and forth, which makes what it holds stale") {
  test::journal here;
  for (const auto* body : {"a", "b", "c"}) here.publish(body);
  here.receive("audit");
  const auto batch = here.batch("audit");
  CHECK(here.ack("audit", 3) == "3");
  CHECK(here.db.ask("select log_seek('audit', 1)") == "1");
  CHECK(here.receive("audit") == "2|b 3|c");
  CHECK(here.db.ask(fmt::format("select log_ack('audit', {}, 3)", batch)) == "0");
  CHECK(here.receive("audit") == "2|b 3|c");
  CHECK(here.db.ask("select log_seek('audit', p_at => now() + interval '1 hour')") == "3");
  CHECK(here.receive("audit").empty());
  CHECK(here.db.refusal("select log_seek('audit')") == "QN005: a consumer is moved to an offset or to a time");
  CHECK(here.db.refusal("select log_seek('audit', 9)") ==
        "QN005: there is no offset 9 in stream \"log\" (Its events have the offsets 1 to 3.)");
}

TEST_CASE("a consumer that unsubscribes is forgotten, and can begin again") {
  test::journal here;
  here.publish("a");
  here.receive("audit");
  CHECK(here.db.ask("select log_unsubscribe('audit')") == "t");
  CHECK(here.db.ask("select log_unsubscribe('audit')") == "f");
  CHECK(here.db.refusal("select log_receive_v1('audit')") == "QN023: stream \"log\" has no consumer \"audit\"");
  CHECK(here.db.ask("select log_subscribe('audit', 'start')") == "0");
  CHECK(here.receive("audit") == "1|a");
}

TEST_CASE("the lag of each consumer is told") {
  test::journal here;
  for (const auto* body : {"a", "b", "c"}) here.publish(body);
  here.receive("audit");
  here.ack("audit", 2);
  CHECK(here.db.ask("select consumer, up_to, behind, oldest_age > interval '0' from log_lag()") ==
        "audit|2|1|t mirror|0|3|t");
  here.ack("audit", 3);
  CHECK(here.db.ask("select behind, oldest_age from log_lag() where consumer = 'audit'") == "0|null");
  here.publish("d");
  CHECK(here.db.ask("select first_offset, last_offset, unsealed, segments, bytes > 0 from log_stats()") == "1|3|1|1|t");
}

TEST_CASE("many positions are cleared away and nothing is forgotten") {
  test::journal here;
  for (int i = 0; i < 20; ++i) here.publish(fmt::format("e{}", i));
  here.read();
  for (int i = 1; i <= 20; ++i) CHECK(here.ack("audit", i) == "1");
  const auto batch = here.batch("audit");
  auto acking = here.open();
  acking.begin();
  CHECK(acking.ask(fmt::format("select log_ack('mirror', {}, 5)", here.batch("mirror"))) == "5");
  // Somebody acknowledges: the next time.
  CHECK(here.db.ask("select log_compact(0)") == "f");
  acking.commit();
  CHECK(here.db.ask("select log_compact(0)") == "t");
  CHECK(here.db.ask("select count(*) from log_position") == "2");
  CHECK(here.batch("audit") == batch);
  CHECK(here.receive("audit").empty());
  CHECK(here.receive("mirror", 1) == "6|e5");
  CHECK(here.ack("mirror", 6) == "1");
}

TEST_CASE("an acknowledgement that waits for a clearing counts after it") {
  test::journal here;
  for (const auto* body : {"a", "b"}) here.publish(body);
  here.receive("audit");
  const auto batch = here.batch("audit");
  here.ack("audit", 1);
  auto clearing = here.open();
  clearing.begin();
  CHECK(clearing.ask("select log_compact(0)") == "t");
  auto stale = here.open();
  auto fresh = here.open();
  auto first = stale.later(fmt::format("select log_ack('audit', {}, 2)", batch));
  here.wait_until_blocked(stale);
  clearing.commit();
  CHECK(first.get() == "0");
  CHECK(fresh.ask(fmt::format("select log_ack('audit', {}, 2)", here.batch("audit"))) == "1");
}

TEST_CASE("a clearing that waits for an acknowledgement keeps it") {
  test::journal here;
  for (const auto* body : {"a", "b"}) here.publish(body);
  here.receive("audit");
  here.db.ask("alter function log_compact(bigint) set lock_timeout = '10s'");
  auto acking = here.open();
  acking.begin();
  CHECK(acking.ask(fmt::format("select log_ack('audit', {}, 2)", here.batch("audit"))) == "2");
  auto clearing = here.open();
  auto cleared = clearing.later("select log_compact(0)");
  here.wait_until_blocked(clearing);
  acking.commit();
  CHECK(cleared.get() == "t");
  CHECK(here.receive("audit").empty());
}

TEST_CASE("a plain consumer acknowledges up to an offset, and says so") {
  test::journal here;
  here.publish("a");
  CHECK(here.receive("audit") == "1|a");
  CHECK(here.db.refusal(fmt::format("select log_ack('audit', {})", here.batch("audit"))) ==
        "QN005: consumer \"audit\" of stream \"log\" acknowledges up to an offset");
  CHECK(here.ack("audit", 1) == "1");
}
