#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

namespace {

constexpr std::string_view archived = R"(
[queues.mail]
lease  = "30s"
retry  = { max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }
grants = { produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }
keep_done = "6h"
[queues.mail.payload]
body = "text"
)";

std::string archive(test::session& with) {
  return with.ask("select message_id, attempt, contract_version, payload, result from mail_done()");
}

/// Makes everything in the archive that much older.
void age(test::session& with, std::string_view time) {
  with.ask(
      fmt::format("update mail_done set done_at = done_at - interval '{0}'; select setval("
                  "'mail_done_rotated_at', pg_sequence_last_value('mail_done_rotated_at') - extract(epoch from "
                  "interval '{0}')::bigint), setval('mail_maintained_at', 0)",
                  time));
}

std::string segments(test::session& with) {
  return with.ask("select segment, count(*) from mail_done group by 1 order by 1");
}

}  // namespace

TEST_CASE("a handled message is kept with its payload, whichever way it ended") {
  test::workshop here{archived};
  for (const auto* body : {"acked", "acked together", "taken", "at the door", "set at the door", "late"})
    here.db.send(body);
  auto held = here.db.receive(2);
  CHECK(here.db.ack(held[0]));
  CHECK(here.db.ack_many({held[1]}) == "{}");
  CHECK(here.db.take()[0].body == "taken");
  here.db.ask("delete from mail where id = 4");
  here.db.ask("update mail set status = 'completed' where id = 5");
  REQUIRE(here.db.fail(here.db.receive_one()) == "retry");
  CHECK(here.db.ack(here.db.receive_one()));
  CHECK(here.contents().empty());
  CHECK(archive(here.db) ==
        "6|2|1|{\"body\": \"late\"}|null 5|1|1|{\"body\": \"set at the door\"}|null "
        "4|1|1|{\"body\": \"at the door\"}|null 3|1|1|{\"body\": \"taken\"}|null "
        "2|1|1|{\"body\": \"acked together\"}|null 1|1|1|{\"body\": \"acked\"}|null");
  CHECK(here.db.ask("select mail_done_count()") == "6");
  CHECK(here.db.ask("select bool_and(enqueued_at < done_at) from mail_done()") == "t");
}

TEST_CASE("a message of the second attempt is taken, and acknowledged by the untyped door, into the archive") {
  test::workshop here{archived};
  here.db.send("a");
  REQUIRE(here.db.fail(here.db.receive_one()) == "retry");
  CHECK(here.db.take()[0].attempt == 2);
  here.db.send("b");
  REQUIRE(here.db.receive_one().id == 2);
  CHECK(here.db.ask("select queue_ack(2)") == "t");
  CHECK(archive(here.db) == "2|1|1|{\"body\": \"b\"}|null 1|2|1|{\"body\": \"a\"}|null");
}

TEST_CASE(
    "what was cancelled, purged, released or failed is not in the archive, and a stale attempt leaves nothing there") {
  test::workshop here{archived};
  const auto cancelled = here.db.send("cancelled");
  CHECK(here.db.ask(fmt::format("select mail_cancel({})", cancelled)) == "t");
  here.db.send("dead");
  const auto held = here.db.receive_one();
  CHECK(here.db.fail({held.id, held.attempt + 1, {}}) == "lost");
  CHECK_FALSE(here.db.ack({held.id, held.attempt + 1, {}}));
  CHECK(here.db.release(held));
  const auto last = here.db.receive_one();
  here.make_last();
  CHECK(here.db.fail(last) == "dead");
  CHECK(here.db.ask("select state from mail_result(2)") == "dead");
  here.db.ask("select mail_purge()");
  CHECK(archive(here.db).empty());
  CHECK(here.db.ask("select r.* from mail_result(1) as r union all select r.* from mail_result(2) as r") ==
        "unknown|null unknown|null");
}

TEST_CASE("a result is there for whoever asks when the acknowledgement has committed, and not before") {
  test::workshop here{archived};
  const auto id = here.db.send("a");
  auto other = here.open();
  const auto ask = [&] { return other.ask(fmt::format("select r.* from mail_result({}) as r", id)); };
  CHECK(ask() == "pending|null");
  const auto held = here.db.receive_one();
  CHECK(ask() == "pending|null");
  here.db.begin();
  here.db.ask("create table effects (n int); insert into effects values (1)");
  CHECK(here.db.ask(fmt::format("select mail_ack_result({}, 1, '{{\"sent\": true}}')", id)) == "t");
  CHECK(here.db.ask(fmt::format("select r.* from mail_result({}) as r", id)) == "done|{\"sent\": true}");
  CHECK(ask() == "pending|null");
  here.db.rollback();
  CHECK(ask() == "pending|null");
  CHECK(other.ask("select to_regclass('effects')") == "null");
  here.db.begin();
  here.db.ask("create table effects (n int); insert into effects values (1)");
  CHECK(here.db.ask(fmt::format("select mail_ack_result({}, 1, '{{\"sent\": true}}')", id)) == "t");
  here.db.commit();
  CHECK(ask() == "done|{\"sent\": true}");
  CHECK(other.ask("select count(*) from effects") == "1");
  CHECK(here.db.ask(fmt::format("select mail_ack_result({}, 1, '0')", id)) == "f");
  CHECK(ask() == "done|{\"sent\": true}");
  CHECK_FALSE(here.db.ack(held));
}

TEST_CASE("messages end together, each with its result, and those that are lost are said") {
  test::workshop here{archived};
  for (const auto* body : {"a", "b", "c"}) here.db.send(body);
  REQUIRE(here.db.receive(3).size() == 3);
  CHECK(here.db.ask("select mail_ack_results('{1,2,3}', '{1,1,2}', array['1', null]::jsonb[])") == "{3}");
  CHECK(here.db.ask("select message_id, result from mail_done() order by 1") == "1|1 2|null");
  CHECK(here.db.ask("select mail_ack_results('{3}', '{1}', null)") == "{}");
  CHECK(here.db.ask("select mail_ack_results('{3,null}', '{1,1}', null)") == "{3,NULL}");
  CHECK(here.db.ask("select mail_ack_results('{}', '{}', '{}'), mail_ack_result(null, 1, '1')") == "{}|f");
}

TEST_CASE("the archive is read newest first, before a time, or by an id") {
  test::workshop here{archived};
  for (int i = 1; i <= 5; ++i) {
    here.db.send(fmt::format("m{}", i));
    REQUIRE(here.db.take().size() == 1);
  }
  CHECK(here.db.ask("select message_id from mail_done(2)") == "5 4");
  CHECK(here.db.ask("select message_id from mail_done(2, (select done_at from mail_done where message_id = 4))") ==
        "3 2");
  CHECK(here.db.ask("select payload ->> 'body' from mail_done(p_message_id => 3)") == "m3");
  CHECK(here.db.ask("select message_id from mail_done(p_message_id => 99)").empty());
}

TEST_CASE("handled messages go when they are too old, a segment at a time, also under a pinned snapshot") {
  test::workshop here{archived};
  auto old = here.open();
  old.begin();
  old.ask("create table pin (n int)");
  std::string seen;
  for (int i = 1; i <= 8; ++i) {
    here.db.send(fmt::format("m{}", i));
    REQUIRE(here.db.take().size() == 1);
    age(here.db, "2h1s");
    REQUIRE(here.db.receive().empty());
    seen += fmt::format("{}; ", segments(here.db));
  }
  CHECK(seen == "0|1; 0|1 1|1; 1|1 2|1; 2|1 3|1; 3|1 4|1; 0|1 4|1; 0|1 1|1; 1|1 2|1; ");
  CHECK(here.db.ask("select message_id from mail_done()") == "8 7");
  old.rollback();
}

TEST_CASE("what is too old is not shown, whether it was cleared away or not") {
  test::workshop here{archived};
  here.db.send("a");
  REQUIRE(here.db.take().size() == 1);
  CHECK(here.db.ask("select state from mail_result(1)") == "done");
  age(here.db, "6h1s");
  CHECK(here.db.ask("select state from mail_result(1)") == "unknown");
  CHECK(archive(here.db).empty());
  CHECK(here.db.ask("select count(*) from mail_done(p_message_id => 1)") == "0");
  CHECK(here.db.ask("select mail_done_count()") == "0");
  CHECK(segments(here.db) == "0|1");
}

TEST_CASE("a segment stays while somebody has put something into it and not committed, and nobody waits") {
  test::workshop here{archived};
  here.db.send("a");
  here.db.send("b");
  REQUIRE(here.db.take().size() == 1);
  auto other = here.open();
  other.begin();
  REQUIRE(other.take().size() == 1);
  age(here.db, "6h1s");
  here.db.ask("select setval('mail_done_segment', 1)");
  CHECK(here.db.ask("select mail_maintain()") == "");
  CHECK(segments(here.db) == "0|1");
  other.commit();
  CHECK(here.db.ask("select mail_maintain()") == "");
  CHECK(segments(here.db) == "0|2");
  CHECK(here.db.ask("select message_id from mail_done()") == "2");
}

TEST_CASE("what was put into a segment after it was found too old is found again under its lock") {
  test::workshop here{archived};
  here.db.ask("alter function mail_truncate_done set lock_timeout = '20s'");
  here.db.send("a");
  here.db.send("b");
  REQUIRE(here.db.take().size() == 1);
  auto other = here.open();
  other.begin();
  REQUIRE(other.take().size() == 1);
  age(here.db, "6h1s");
  here.db.ask("select setval('mail_done_segment', 1)");
  auto clearing = here.open();
  auto cleared = clearing.later("select mail_maintain()");
  here.wait_until_blocked(clearing);
  other.commit();
  cleared.get();
  CHECK(segments(here.db) == "0|2");
}

TEST_CASE("an archive is not cleared away by a transaction whose snapshot may be old") {
  test::workshop here{archived};
  auto late = here.open();
  late.ask("begin isolation level repeatable read; select 1");
  CHECK(late.refusal("select mail_maintain()") ==
        "QN004: a queue can be cleared away in a READ COMMITTED transaction only");
}

TEST_CASE("claims and takes clear away by themselves only where they are the whole of their transaction") {
  test::workshop here{archived};
  const auto is_due = [&] { return here.db.ask("select pg_sequence_last_value('mail_maintained_at') = 0") == "t"; };
  const auto make_due = [&] { here.db.ask("select setval('mail_maintained_at', 0)"); };
  for (const auto* call : {"select * from mail_claim_v1()", "select * from mail_take_v1()"}) {
    INFO(call);
    make_due();
    here.db.begin();
    here.db.ask(call);
    here.db.commit();
    here.db.ask(fmt::format("{}; select 1", call));
    // What calls it may go on to work, with the locks that clearing away takes.
    here.db.ask(fmt::format("create or replace function work() returns setof record language sql as '{}'", call));
    here.db.ask("select work()");
    here.db.ask(fmt::format("with got as ({}) select * from got", call));
    CHECK(is_due());
    here.db.ask(call);
    CHECK_FALSE(is_due());
  }
}

TEST_CASE("an operator forgets the archive, and results are unknown") {
  test::workshop here{archived};
  here.db.send("a");
  REQUIRE(here.db.take().size() == 1);
  auto ops = here.open("qt_ops");
  CHECK(ops.ask("select mail_forget_done()") == "1");
  CHECK(ops.ask("select mail_forget_done(), state from mail_result(1)") == "0|unknown");
}

TEST_CASE("producers ask for results, consumers give them, operators read the archive, and nobody more") {
  test::workshop here{archived};
  here.db.send("a");
  auto web = here.open("qt_web");
  auto mailer = here.open("qt_mailer");
  auto ops = here.open("qt_ops");
  auto stranger = here.open("qt_stranger");
  REQUIRE(mailer.receive_one().id == 1);
  CHECK(web.ask("select state from mail_await(1)") == "pending");
  web.ask("select mail_await_end(1)");
  CHECK(mailer.ask("select mail_ack_result(1, 1, '\"x\"')") == "t");
  CHECK(web.ask("select r.* from mail_result(1) as r") == "done|\"x\"");
  CHECK(ops.ask("select result from mail_done()") == "\"x\"");
  CHECK(ops.ask("select result from mail_done") == "\"x\"");
  mailer.ask("select mail_maintain()");
  for (const auto* call : {"mail_done()", "mail_done_count()", "mail_forget_done()", "mail_ack_result(1, 1, null)",
                           "mail_ack_results('{1}', '{1}', null)", "mail_maintain()", "mail_tell('{1}')"}) {
    INFO(call);
    CHECK(web.refusal(fmt::format("select {}", call)).starts_with("42501: permission denied for function"));
  }
  CHECK(web.refusal("select * from mail_done") == "42501: permission denied for table mail_done");
  CHECK(mailer.refusal("select * from mail_done()") == "42501: permission denied for function mail_done");
  CHECK(mailer.refusal("select * from mail_result(1)") == "42501: permission denied for function mail_result");
  CHECK(ops.refusal("select mail_ack_result(1, 1, null)") == "42501: permission denied for function mail_ack_result");
  for (const auto* call : {"mail_result(1)", "mail_await(1)", "mail_await_end(1)", "mail_done()"})
    CHECK_FALSE(stranger.refusal(fmt::format("select {}", call)).empty());
}

TEST_CASE("priorities, a unique key and an order go on working beside the archive") {
  test::workshop levels{R"(
[queues.mail]
keep_done  = "1d"
priorities = 2
unique     = { fields = ["body"], while = "pending" }
[queues.mail.payload]
body = { type = "text", max_length = 9 }
)"};
  CHECK(levels.db.ask("select message_id from mail_enqueue_v1('a')") == "1");
  CHECK(levels.db.ask("select message_id from mail_enqueue_v1('b', p_priority => 1)") == "2");
  CHECK(levels.db.ask("select is_duplicate from mail_enqueue_v1('a')") == "t");
  CHECK(test::bodies(levels.db.take(2)) == "a b");
  CHECK(levels.db.ask("select payload from mail_done() order by message_id") == "{\"body\": \"a\"} {\"body\": \"b\"}");
  CHECK(levels.db.ask("select is_duplicate from mail_enqueue_v1('a')") == "f");
  auto held = levels.db.receive_one();
  CHECK(levels.db.ask("select is_duplicate from mail_enqueue_v1('a')") == "t");
  CHECK(levels.db.ask(fmt::format("select mail_ack_result({}, 1, '1')", held.id)) == "t");
  CHECK(levels.db.ask("select is_duplicate from mail_enqueue_v1('a')") == "f");

  test::workshop ordered{R"(
[queues.mail]
keep_done  = "1d"
ordered_by = "body"
unique     = { fields = ["note"], within = "1h" }
[queues.mail.payload]
body = "text"
note = { type = "text?", max_length = 9 }
)"};
  for (int i = 0; i < 3; ++i) ordered.db.ask("select mail_enqueue_v1('k')");
  ordered.db.ask("select mail_enqueue_v1('l')");
  CHECK(test::bodies(ordered.db.take(9)) == "k l");
  held = ordered.db.receive_one();
  CHECK(ordered.db.receive().empty());
  CHECK(ordered.db.ask(fmt::format("select mail_ack_result({}, 1, '2')", held.id)) == "t");
  CHECK(test::bodies(ordered.db.take(9)) == "k");
  CHECK(ordered.db.ask("select message_id, attempt, result from mail_done() order by 1") ==
        "1|1|null 2|1|2 3|1|null 4|1|null");
}
