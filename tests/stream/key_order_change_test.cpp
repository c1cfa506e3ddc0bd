#include "stream/team.hpp"
#include "support/catch.hpp"

// What becomes of claims and failures when a consumer gets an order, another one, or none any more; and schedules.

using std::chrono::seconds;

namespace {

/// What a migration does: the consumer is ordered by this column from now on; empty: not any more.
void order_by(test::team& here, std::string_view consumer, std::string_view column, bool blocks = true) {
  const auto key = column.empty() ? std::string{"null::bigint"} : fmt::format("hashtextextended((r).{}, 0)", column);
  const auto replace = [&](std::string_view head, std::string_view result, const std::string& value) {
    here.db.ask(
        fmt::format("create or replace function {} returns {} language sql stable as $$ select case p_consumer when "
                    "'{}' then {} end $$",
                    head, result, consumer, value));
  };
  here.db.begin();
  replace("log_ordered_by(p_consumer text)", "text", column.empty() ? "null" : fmt::format("'{}'", column));
  replace("log_blocks(p_consumer text)", "boolean", blocks && !column.empty() ? "true" : "false");
  here.db.ask("alter function log_ordered_by(text) immutable; alter function log_blocks(text) immutable");
  for (const auto* row : {"event", "failed"}) {
    auto value = key;
    if (const auto place = value.find("(r)"); place != std::string::npos)
      value.replace(place, 3, fmt::format("p_{}", row));
    replace(fmt::format("log_key_of{}(p_consumer text, p_{} log_{})", row == std::string_view{"event"} ? "" : "_failed",
                        row, row),
            "bigint", value);
  }
  here.db.ask(fmt::format("select log_reorder('{}')", consumer));
  here.db.commit();
}

}  // namespace

TEST_CASE("claims from before a consumer was ordered end first") {
  test::team here;
  here.say("a b a c");
  auto ann = here.hire("free");
  auto bob = here.hire("free");
  CHECK(ann.claim(2) == "1 2");
  order_by(here, "free", "who");
  CHECK(bob.claim().empty());
  CHECK(here.db.ask("select log_looked_up_to('free'), log_next_due_v1('free') > clock_timestamp()") == "null|t");
  CHECK(ann.ack(1) == "1");
  CHECK(bob.claim().empty());
  CHECK(ann.extend() == "t");
  CHECK(ann.ack() == "1");
  CHECK(bob.claim(1) == "3");
  CHECK(ann.claim() == "4");
}

TEST_CASE("a claim from before a consumer was ordered that runs out comes again in order") {
  test::team here;
  here.say("a b a");
  auto ann = here.hire("free");
  auto bob = here.hire("free");
  auto eve = here.hire("free");
  CHECK(ann.claim() == "1 2 3");
  order_by(here, "free", "who");
  here.pass(seconds{61});
  CHECK(bob.claim_attempts(1) == "1|2");
  CHECK(eve.claim_attempts() == "2|2");
  CHECK(ann.ack() == "0");
  CHECK(bob.ack() == "1");
  CHECK(bob.claim() == "3");
}

TEST_CASE("what has failed before the consumer was ordered has its place, and what is dead does not block") {
  test::team here;
  here.db.ask("select log_share('free', '1 m', 2, 'constant', '10 s', '10 s', 0)");
  here.say("a b a c");
  auto ann = here.hire("free");
  auto bob = here.hire("free");
  CHECK(ann.claim(1) == "1");
  CHECK(ann.nack(1) == "retry");
  here.pass(seconds{11});
  CHECK(ann.claim(1) == "1");
  CHECK(ann.nack(1) == "dead");
  here.say("a a");
  CHECK(ann.claim(3) == "2 3 4");
  for (const int each : {2, 3}) CHECK(ann.nack(each) == "retry");
  CHECK(ann.ack() == "1");
  order_by(here, "free", "who");
  CHECK(here.blocked().empty());
  CHECK(bob.claim().empty());
  CHECK(here.aside("free") == "1|dead 2|retry 3|retry 5|turn 6|turn");
  here.pass(seconds{11});
  CHECK(bob.claim(2) == "2 3");
  CHECK(ann.claim().empty());
  CHECK(bob.ack() == "2");
  CHECK(ann.claim() == "5 6");
}

TEST_CASE("an order that is taken away lets everything go that waits for its turn") {
  test::team here;
  here.say("a a b a");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(1) == "1");
  CHECK(bob.claim() == "3");
  CHECK(here.aside() == "2|now 4|turn");
  order_by(here, "crew", "");
  CHECK(bob.claim() == "2 4");
  CHECK(ann.nack(1) == "retry");
  CHECK(bob.ack() == "2");
  here.pass(seconds{11});
  CHECK(bob.claim() == "1");
}

TEST_CASE("what would wait for a failure goes on when the order was taken away meanwhile") {
  test::team here;
  here.say("a a");
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2");
  order_by(here, "crew", "");
  CHECK(ann.nack(1) == "retry");
  CHECK(here.hire().claim() == "2");
}

TEST_CASE("after another key was declared nothing is claimed by the old one") {
  test::team here;
  // By who 1 and 3 are the same, by body 1 and 2.
  here.db.ask("select log_publish_many_v1('{x,x,y,x,y}', '{a,b,a,c,d}'); select log_seal()");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(1) == "1");
  CHECK(bob.claim(2) == "2");
  CHECK(here.aside() == "3|now");
  order_by(here, "crew", "body");
  CHECK(bob.ack() == "1");
  CHECK(bob.claim().empty());
  CHECK(ann.ack() == "1");
  CHECK(bob.claim(1) == "3");
  CHECK(ann.claim() == "4");
  CHECK(here.aside() == "3|held 5|now");
}

TEST_CASE("dead letters cease to block when they are to be skipped, and what has waited goes on") {
  test::team here;
  here.db.ask("select log_share('crew', p_max_attempts => 1)");
  here.say("a a a");
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2 3");
  CHECK(ann.nack(1) == "dead");
  CHECK(here.blocked() == "crew|a|1|2");
  order_by(here, "crew", "who", false);
  CHECK(here.blocked().empty());
  CHECK(here.aside() == "1|dead 2|now 3|turn");
  CHECK(ann.claim(1) == "2");
}

TEST_CASE("a key is held until its acknowledgement is committed") {
  for (const bool commits : {true, false}) {
    test::team here;
    here.say("a a");
    auto ann = here.hire();
    auto bob = here.hire();
    CHECK(ann.claim(1) == "1");
    ann.db.begin();
    CHECK(ann.ack() == "1");
    CHECK(bob.claim().empty());
    commits ? ann.db.commit() : ann.db.rollback();
    CHECK(bob.claim() == (commits ? "2" : ""));
  }
}

TEST_CASE("who acknowledges or fails waits for no claim, and what that sets aside behind them is found") {
  for (const bool fails : {true, false}) {
    test::team here;
    here.say("a b a");
    auto ann = here.hire();
    auto bob = here.hire();
    CHECK(ann.claim(1) == "1");
    bob.db.begin();
    CHECK(bob.claim() == "2");
    CHECK((fails ? ann.nack(1) : ann.ack()) == (fails ? "retry" : "1"));
    bob.db.commit();
    CHECK(ann.claim() == (fails ? "" : "3"));
    if (!fails) continue;
    here.pass(seconds{11});
    CHECK(ann.claim() == "1 3");
  }
}

TEST_CASE("a retry that ends while an event is set aside behind it lets that go on") {
  for (const bool dies : {true, false}) {
    test::team here;
    here.db.ask("select log_share('loose', '1 m', 2, 'constant', '10 s', '10 s', 0)");
    here.say("a");
    auto ann = here.hire("loose");
    auto bob = here.hire("loose");
    CHECK(ann.claim() == "1");
    CHECK(ann.nack(1) == "retry");
    here.pass(seconds{11});
    CHECK(ann.claim() == "1");
    here.say("b a");
    bob.db.begin();
    CHECK(bob.claim() == "2");
    CHECK((dies ? ann.nack(1) : ann.ack()) == (dies ? "dead" : "1"));
    bob.db.commit();
    CHECK(ann.claim() == "3");
  }
}

TEST_CASE("who purges a dead letter waits for a claim that sets events aside behind it") {
  test::team here;
  here.db.ask("select log_share('crew', p_max_attempts => 1)");
  here.say("a");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1");
  CHECK(ann.nack(1) == "dead");
  here.say("b a");
  bob.db.begin();
  CHECK(bob.claim() == "2");
  auto purging = here.open();
  auto purged = purging.later("select log_purge('crew')");
  here.wait_until_blocked(purging);
  bob.db.commit();
  CHECK(purged.get() == "1");
  CHECK(ann.claim() == "3");
}

TEST_CASE("an order that changes waits for claims that are being made") {
  test::team here;
  here.say("a");
  auto bob = here.hire("free");
  bob.db.begin();
  CHECK(bob.claim() == "1");
  auto changing = here.open();
  auto changed = changing.later("select log_reorder('free')");
  here.wait_until_blocked(changing);
  bob.db.commit();
  changed.get();
  // And for failures that are being noted, whose keys it would not see.
  bob.db.begin();
  CHECK(bob.nack(1) == "retry");
  changed = changing.later("select log_reorder('free')");
  here.wait_until_blocked(changing);
  bob.db.commit();
  changed.get();
}

TEST_CASE("after a restore keys are hashed anew, and claims from before end first") {
  test::team here;
  here.say("a a b");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(1) == "1");
  CHECK(bob.claim() == "3");
  // As if this were another cluster.
  here.db.ask("update log_page set home = home + 1; update log_failed set order_key = 7");
  CHECK(here.db.ask("select log_restored()") == "0");
  CHECK(here.db.ask("select order_key = hashtextextended('a', 0) from log_failed") == "t");
  CHECK(ann.ack() == "1");
  CHECK(ann.claim().empty());
  CHECK(bob.ack() == "1");
  CHECK(ann.claim() == "2");
}
