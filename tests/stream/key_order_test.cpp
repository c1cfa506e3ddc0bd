#include "stream/team.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// Workers of one consumer with `ordered_by`: the events of a key are handled one at a time and in their order.

using std::chrono::seconds;

namespace {

/// 7000 events of the key a, but for each thousandth, which has a key of its own.
void say_thousands(test::team& here) {
  here.db.ask(
      "select log_publish_many_v1(array_agg('x'::text), array_agg(case when g % 1000 = 0 then 'b' || g else 'a' end)) "
      "from generate_series(1, 7000) as g; select log_seal()");
}

/// What ten claims of a thousand give.
std::string claim_all(test::hand& by) {
  std::string got;
  for (int i = 0; i < 10; ++i) got += by.claim(1000) + " ";
  return got;
}

}  // namespace

TEST_CASE("an event whose key another worker has waits for it, and other keys go on") {
  test::team here;
  here.say("a b a c a");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(2) == "1 2");
  CHECK(bob.claim() == "4");
  CHECK(here.aside() == "3|now 5|turn");
  CHECK(bob.claim().empty());
  CHECK(ann.ack(1) == "1");
  CHECK(bob.claim() == "3 5");
  CHECK(bob.ack() == "2");
  CHECK(ann.ack() == "1");
  CHECK(here.state() == "3|1|0|0");
}

TEST_CASE("events of one key that come in one claim come in their order, and their worker has all of them") {
  test::team here;
  here.say("a b a b a");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1 2 3 4 5");
  CHECK(bob.claim().empty());
  CHECK(ann.ack() == "5");
  CHECK(here.state() == "5|0|0|0");
  CHECK(here.aside().empty());
}

TEST_CASE("what waits comes out piece by piece, as far as is asked for, and keeps its order") {
  test::team here;
  here.say("a a a a a b");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(1) == "1");
  CHECK(bob.claim() == "6");
  CHECK(here.aside() == "2|now 3|turn 4|turn 5|turn");
  CHECK(ann.ack() == "1");
  CHECK(ann.claim(2) == "2 3");
  CHECK(here.aside() == "2|held 3|held 4|now 5|turn");
  CHECK(bob.claim().empty());
  here.say("a");
  CHECK(bob.claim().empty());
  CHECK(here.aside() == "2|held 3|held 4|now 5|turn 7|turn");
  CHECK(ann.ack(2) == "1");
  CHECK(here.hire().claim().empty());
  CHECK(ann.ack(3) == "1");
  CHECK(here.hire().claim() == "4 5 7");
}

TEST_CASE("events without a key have no order") {
  test::team here;
  here.say("- - - a -");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(1) == "1");
  CHECK(ann.nack(1) == "retry");
  CHECK(ann.claim(1) == "2");
  CHECK(bob.claim() == "3 4 5");
  CHECK(bob.nack(3) == "retry");
  CHECK(bob.ack() == "2");
}

TEST_CASE("a claim that ran out keeps its keys for whoever takes it over, and the old token can do nothing") {
  test::team here;
  here.say("a b a c a");
  auto ann = here.hire();
  auto bob = here.hire();
  auto eve = here.hire();
  CHECK(ann.claim(3) == "1 2 3");
  CHECK(bob.claim() == "4");
  here.pass(seconds{61});
  CHECK(bob.extend() == "t");
  CHECK(eve.claim_attempts(1) == "1|2");
  CHECK(ann.ack() == "0");
  CHECK(ann.nack(1) == "lost");
  CHECK(ann.extend() == "null");
  CHECK(ann.release() == "f");
  CHECK(ann.db.ask(fmt::format("select log_held('crew', {})", ann.batch)) == "{}");
  // 1 is held, 3 and 5 wait for it: 3 has not been tried.
  CHECK(here.aside() == "1|held 2|now 3|now 5|now");
  CHECK(ann.claim_attempts() == "2|2");
  CHECK(eve.ack() == "1");
  CHECK(eve.claim_attempts() == "3|1 5|1");
}

TEST_CASE("what a session took with it is free at once, and in order") {
  test::team here;
  here.say("a b a b");
  auto ann = here.enlist();
  auto bob = here.enlist();
  CHECK(ann.claim(3) == "1 2 3");
  CHECK(bob.claim().empty());
  here.kill(ann);
  CHECK(bob.claim_attempts(3) == "1|2 2|2 3|1");
  here.kill(bob);
  auto eve = here.enlist();
  CHECK(eve.claim_attempts() == "1|3 2|3 3|1 4|1");
  CHECK(eve.ack() == "4");
  CHECK(here.aside().empty());
}

TEST_CASE("what is given back keeps its order and its attempts") {
  test::team here;
  here.say("a b a");
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2 3");
  CHECK(ann.release() == "t");
  CHECK(ann.claim_attempts() == "1|1 2|1 3|1");
  CHECK(ann.release() == "t");
  CHECK(here.aside() == "1|now 2|now 3|turn");
  CHECK(ann.claim_attempts(1) == "1|1");
  CHECK(here.hire().claim() == "2");
}

TEST_CASE("a filter and an order go together") {
  test::team here;
  here.db.ask("select log_publish_many_v1('{b1,a,b2,b3,a,b4}', '{k,k,k,l,l,k}'); select log_seal()");
  auto ann = here.hire("picky");
  auto bob = here.hire("picky");
  CHECK(ann.claim(1) == "1");
  CHECK(bob.claim() == "4");
  CHECK(here.aside("picky") == "3|now 6|turn");
  CHECK(ann.ack() == "1");
  CHECK(ann.claim() == "3 6");
}

TEST_CASE("a claim that sets aside all that it has looked at looks on") {
  test::team here;
  here.say("a a a b");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(1) == "1");
  CHECK(bob.claim(2).empty());
  CHECK(here.db.ask("select log_looked_up_to('crew'), log_next_due_v1('crew') <= clock_timestamp()") == "3|t");
  CHECK(bob.claim(2) == "4");
  CHECK(here.db.ask("select log_looked_up_to('crew'), log_next_due_v1('crew') > clock_timestamp()") == "null|t");
}

TEST_CASE("when very much waits for what is being worked on, nothing is set aside any more") {
  test::team here;
  say_thousands(here);
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim(1) == "1");
  CHECK(claim_all(bob) == "1000 2000 3000 4000 5000 6000     ");
  const std::string claims = here.db.ask("select count(*) from log_claim");
  CHECK(bob.claim().empty());
  CHECK(here.db.ask("select count(*) from log_claim") == claims);
  CHECK(here.db.ask("select log_looked_up_to('crew'), log_next_due_v1('crew') > clock_timestamp()") == "null|t");
  CHECK(ann.ack() == "1");
  CHECK(ann.claim(1000).starts_with("2 3 "));
  // What waits is looked at once a claim, and not once an event.
  for (auto* each : {&here.db, &ann.db, &bob.db}) each->ask("select pg_stat_force_next_flush()");
  const auto looked = here.db.ask(
      fmt::format("select idx_tup_fetch from pg_stat_user_tables where schemaname = '{}' and relname = 'log_failed'",
                  here.schema()));
  CHECK(std::stoll(looked) > 5000);
  CHECK(std::stoll(looked) < 1'000'000);
}

TEST_CASE("what waits for a retry that is being worked on is as much") {
  test::team here;
  here.say("a");
  auto ann = here.hire();
  auto bob = here.hire();
  CHECK(ann.claim() == "1");
  CHECK(ann.nack(1) == "retry");
  here.pass(seconds{11});
  CHECK(ann.claim() == "1");
  say_thousands(here);
  CHECK(claim_all(bob) == "1001 2001 3001 4001 5001 6001     ");
}

TEST_CASE("dead letters wait for nothing, however many of a key that is being worked on") {
  test::team here;
  say_thousands(here);
  auto ann = here.hire("loose");
  auto bob = here.hire("loose");
  CHECK(ann.claim(1) == "1");
  claim_all(bob);
  here.db.ask("update log_failed set dead_at = now(), due_at = now()");
  CHECK(bob.claim() == "7000");
}

TEST_CASE("a seek forgets what waits, and what comes again is not blocked") {
  test::team here;
  here.db.ask("select log_share('crew', p_max_attempts => 1)");
  here.say("a a b");
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2 3");
  CHECK(ann.nack(1) == "dead");
  CHECK(here.db.ask("select log_seek('crew', 1)") == "1");
  CHECK(here.aside() == "1|dead");
  CHECK(ann.claim() == "3");
  CHECK(here.aside() == "1|dead 2|turn");
  CHECK(here.db.ask("select log_seek('crew', 0)") == "0");
  CHECK(ann.claim() == "1 2 3");
  CHECK(ann.ack() == "3");
  CHECK(here.aside() == "1|dead");
}

TEST_CASE("an ordered consumer cannot be made a plain one while events wait for others of their key") {
  test::team here;
  here.db.ask("select log_share('crew', p_max_attempts => 1)");
  here.say("a a");
  auto ann = here.hire();
  CHECK(ann.claim() == "1 2");
  CHECK(ann.nack(1) == "dead");
  CHECK(here.db.refusal("select log_unshare('crew')") ==
        "QN008: consumer \"crew\" of stream \"log\" is not through with what it has claimed (It is done up to offset 2 "
        "and has claimed up to 2; 1 events wait for another attempt, or for others of their key.)");
  CHECK(here.db.ask("select log_purge('crew')") == "1");
  CHECK(ann.claim() == "2");
  CHECK(ann.ack() == "1");
  CHECK(here.db.ask("select log_unshare('crew')") == "t");
  CHECK(here.db.ask("select log_share('crew')") == "t");
  CHECK(here.db.ask("select log_unsubscribe('crew')") == "t");
}

TEST_CASE("without failures, and with keys that are apart, no row dies on the way") {
  test::team here;
  here.db.ask(
      "select log_publish_many_v1(array_agg('x'::text), array_agg('k' || g)) from generate_series(1, 2000) as g; "
      "select "
      "log_seal()");
  auto ann = here.hire();
  auto bob = here.hire();
  while (!ann.claim(100).empty()) {
    bob.claim(100);
    CHECK(ann.ack() == "100");
    if (bob.batch != "null") bob.ack();
  }
  CHECK(here.state() == "2000|0|0|0");
  const auto all = fmt::format(
      "from pg_stat_user_tables where schemaname = '{}' and relname in ('log_event_0', 'log_page_0', 'log_claim', "
      "'log_position', 'log_failed')",
      here.schema());
  for (auto* each : {&here.db, &ann.db, &bob.db}) each->ask("select pg_stat_force_next_flush()");
  test::wait_until(here.url(), "select sum(n_tup_ins) > 2000 " + all);
  CHECK(here.db.ask("select sum(n_dead_tup), sum(n_tup_upd), sum(n_tup_del) " + all) == "0|0|0");
}

TEST_CASE("what comes along with the first of its key ends before one whose time has not come") {
  test::team here;
  here.say("a a a a");
  auto ann = here.hire();
  CHECK(ann.claim(3) == "1 2 3");
  CHECK(here.hire().claim().empty());
  CHECK(ann.db.ask(fmt::format("select log_nack('crew', {0}, 3, 'x', '1 h'), log_nack('crew', {0}, 1, 'x', '0')",
                               ann.batch)) == "retry|retry");
  CHECK(here.aside() == "1|now 2|turn 3|retry 4|now");
  CHECK(ann.claim() == "1 2");
  CHECK(ann.ack() == "2");
  CHECK(ann.claim().empty());
}

TEST_CASE("a claim that is held for longer keeps its keys") {
  test::team here;
  here.say("a a");
  auto ann = here.hire();
  CHECK(ann.claim(1) == "1");
  CHECK(ann.extend() == "t");
  CHECK(here.hire().claim().empty());
}
