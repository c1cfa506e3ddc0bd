#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

namespace {

constexpr std::string_view two_queues = R"(
[enums.channel]
values = ["letter", "phone"]

[queues.mail]
grants = { produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }
[queues.mail.payload]
body    = "text"
channel = { type = "channel", default = "phone" }
thing   = "uuid?"
things  = { type = "uuid[]", default = [] }
price   = "numeric(10,2)?"
raw     = "bytes?"
day     = "date?"
moment  = "timestamp?"
more    = "jsonb?"

[queues.other]
payload = "jsonb"
grants  = { produce = ["qt_stranger"], consume = ["qt_stranger"] }
)";

struct office : test::workshop {
  office() : workshop{two_queues} {}

  /// What the role is told for a statement; an empty text when it is allowed.
  std::string told(std::string_view role, std::string_view sql) { return open(role).refusal(sql); }
};

std::string denied(std::string_view what) {
  return fmt::format("42501: permission denied for {}", what);
}

}  // namespace

TEST_CASE("nobody but the declared roles has any right") {
  office here;
  CHECK(here.told("qt_stranger", "select mail_enqueue_v1('a')") == denied("function mail_enqueue_v1"));
  CHECK(here.told("qt_stranger", "select mail_claim_v1()") == denied("function mail_claim_v1"));
  CHECK(here.told("qt_stranger", "select mail_ack(1, 1)") == denied("function mail_ack"));
  CHECK(here.told("qt_stranger", "select mail_stats()") == denied("function mail_stats"));
  CHECK(here.told("qt_stranger", "select * from mail_message") == denied("table mail_message"));
  CHECK(here.told("qt_stranger", "select * from mail") == denied("view mail"));
  CHECK(here.db.ask(fmt::format(R"(
    select count(*)
    from pg_proc as p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
    where p.pronamespace = '{}'::regnamespace
      and a.grantee = 0
  )",
                                here.schema())) == "0");
  CHECK(here.db.ask(fmt::format(R"(
    select count(*)
    from pg_class as c, aclexplode(c.relacl) as a
    where c.relnamespace = '{}'::regnamespace
      and a.grantee = 0
  )",
                                here.schema())) == "0");
}

TEST_CASE("a producer enqueues in every way, and neither reads nor claims") {
  office here;
  CHECK(here.told("qt_web", "select mail_enqueue_v1('a')").empty());
  CHECK(here.told("qt_web", "select mail_enqueue_v1('a', p_delay => '1 h')").empty());
  CHECK(here.told("qt_web", "select mail_enqueue_many_v1(array['a'])").empty());
  CHECK(here.told("qt_web", "select mail_enqueue_json_v1('{\"body\": \"a\"}')").empty());
  CHECK(here.told("qt_web", "select mail_enqueue_json('{\"body\": \"a\"}')").empty());
  CHECK(here.told("qt_web", "select queue_enqueue('mail', '{\"body\": \"a\"}')").empty());
  CHECK(here.told("qt_web", "insert into mail (payload) values ('{\"body\": \"a\"}')").empty());
  CHECK(here.told("qt_web", "insert into mail_message (contract_version, body) values (1, 'a'); select mail_wake_v1()")
            .empty());
  CHECK(here.counts() == "7|1|0|0");

  for (const auto* function : {"mail_claim_v1()",
                               "mail_claim_json_v1()",
                               "mail_claim_json()",
                               "mail_take_v1()",
                               "mail_ack(1, 1)",
                               "mail_ack_many('{}', '{}')",
                               "mail_nack(1, 1)",
                               "mail_extend(1, 1)",
                               "mail_release(1, 1)",
                               "mail_attempt(1)",
                               "mail_redrive(1)",
                               "mail_redrive_all()",
                               "mail_purge()",
                               "mail_stats()",
                               "mail_pause()",
                               "mail_resume()",
                               "mail_pick_v1(1)",
                               "mail_bury('{}', '')",
                               test::is_log() ? "mail_maintain()" : "mail_advance_low_water()",
                               test::is_log() ? "mail_restored()" : "mail_stats()",
                               "queue_dequeue('mail')",
                               "queue_ack(1)",
                               "quern_note_client('mail', 1)",
                               "quern_worker_begin('mail', null, false)",
                               "quern_worker_beat(gen_random_uuid(), 'stopped')",
                               "quern_workers()",
                               "quern_payload_problems('{}', '{}')",
                               "quern_check_payload('mail', '{}', '{}')"}) {
    const std::string name{function, std::string_view{function}.find('(')};
    CHECK(here.told("qt_web", fmt::format("select {}", function)) == denied("function " + name));
  }
  CHECK(here.told("qt_web", "select * from mail_message") == denied("table mail_message"));
  CHECK(here.told("qt_web", "select * from quern_client") == denied("table quern_client"));
  CHECK(here.told("qt_web", "select * from quern_worker") == denied("table quern_worker"));
  CHECK(here.told("qt_web", "insert into mail_message (body) values ('a') returning body") ==
        denied("table mail_message"));
  CHECK(here.told("qt_web", "insert into mail_message (message_id, body) values (1, 'a')") ==
        denied("table mail_message"));
  CHECK(here.told("qt_web", fmt::format("insert into mail_message ({}, body) values (1, 'a')",
                                        test::is_log() ? "segment" : "attempt")) == denied("table mail_message"));
  CHECK(here.told("qt_web", "insert into mail_delayed (due_at, body) values (now(), 'a')") ==
        denied("table mail_delayed"));
  CHECK(here.told("qt_web", "select * from mail for update") == denied("view mail"));
  CHECK(here.told("qt_web", "delete from mail") == denied("view mail"));
  CHECK(here.told("qt_web", "select setval('mail_message_id', 1)") == denied("sequence mail_message_id"));
  CHECK(here.told("qt_web", "select queue_enqueue('other', '{}')") == denied("function other_enqueue_json"));
}

TEST_CASE("a consumer ends messages of its own queue and touches no other") {
  office here;
  for (int i = 0; i < 10; ++i) here.db.ask("select mail_enqueue_v1('a')");
  here.db.ask("select other_enqueue_v1('{}')");
  CHECK(here.told("qt_mailer", "select mail_claim_v1(); select mail_claim_json_v1(); select mail_take_v1()").empty());
  CHECK(here.told("qt_mailer", "select mail_claim_json()").empty());
  CHECK(here.told("qt_mailer", "select mail_ack(1, 1), mail_ack_many('{}', '{}'), mail_nack(2, 1)").empty());
  CHECK(here.told("qt_mailer", "select mail_extend(2, 1), mail_release(2, 1), mail_attempt(2), mail_next_due_v1()")
            .empty());
  CHECK(here.told("qt_mailer", "select queue_dequeue('mail'); select queue_ack(4)").empty());
  CHECK(here.told("qt_mailer", "begin; select * from mail limit 1 for update skip locked; rollback").empty());
  CHECK(
      here.told("qt_mailer", "delete from mail where id = 5") ==
      (test::is_log() ? "QN005: the tasks of queue \"mail\" are kept in a log, and cannot be locked or deleted" : ""));

  CHECK(here.told("qt_mailer", "select mail_enqueue_v1('a')") == denied("function mail_enqueue_v1"));
  CHECK(here.told("qt_mailer", "select mail_enqueue_json('{}')") == denied("function mail_enqueue_json"));
  CHECK(here.told("qt_mailer", "select mail_wake_v1()") == denied("function mail_wake_v1"));
  CHECK(here.told("qt_mailer", "select mail_purge()") == denied("function mail_purge"));
  CHECK(here.told("qt_mailer", "select mail_pause()") == denied("function mail_pause"));
  CHECK(here.told("qt_mailer", "insert into mail (payload) values ('{}')") == denied("view mail"));
  CHECK(here.told("qt_mailer", "select * from mail_message") == denied("table mail_message"));
  CHECK(here.told("qt_mailer", "select other_claim_v1()") == denied("function other_claim_v1"));
  CHECK(here.told("qt_mailer", "select queue_dequeue('other')") == denied("function other_claim_json"));
  CHECK(here.told("qt_mailer", "select queue_ack(10000000000001)") == denied("function other_ack"));
  CHECK(here.told("qt_mailer", "select queue_ack(10000000000001, 1)") == denied("function other_ack"));
  CHECK(here.told("qt_mailer", "select * from other") == denied("view other"));
  CHECK(here.told("qt_mailer", "delete from other") == denied("view other"));
  CHECK(here.counts("other") == "1|0|0|0");
}

TEST_CASE("an operator looks, pauses, redrives and purges, and handles nothing") {
  office here;
  here.db.ask("select mail_enqueue_v1('a')");
  CHECK(here.told("qt_ops",
                  "select mail_stats(), mail_pause(), mail_resume(), mail_redrive(1), mail_redrive_all(), "
                  "mail_purge(); select * from mail_message, mail_delayed, mail_dead")
            .empty());
  CHECK(here.told("qt_ops", "select mail_claim_v1()") == denied("function mail_claim_v1"));
  CHECK(here.told("qt_ops", "select mail_enqueue_v1('a')") == denied("function mail_enqueue_v1"));
  CHECK(here.told("qt_ops", "delete from mail_message") == denied("table mail_message"));
  CHECK(here.told("qt_ops", "update mail_dead set attempt = 0") == denied("table mail_dead"));
  CHECK(here.told("qt_ops", "update quern_queue set paused_at = now()") == denied("table quern_queue"));
}

TEST_CASE("every function but enqueue has a search path of its own, with temporary objects last") {
  office here;
  CHECK(here.db
            .ask(fmt::format(R"(
    select p.oid::regprocedure
    from pg_proc as p
    where p.pronamespace = '{}'::regnamespace
      and p.proname not like '%enqueue_v1'  -- which qualifies every name, see the traps below
      and not 'search_path=pg_catalog, pg_temp' = any (coalesce(p.proconfig, '{{}}'))
  )",
                             here.schema()))
            .empty());
}

namespace {

/// Puts a type, a table, functions and operators of its own in front of PostgreSQL's; whichever of them is used notes
/// under whose name.
void set_traps(test::session& as, std::string_view role) {
  as.ask(R"(
    create function pg_temp.spy(p_what pg_catalog.text) returns boolean language plpgsql as $$
    begin
      if current_user <> session_user then
        perform pg_catalog.set_config('trap.sprung', p_what, false);
      end if;
      return true;
    end
    $$;
  )");
  for (const auto* type : {"text", "jsonb", "uuid", "timestamptz", "bytea", "date", "regclass", "oid", "name"})
    as.ask(fmt::format("create domain pg_temp.{0} as pg_catalog.{0} check (pg_temp.spy('type {0}'))", type));
  for (const auto* table : {"mail_message", "mail_delayed", "quern_queue", "unnest", "pg_class", "pg_locks"})
    as.ask(fmt::format("create temp table {} (message_id bigint, queue pg_catalog.text)", table));
  as.ask(fmt::format("create schema if not exists evil_{}", role));
  const auto evil = fmt::format("evil_{}", role);
  as.ask(fmt::format("set search_path = {}, pg_temp, pg_catalog", evil));
  as.ask(R"(
    create or replace function clock_timestamp() returns pg_catalog.timestamptz language sql as
      $$select pg_catalog.now() from pg_temp.spy('clock_timestamp')$$;
    create or replace function cardinality(anyarray) returns integer language sql as
      $$select pg_catalog.cardinality($1) from pg_temp.spy('cardinality')$$;
    create or replace function pg_try_advisory_lock(bigint) returns boolean language sql as
      $$select true from pg_temp.spy('pg_try_advisory_lock')$$;
    create or replace function pg_advisory_unlock(bigint) returns boolean language sql as
      $$select pg_catalog.pg_advisory_unlock($1) from pg_temp.spy('pg_advisory_unlock')$$;
    create or replace function pg_notify(pg_catalog.text, pg_catalog.text) returns void language sql as
      $$select pg_catalog.pg_notify($1, $2) from pg_temp.spy('pg_notify')$$;
    create or replace function spied_less(interval, interval) returns boolean language sql as
      $$select $1 operator(pg_catalog.<) $2 from pg_temp.spy('<')$$;
    create operator < (leftarg = interval, rightarg = interval, function = spied_less);
    create or replace function spied_greater(interval, interval) returns boolean language sql as
      $$select $1 operator(pg_catalog.>) $2 from pg_temp.spy('>')$$;
    create operator > (leftarg = interval, rightarg = interval, function = spied_greater);
    create or replace function spied_plus(pg_catalog.timestamptz, interval) returns pg_catalog.timestamptz
      language sql as $$select $1 operator(pg_catalog.+) $2 from pg_temp.spy('+')$$;
    create operator + (leftarg = pg_catalog.timestamptz, rightarg = interval, function = spied_plus);
    create or replace function spied_equal(bigint, bigint) returns boolean language sql as
      $$select $1 operator(pg_catalog.=) $2 from pg_temp.spy('=')$$;
    create operator = (leftarg = bigint, rightarg = bigint, function = spied_equal);
  )");
}

}  // namespace

TEST_CASE("types, tables, functions and operators that a caller puts in front are not used with the owner's rights") {
  office here;
  here.db.ask(fmt::format("grant create on database {} to qt_web, qt_mailer, qt_ops",
                          here.db.ask("select current_database()")));
  const auto& schema = here.schema();

  struct part {
    const char* role;
    std::vector<std::string> calls;
  };

  const std::vector<part> parts{
      {"qt_web",
       {"{0}.mail_enqueue_v1('a', 'phone', 'c0ffee00-0000-4000-8000-000000000000'::pg_catalog.uuid, "
        "'{{}}'::pg_catalog.uuid[])",
        "{0}.mail_enqueue_v1('a', p_delay => '1 h')",
        "{0}.mail_enqueue_many_v1(array['a'::pg_catalog.text], p_things => array['{{}}'::pg_catalog.text])",
        "{0}.mail_enqueue_json_v1('{{\"body\": \"a\", \"thing\": \"c0ffee00-0000-4000-8000-000000000000\", \"things\": "
        "[\"c0ffee00-0000-4000-8000-000000000000\"], \"raw\": \"\", \"day\": \"2020-01-01\", \"moment\": "
        "\"2020-01-01\", "
        "\"more\": {{}}, \"price\": 1}}'::pg_catalog.jsonb)",
        "{0}.queue_enqueue('mail'::pg_catalog.text, '{{\"body\": \"a\"}}'::pg_catalog.jsonb)", "{0}.mail_wake()",
        "{0}.mail_wake_v1()"}},
      {"qt_mailer",
       {"{0}.mail_claim_v1(1)", "{0}.mail_claim_json_v1(1)", "{0}.mail_take_v1(1)", "{0}.mail_nack(1, 1)",
        "{0}.mail_nack(2, 1, 'x'::pg_catalog.text)", "{0}.mail_ack(1, 1)", "{0}.mail_ack_many('{{1}}', '{{1}}')",
        "{0}.mail_extend(1, 1)", "{0}.mail_release(2, 1)", "{0}.mail_attempt(1)", "{0}.mail_next_due_v1()",
        "{0}.queue_dequeue('mail'::pg_catalog.text)", "{0}.queue_ack(1)"}},
      {"qt_ops",
       {"{0}.mail_redrive(1)", "{0}.mail_redrive_all()", "{0}.mail_purge()", "{0}.mail_stats()", "{0}.mail_pause()",
        "{0}.mail_resume()"}}};
  for (const auto& [role, calls] : parts) {
    auto attacker = here.open(role);
    set_traps(attacker, role);
    for (const auto& call : calls) {
      INFO(call);
      attacker.ask("select pg_catalog.set_config('trap.sprung', '', false)");
      attacker.ask(fmt::format("select {}", fmt::format(fmt::runtime(call), schema)));
      CHECK(attacker.ask("select pg_catalog.current_setting('trap.sprung')").empty());
    }
  }
}
