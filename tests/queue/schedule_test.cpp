// What comes at times: once each, however many look, and whatever becomes of those who do.

#include <fmt/format.h>

#include <string>

#include "queue/generated.hpp"
#include "queue/scheduled.hpp"
#include "queue/workshop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using test::every_minute;
using test::every_year;
using test::fired_count;
using test::scheduled;
using test::sleep_for;
using test::workshop;

/// Moments in UTC, joined by spaces, without seconds.
std::string moments(workshop& here, std::string_view source) {
  return here.db.ask(fmt::format(
      "set timezone = 'Pacific/Auckland'; select to_char(t at time zone 'UTC', 'MM-DD\"T\"HH24:MI') from {} "
      "as t order by t",
      source));
}

constexpr const char* all_hours = "array(select generate_series(0, 23))";

}  // namespace

TEST_CASE("a time that the clocks skip is due once, when they have been put forward") {
  workshop here{every_minute("last")};
  // 02:00 becomes 03:00 at 01:00 UTC.
  const auto berlin = [&](const char* minutes, const char* hours) {
    return moments(here, fmt::format("quern_schedule_times({}, {}, 'Europe/Berlin', '2026-03-29')", minutes, hours));
  };
  CHECK(berlin("array[30]", "array[2]") == "03-29T01:00");
  CHECK(berlin("array[0, 15, 45]", "array[2]") == "03-29T01:00");
  CHECK(berlin("array[0]", "array[1, 2, 3, 4]") == "03-29T00:00 03-29T01:00 03-29T02:00");
  // Half an hour in one place, a whole day in another.
  CHECK(moments(here, "quern_schedule_times(array[10], array[2], 'Australia/Lord_Howe', '2026-10-04')") ==
        "10-03T15:30");
  CHECK(moments(here, "quern_schedule_times(array[0], array[9], 'Pacific/Apia', '2011-12-30')") == "12-30T10:00");
  CHECK(moments(here,
                "unnest(quern_schedule_due(array[0], array[0, 9], null, null, null, 'Pacific/Apia', "
                "'2011-12-30 00:00Z', '2011-12-31 00:00Z', 9))") == "12-30T10:00 12-30T19:00");
}

TEST_CASE("a time that the clocks show twice is due the first time") {
  workshop here{every_minute("last")};
  // 03:00 becomes 02:00 at 01:00 UTC.
  CHECK(moments(here, "quern_schedule_times(array[0, 30], array[1, 2, 3], 'Europe/Berlin', '2026-10-25')") ==
        "10-24T23:00 10-24T23:30 10-25T00:00 10-25T00:30 10-25T02:00 10-25T02:30");
  CHECK(moments(here, "quern_schedule_times(array[45], array[1], 'Australia/Lord_Howe', '2026-04-05')") ==
        "04-04T14:45");
}

TEST_CASE("a schedule of every hour follows the clock as it runs") {
  workshop here{every_minute("last")};
  const auto hours = [&](const char* zone, const char* day) {
    const auto source = fmt::format("quern_schedule_times(array[15], {}, '{}', '{}')", all_hours, zone, day);
    const auto gaps = fmt::format(
        "select count(*), max(gap) from (select t - lag(t) over (order by t) as gap from {} as t) as g", source);
    return here.db.ask(gaps);
  };
  CHECK(hours("Europe/Berlin", "2026-03-29") == "23|01:00:00");
  CHECK(hours("Europe/Berlin", "2026-10-25") == "25|01:00:00");
  CHECK(hours("Antarctica/Troll", "2026-10-25") == "26|01:00:00");
  CHECK(hours("UTC", "2026-10-25") == "24|01:00:00");
}

TEST_CASE("months have ends, some years a day more, and of days and weekdays one suffices") {
  workshop here{every_minute("last")};
  const auto due = [&](const char* fields, const char* after, const char* until) {
    return moments(here, fmt::format("unnest(quern_schedule_due({}, 'UTC', '{}Z', '{}Z', 50))", fields, after, until));
  };
  CHECK(due("array[0], array[0], array[31], null, null", "2026-01-01 00:00", "2026-12-31 23:59") ==
        "01-31T00:00 03-31T00:00 05-31T00:00 07-31T00:00 08-31T00:00 10-31T00:00 12-31T00:00");
  CHECK(due("array[0], array[0], array[29], array[2], null", "2023-01-01 00:00", "2028-12-31 23:59") ==
        "02-29T00:00 02-29T00:00");
  CHECK(due("array[0], array[0], array[13], array[11], array[5]", "2026-11-01 00:00", "2026-12-31 23:59") ==
        "11-06T00:00 11-13T00:00 11-20T00:00 11-27T00:00");
  CHECK(due("array[0], array[0], null, null, array[0, 6]", "2026-11-20 00:00", "2026-11-25 00:00") ==
        "11-21T00:00 11-22T00:00");
  // Without its beginning, with its end.
  CHECK(due("array[0], array[0], null, null, null", "2026-11-20 00:00", "2026-11-21 00:00") == "11-21T00:00");
  CHECK(here.db.ask("select quern_schedule_next(array[0], array[0], array[29], array[2], null, 'UTC', '2096-03-01 "
                    "00:00Z') = '2104-02-29 00:00Z'") == "t");
}

TEST_CASE("after a pause the last time fires, or all of them, or none") {
  workshop last{every_year("last")};
  sleep_for(last, "3 years");
  CHECK(fired_count(last.db) == "1|1");
  CHECK(last.db.ask("select last_due_at = date_trunc('year', now(), 'UTC') from quern_schedule") == "t");
  CHECK(fired_count(last.db) == "0|0");

  workshop all{every_year("all")};
  sleep_for(all, "3 years");
  CHECK(fired_count(all.db) == "3|3");
  CHECK(all.counts() == "3|0|0|0");
  CHECK(fired_count(all.db) == "0|0");

  workshop none{every_year("none")};
  sleep_for(none, "3 years");
  CHECK(fired_count(none.db) == "0|0");
  CHECK(none.counts() == "0|0|0|0");
  CHECK(none.db.ask("select next_due_at > now(), overdue_since from quern_schedules()") == "t|null");
}

TEST_CASE("whoever comes within two minutes of a time has missed nothing") {
  workshop here{every_minute("none")};
  sleep_for(here, "10 minutes");
  CHECK(fired_count(here.db) == "1|1");
  CHECK(fired_count(here.db) == "0|0");
}

TEST_CASE("what was missed comes in portions, in order, and the last thousand of it at most") {
  workshop here{every_minute("all")};
  sleep_for(here, "3 days");
  CHECK(
      here.db.ask("select count(*), min(due_at) > now() - interval '1002 minutes', bool_and(due_at < next_due_at) from "
                  "quern_schedule_run()") == "100|t|t");
  CHECK(here.db.ask("select bool_and(wait < '0') from quern_schedule_run(p_count => 3)") == "t");
  CHECK(here.db.ask("select count(*) from quern_schedule_run(p_count => 5000)") >= "896");
  CHECK(here.db.ask("select count(due_at), bool_and(wait > '0') from quern_schedule_run()") == "0|t");
}

TEST_CASE("two schedulers at one time: the second waits, and fires nothing") {
  workshop here{every_year("all")};
  sleep_for(here, "2 years");
  auto other = here.open();
  other.begin();
  CHECK(fired_count(other) == "2|2");
  auto second = here.open();
  auto late = second.later("select count(due_at) from quern_schedule_run()");
  here.wait_until_blocked(second);
  other.commit();
  CHECK(late.get() == "0");
  CHECK(here.counts() == "2|0|0|0");
}

TEST_CASE("what a scheduler did that was killed before its commit fires again, once") {
  workshop here{every_year("all")};
  sleep_for(here, "2 years");
  for (const bool is_killed : {false, true}) {
    auto other = here.open();
    other.begin();
    CHECK(fired_count(other) == "2|2");
    auto second = here.open();
    second.begin();
    auto late = second.later("select count(due_at) from quern_schedule_run()");
    here.wait_until_blocked(second);
    if (is_killed)
      here.db.ask(fmt::format("select pg_terminate_backend({})", other.pid()));
    else
      other.rollback();
    CHECK(late.get() == "2");
    if (is_killed)
      second.commit();
    else
      second.rollback();
  }
  CHECK(here.counts() == "2|0|0|0");
  CHECK(fired_count(here.db) == "0|0");
}

TEST_CASE("a snapshot of before another's firing cannot fire the same again") {
  workshop here{every_year("last")};
  sleep_for(here, "2 years");
  auto other = here.open();
  other.ask("begin isolation level repeatable read; select 1");
  other.ask("select count(*) from quern_schedule");
  CHECK(fired_count(here.db) == "1|1");
  CHECK(other.refusal("select * from quern_schedule_run()") ==
        "40001: could not serialize access due to concurrent update");
  other.rollback();
}

TEST_CASE("nothing fires twice when the clock of the server is put back, nor is anything left out later") {
  workshop here{every_minute("all")};
  here.db.ask("update quern_schedule set last_due_at = date_trunc('minute', now()) + interval '1 hour'");
  CHECK(fired_count(here.db) == "0|0");
  CHECK(here.db.ask(
            "select next_due_at = date_trunc('minute', now()) + interval '61 minutes' from quern_schedules()") == "t");
  CHECK(here.counts() == "0|0|0|0");
}

TEST_CASE("a schedule that cannot fire says why, is tried again, and keeps no other one back") {
  workshop here{every_year("last") +
                "[schedules.audit]\ncron = \"@yearly\"\nstream = \"log\"\npayload = { a = [1] }\n"};
  sleep_for(here, "1 year");
  here.db.ask("alter function mail_enqueue_json_v1(jsonb, interval) rename to gone");
  CHECK(here.db.ask("select schedule, error, wait > '0' and wait <= '1s' from quern_schedule_run() order by 1") ==
        fmt::format("audit|null|f year|function {}.mail_enqueue_json_v1(unknown) does not exist (42883)|t",
                    here.schema()));
  // Not before its time, and then later each time.
  CHECK(here.db.ask("select count(due_at) from quern_schedule_run()") == "0");
  here.db.ask("update quern_schedule set retry_at = now() where schedule = 'year'");
  CHECK(here.db.ask("select wait > '1s' from quern_schedule_run() where error is not null") == "t");
  CHECK(here.db.ask("select failure_count, last_due_at, overdue_since < now() from quern_schedules() where schedule = "
                    "'year'") == "2|null|t");
  here.db.ask("alter function gone(jsonb, interval) rename to mail_enqueue_json_v1");
  here.db.ask("update quern_schedule set retry_at = now()");
  CHECK(fired_count(here.db) == "1|1");
  CHECK(here.db.ask("select failure_count, last_error from quern_schedules() where schedule = 'year'") == "0|null");
  CHECK(here.db.ask("select count(*), min(payload::text) from stream_consume('log', 0)") == "1|{\"a\": [1]}");
}

TEST_CASE("a payload arrives as it is declared, of every type") {
  workshop here{R"toml(
    [enums.channel]
    values = ["email", "sms"]
    [queues.all.payload]
    small   = "int16"
    price   = "numeric(10,2)"
    ratio   = "float64"
    is_fine = "bool"
    subject = "text"
    channel = "channel"
    raw     = "bytes"
    day     = "date"
    at      = "timestamp"
    pause   = "interval"
    token   = "uuid"
    tags    = "channel[]"
    detail  = "jsonb"
    chosen  = { type = "text", default = "chosen" }
    absent  = "text?"
    [schedules.year]
    cron  = "@yearly"
    queue = "all"
    [schedules.year.payload]
    small   = -7
    price   = "12.50"
    ratio   = 1e-7
    is_fine = true
    subject = "It's \"so\" \\ here"
    channel = "sms"
    raw     = '\x0aFF'
    day     = "2026-02-28"
    at      = "2026-11-21T12:30:00+02:00"
    pause   = "1h30m"
    token   = "6f1c3d9e-0d4b-4a55-9d3f-2a8f3c1b7e10"
    tags    = ["sms", "email"]
    detail  = { a = [1, 2.5, true, "x"], b = {} }
  )toml"};
  sleep_for(here, "1 year");
  CHECK(fired_count(here.db) == "1|1");
  CHECK(here.db.ask(
            "set timezone = 'UTC'; select small, price, ratio, is_fine, channel, raw, day, at, pause, token, tags, "
            "detail, chosen, absent from all_message") ==
        "-7|12.50|1e-07|t|sms|\\x0aff|2026-02-28|2026-11-21 "
        "10:30:00+00|01:30:00|6f1c3d9e-0d4b-4a55-9d3f-2a8f3c1b7e10|{sms,email}|{\"a\": [1, 2.5, true, \"x\"], \"b\": "
        "{}}|chosen|null");
  CHECK(here.db.ask("select subject from all_message") == "It's \"so\" \\ here");
}

TEST_CASE("a paused queue gets its message, which waits there") {
  workshop here{every_year("last")};
  sleep_for(here, "1 year");
  here.db.ask("select mail_pause()");
  CHECK(fired_count(here.db) == "1|1");
  CHECK(here.db.receive().empty());
  here.db.ask("select mail_resume()");
  CHECK(test::bodies(here.db.receive()) == "y");
}

TEST_CASE("a full queue table, a rolled-back caller: the time and its message are there together or not at all") {
  workshop here{every_year("last")};
  sleep_for(here, "1 year");
  here.db.begin();
  CHECK(fired_count(here.db) == "1|1");
  here.db.rollback();
  CHECK(here.counts() == "0|0|0|0");
  CHECK(here.db.ask("select last_due_at from quern_schedule") == "null");
  here.db.ask("alter table mail_message add constraint refuse check (body <> 'y')");
  here.db.ask("select * from quern_schedule_run()");
  CHECK(here.db.ask("select last_due_at, failure_count from quern_schedule") == "null|1");
  here.db.ask("alter table mail_message drop constraint refuse; update quern_schedule set retry_at = null");
  CHECK(fired_count(here.db) == "1|1");
  CHECK(here.counts() == "1|0|0|0");
}

TEST_CASE("a schedule whose row was lost counts from now on") {
  workshop here{every_year("all")};
  here.db.ask("delete from quern_schedule");
  CHECK(fired_count(here.db) == "0|0");
  CHECK(here.db.ask("select count(*) from quern_schedule where counted_from > now() - interval '1 minute'") == "1");
}

TEST_CASE("who operates a queue may run its schedules, and nobody else; nobody reads or writes their table") {
  workshop here{every_year("last")};
  sleep_for(here, "1 year");
  for (const auto* role : {"qt_web", "qt_mailer"}) {
    auto other = here.open(role);
    CHECK(other.refusal("select * from quern_schedule_run()") ==
          "42501: permission denied for function quern_schedule_run");
    CHECK(other.refusal("select * from quern_schedules()") == "42501: permission denied for function quern_schedules");
  }
  auto operating = here.open("qt_ops");
  CHECK(operating.ask("select schedule from quern_schedules()") == "year");
  CHECK(operating.refusal("select quern_schedule_fire('year')") ==
        "42501: permission denied for function quern_schedule_fire");
  CHECK(operating.refusal("select quern_schedule_declared()") ==
        "42501: permission denied for function quern_schedule_declared");
  CHECK(operating.refusal("update quern_schedule set last_due_at = null") ==
        "42501: permission denied for table quern_schedule");
  CHECK(fired_count(operating) == "1|1");
  CHECK(here.counts() == "1|0|0|0");
}

TEST_CASE("there is no schedule of another name") {
  workshop here{every_year("last")};
  CHECK(here.db.refusal("select quern_schedule_fire('month')") == "QN030: there is no schedule \"month\"");
  CHECK(here.db.ask("select count(*) from quern_schedule_run('somebody')") == "0");
}
