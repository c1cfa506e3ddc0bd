#include "stream/team.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// Workers of one consumer with `ordered_by`: what becomes of the others of a key when one of its events fails.

using std::chrono::seconds;

TEST_CASE("an event that failed keeps the later ones of its key back, those of its claim, too") {
  test::team here;
  here.say("a b a b a");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(4) == "1 2 3 4");
  CHECK(ann.nack(1) == "retry");
  CHECK(ann.db.ask(fmt::format("select log_held('crew', {})", ann.batch)) == "{2,4}");
  CHECK(here.aside() == "1|retry 3|turn");
  CHECK(ann.nack(3) == "lost");
  CHECK(bob.claim().empty());
  CHECK(here.aside() == "1|retry 3|turn 5|turn");
  CHECK(ann.ack() == "2");
  CHECK(here.state() == "5|0|3|0");
  CHECK(bob.claim().empty());
  here.pass(seconds{11});
  CHECK(bob.claim_attempts() == "1|2 3|1 5|1");
  CHECK(ann.claim().empty());
  CHECK(bob.ack() == "3");
  CHECK(here.aside().empty());
}

TEST_CASE("what failed again keeps back what came with it") {
  test::team here;
  here.say("a a b");
  auto ann = here.hire();
  CHECK(ann.claim(2) == "1 2");
  CHECK(ann.nack(1) == "retry");
  here.pass(seconds{11});
  CHECK(ann.claim_attempts() == "1|2 2|1");
  CHECK(ann.nack(1) == "retry");
  CHECK(ann.db.ask(fmt::format("select log_held('crew', {})", ann.batch)) == "{}");
  CHECK(here.aside() == "1|retry 2|turn");
  CHECK(ann.ack() == "0");
  CHECK(ann.claim() == "3");
  here.pass(seconds{11});
  CHECK(ann.claim_attempts() == "1|3 2|1");
  CHECK(ann.ack() == "2");
}

TEST_CASE("a dead letter blocks its key until it is purged") {
  test::team here;
  here.db.ask("select log_share('crew', p_max_attempts => 1)");
  here.say("a b a");
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2 3");
  CHECK(ann.nack(1) == "dead");
  CHECK(here.aside() == "1|dead 3|turn");
  here.say("a b");
  CHECK(ann.ack() == "1");
  CHECK(ann.claim() == "5");
  CHECK(ann.ack() == "1");
  CHECK(here.blocked() == "crew|a|1|2");
  CHECK(ann.claim().empty());
  CHECK(here.db.ask("select log_purge('crew', '1 h')") == "0");
  CHECK(ann.claim().empty());
  CHECK(here.db.ask("select log_purge('crew')") == "1");
  CHECK(here.blocked().empty());
  CHECK(ann.claim() == "3 4");
  CHECK(ann.ack() == "2");
  CHECK(here.state() == "5|0|0|0");
}

TEST_CASE("a dead letter that is redriven comes before those that it has kept back") {
  test::team here;
  here.db.ask("select log_share('crew', p_max_attempts => 1)");
  here.say("a a");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1 2");
  CHECK(ann.nack(1) == "dead");
  CHECK(here.blocked() == "crew|a|1|1");
  CHECK(here.db.ask("select log_redrive('crew', 1)") == "t");
  CHECK(here.blocked().empty());
  CHECK(ann.claim_attempts(1) == "1|1");
  CHECK(bob.claim().empty());
  CHECK(ann.ack() == "1");
  CHECK(bob.claim_attempts() == "2|1");
}

TEST_CASE("what comes along with the first of its key ends before a dead letter") {
  test::team here;
  here.db.ask("select log_share('crew', p_max_attempts => 1)");
  here.say("a a a");
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2 3");
  CHECK(ann.nack(2) == "dead");
  CHECK(ann.nack(1) == "dead");
  here.pass(seconds{11});
  CHECK(here.db.ask("select log_redrive('crew', 1)") == "t");
  CHECK(ann.claim() == "1");
  CHECK(ann.ack() == "1");
  CHECK(ann.claim().empty());
  CHECK(here.db.ask("select log_redrive('crew', 2)") == "t");
  CHECK(ann.claim() == "2 3");
}

TEST_CASE("with on_failure = skip a dead letter lets the later events of its key go on, in its claim, too") {
  test::team here;
  here.db.ask("select log_share('loose', p_max_attempts => 1)");
  here.say("a b a a");
  auto ann = here.hire("loose");
  auto bob = here.hire("loose");
  CHECK(ann.claim(3) == "1 2 3");
  CHECK(bob.claim().empty());
  CHECK(ann.nack(1) == "dead");
  CHECK(here.blocked().empty());
  CHECK(bob.claim().empty());
  CHECK(ann.ack() == "2");
  CHECK(bob.claim() == "4");
  CHECK(here.aside("loose") == "1|dead 4|held");
  // Its time has come again, but one of its key is being handled.
  CHECK(here.db.ask("select log_redrive('loose', 1)") == "t");
  CHECK(ann.claim().empty());
  CHECK(bob.ack() == "1");
  CHECK(ann.claim() == "1");
}

TEST_CASE("with on_failure = skip a retry that dies lets go on what came with it") {
  test::team here;
  here.db.ask("select log_share('loose', '1 m', 2, 'constant', '10 s', '10 s', 0)");
  here.say("a a");
  auto ann = here.hire("loose");
  CHECK(ann.claim() == "1 2");
  CHECK(ann.nack(1) == "retry");
  here.pass(seconds{11});
  CHECK(ann.claim_attempts() == "1|2 2|1");
  CHECK(ann.nack(1) == "dead");
  CHECK(here.aside("loose") == "1|dead 2|held");
  CHECK(ann.ack() == "1");
  CHECK(here.state("loose") == "2|0|0|1");
}

TEST_CASE("of a claim that ran out at its last attempt the first event of each key is dead") {
  for (const auto* consumer : {"crew", "loose"}) {
    const bool blocks = consumer == std::string_view{"crew"};
    test::team here;
    here.db.ask(fmt::format("select log_share('{}', p_max_attempts => 1)", consumer));
    here.say("a b a - -");
    auto ann = here.hire(consumer);
    CHECK(ann.claim() == "1 2 3 4 5");
    here.pass(seconds{61});
    CHECK(ann.claim_attempts() == (blocks ? "" : "3|1"));
    CHECK(here.aside(consumer) ==
          (blocks ? "1|dead 2|dead 3|turn 4|dead 5|dead" : "1|dead 2|dead 3|held 4|dead 5|dead"));
    CHECK(here.blocked() == (blocks ? "crew|a|1|1 crew|b|2|0" : ""));
  }
}

TEST_CASE("of a retry that ran out at its last attempt the first event of each key is dead") {
  for (const auto* consumer : {"crew", "loose"}) {
    const bool blocks = consumer == std::string_view{"crew"};
    test::team here;
    here.db.ask(fmt::format("select log_share('{}', '1 m', 2, 'constant', '10 s', '10 s', 0)", consumer));
    here.say("a b a");
    auto ann = here.hire(consumer);
    CHECK(ann.claim() == "1 2 3");
    here.pass(seconds{61});
    CHECK(ann.claim_attempts() == "1|2 2|2 3|1");
    here.pass(seconds{61});
    CHECK(ann.claim_attempts() == (blocks ? "" : "3|1"));
    CHECK(here.aside(consumer) == (blocks ? "1|dead 2|dead 3|turn" : "1|dead 2|dead 3|held"));
  }
}

TEST_CASE("a dead letter that is redriven while its event comes again is handled once") {
  test::team here;
  here.db.ask("select log_share('crew', p_max_attempts => 1)");
  here.say("a a");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1 2");
  CHECK(ann.nack(1) == "dead");
  CHECK(here.db.ask("select log_seek('crew', 0), log_redrive('crew', 1)") == "0|t");
  CHECK(bob.claim() == "1");
  CHECK(ann.claim().empty());
  CHECK(here.aside() == "1|held 2|now");
  CHECK(bob.ack() == "1");
  CHECK(ann.claim() == "2");
}

TEST_CASE("an event that failed can be claimed while its worker goes on with other keys") {
  test::team here;
  here.say("a b");
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2");
  CHECK(ann.db.ask(fmt::format("select log_nack('crew', {}, 1, 'x', '0')", ann.batch)) == "retry");
  CHECK(here.hire().claim() == "1");
}

TEST_CASE("an event that dies when it is tried again blocks its key") {
  test::team here;
  here.db.ask("select log_share('crew', '1 m', 2, 'constant', '10 s', '10 s', 0)");
  here.say("a");
  auto ann = here.hire();
  CHECK(ann.claim() == "1");
  CHECK(ann.nack(1) == "retry");
  here.pass(seconds{11});
  CHECK(ann.claim() == "1");
  CHECK(ann.nack(1) == "dead");
  here.say("a b");
  CHECK(ann.claim() == "3");
}
