// Schedules that migrations bring, change and take away.

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "queue/generated.hpp"
#include "queue/scheduled.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using test::every_year;
using test::fired_count;
using test::scheduled;
using test::sleep_for;
using test::workshop;

}  // namespace

TEST_CASE("a migration refuses a time zone that the server does not have") {
  workshop here;
  const auto sql = test::migrations_of(
      scheduled("[schedules.tick]\ncron = \"@daily\"\nzone = \"Europe/Nowhere\"\nqueue = \"mail\"\npayload = { body = "
                "\"x\" }\n"),
      "zones");
  CHECK(here.db.refusal("create schema zones; " + sql) ==
        "QN031: the server has no time zone \"Europe/Nowhere\", which the schedule \"tick\" needs");
}

TEST_CASE("a job of pg_cron runs the schedules that ask for it, and goes with them") {
  // What pg_cron has, as far as migrations use it.
  const test::database own;
  const auto of_cron = [](std::string_view runner) {
    return scheduled(
        fmt::format("[schedules.tick]\ncron = \"@yearly\"\nqueue = \"mail\"\npayload = {{ body = \"x\" }}\nrunner = "
                    "\"{}\"\n",
                    runner));
  };
  workshop here{scheduled(""), own.url()};
  const auto releases =
      test::releases_of({scheduled(""), of_cron("pg_cron"), of_cron("quern"), of_cron("pg_cron")}, here.schema());
  const auto apply = [&](std::size_t release) {
    for (const auto& step : releases.at(release)) here.db.ask(step);
    here.db.ask(fmt::format("set search_path = {}", here.schema()));
  };
  std::string all;
  for (const auto& step : releases.at(1)) all += step;
  CHECK(here.db.refusal("begin;" + all) ==
        "QN032: pg_cron is not installed in this database, which the schedule \"tick\" needs");
  here.db.rollback();
  here.db.ask(R"(
    create schema cron;
    create table cron.job (jobid bigint generated always as identity, jobname text unique, schedule text, command text);
    create function cron.schedule(text, text, text) returns bigint language sql as $$
      insert into cron.job (jobname, schedule, command) values ($1, $2, $3) returning jobid $$;
    create function cron.unschedule(bigint) returns boolean language sql as $$
      delete from cron.job where jobid = $1 returning true $$;
  )");
  apply(1);
  const auto job = here.db.ask("select schedule, command from cron.job");
  CHECK(job == fmt::format("* * * * *|select * from {}.quern_schedule_run('pg_cron')", here.schema()));
  sleep_for(here, "1 year");
  CHECK(fired_count(here.db) == "0|0");
  here.db.ask(here.db.ask("select command from cron.job"));
  CHECK(here.counts() == "1|0|0|0");
  apply(2);
  CHECK(here.db.ask("select count(*) from cron.job") == "0");
  apply(3);
  CHECK(here.db.ask("select jobname from cron.job") == "quern " + here.schema());
}

TEST_CASE("a schedule moves to the newest contract with the migration that makes it, and keeps what was missed") {
  const std::string first = every_year("last");
  std::string second = first;
  second.insert(second.find("body = \"text\"\n"), "note = \"text?\"\n");
  second.insert(second.find("body = \"y\""), "note = \"new\", ");
  workshop here{first};
  const auto releases = test::releases_of({first, second}, here.schema());
  sleep_for(here, "1 year");
  for (const auto& step : releases.at(1)) here.db.ask(step);
  here.db.ask(fmt::format("set search_path = {}", here.schema()));
  CHECK(fired_count(here.db) == "1|1");
  CHECK(here.db.ask("select contract_version, body, note from mail_message") == "2|y|new");
}

TEST_CASE("other times count from their migration on, another payload changes nothing of them") {
  const std::string first = every_year("all");
  std::string other_payload = first;
  other_payload.replace(other_payload.find("body = \"y\""), 10, "body = \"z\"");
  std::string other_times = other_payload;
  other_times.replace(other_times.find("@yearly"), 7, "@hourly");
  workshop here{first};
  const auto releases = test::releases_of({first, other_payload, other_times}, here.schema());
  sleep_for(here, "2 years");
  for (const auto& step : releases.at(1)) here.db.ask(step);
  here.db.ask(fmt::format("set search_path = {}", here.schema()));
  CHECK(fired_count(here.db) == "2|2");
  CHECK(test::bodies(here.db.receive(2)) == "z z");
  sleep_for(here, "2 years");
  for (const auto& step : releases.at(2)) here.db.ask(step);
  here.db.ask(fmt::format("set search_path = {}", here.schema()));
  CHECK(fired_count(here.db) == "0|0");
}
