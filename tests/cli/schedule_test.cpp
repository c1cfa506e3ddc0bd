// `quern schedule`: real schedulers, of which none fires what another one has.

#include <fmt/format.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <string>

#include "cli/counter.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using nlohmann::json;
using test::counter;

constexpr const char* shop = R"(
[queues.reports]
payload = "jsonb"
[streams.log]
payload = { kind = "text" }
[schedules.all_years]
cron     = "@yearly"
queue    = "reports"
payload  = { type = "year" }
catch_up = "all"
[schedules.daily]
doc      = "Every morning."
cron     = "0 9 * * mon-fri"
zone     = "Europe/Berlin"
stream   = "log"
payload  = { kind = "daily" }
)";

/// As if nobody had run the schedules for so long.
void sleep_for(const counter& at, const std::string& time, const std::string& schedule = "all_years") {
  quern::connection{at.url()}.execute(
      fmt::format("update shop.quern_schedule set counted_from = counted_from - interval '{}' where schedule = '{}'",
                  time, schedule));
}

std::int64_t ready(const counter& at) {
  return quern::connection{at.url()}.execute("select ready from shop.reports_stats()").value<std::int64_t>();
}

void wait_for_messages(const counter& at, int count) {
  test::wait_until(at.url(), fmt::format("select (select ready from shop.reports_stats()) = {}", count));
}

/// How often schedulers look, so that a test sees one that sleeps.
void wait_for_listener(const counter& at, int count = 1) {
  test::wait_until(at.url(),
                   fmt::format("select count(*) = {} from pg_stat_activity where datname = current_database() "
                               "and application_name = 'quern schedule' and state = 'idle' and query ~* "
                               "'quern_schedule_run'",
                               count));
}

}  // namespace

TEST_CASE("quern schedule --once fires what is due and says so, and nothing the second time") {
  const counter at{shop};
  CHECK(at.run({"schedule", "--once"}).empty());
  sleep_for(at, "3 years");
  const auto lines = at.run({"schedule", "--once", "--json"});
  const auto first = json::parse(lines.substr(0, lines.find('\n')));
  CHECK(first["schedule"] == "all_years");
  CHECK(first["error"].is_null());
  CHECK(first["message_id"].is_number());
  CHECK(first["due_at"].get<std::string>().substr(4) == "-01-01T00:00:00Z");
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 3);
  CHECK(ready(at) == 3);
  CHECK(at.run({"schedule", "--once"}).empty());
  sleep_for(at, "1 week", "daily");
  const auto words = at.run({"schedule", "--once"});
  INFO(words);
  CHECK(words.starts_with("daily fired for "));
  CHECK(words.find("; next at ") != std::string::npos);
}

TEST_CASE("quern schedule --list shows the schedules by their own clocks") {
  const counter at{shop};
  const auto list = at.run({"schedule", "--list"});
  INFO(list);
  CHECK(list.starts_with("schedule   target   cron             zone           last              next\n"));
  CHECK(list.find("daily      log      0 9 * * mon-fri  Europe/Berlin     -  ") != std::string::npos);
  CHECK(list.find(" 09:00") != std::string::npos);
  sleep_for(at, "2 years");
  CHECK(at.run({"schedule", "--list"}).find("overdue since ") != std::string::npos);
  const auto all = json::parse(at.run({"schedule", "--list", "--json"}));
  REQUIRE(all.size() == 2);
  CHECK(all[0]["schedule"] == "all_years");
  CHECK(all[0]["next_due_at"].get<std::string>().substr(4) == "-01-01T00:00:00Z");
  CHECK(all[0]["overdue_since"].is_string());
  CHECK(all[1]["overdue_since"].is_null());
  CHECK(all[1]["zone"] == "Europe/Berlin");
}

TEST_CASE("of several schedulers one fires each time, and SIGTERM ends each of them at once") {
  const counter at{shop};
  sleep_for(at, "30 years");
  auto one = at.start({"schedule"});
  auto two = at.start({"schedule", "--json"});
  auto three = at.start({"schedule"});
  wait_for_messages(at, 30);
  wait_for_listener(at, 3);
  for (const auto* each : {&one, &two, &three}) each->signal(SIGTERM);
  std::size_t lines = 0;
  for (auto* each : {&one, &two, &three}) {
    const auto ended = each->end();
    CHECK(ended.exit_code == 0);
    CHECK(ended.err.empty());
    lines += static_cast<std::size_t>(std::count(ended.out.begin(), ended.out.end(), '\n'));
  }
  CHECK(lines == 30);
  CHECK(ready(at) == 30);
}

TEST_CASE("a scheduler that sleeps is woken by the migration that changes its schedules") {
  const counter at{shop};
  auto scheduler = at.start({"schedule"});
  wait_for_listener(at);
  sleep_for(at, "2 years");
  quern::connection{at.url()}.execute("notify \"shop.quern_schedule\"");
  wait_for_messages(at, 2);
  scheduler.signal(SIGINT);
  CHECK(scheduler.end().exit_code == 0);
}

TEST_CASE("a scheduler whose connection is cut gets another one and goes on") {
  const counter at{shop};
  auto scheduler = at.start({"schedule"});
  wait_for_listener(at);
  sleep_for(at, "2 years");
  quern::connection{at.url()}.execute(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name "
      "= "
      "'quern schedule'");
  wait_for_messages(at, 2);
  scheduler.signal(SIGTERM);
  const auto ended = scheduler.end();
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.find("quern: connected again\n") != std::string::npos);
}

TEST_CASE("what cannot fire makes --once fail, and is said") {
  const counter at{shop};
  sleep_for(at, "1 year");
  quern::connection{at.url()}.execute("alter function shop.reports_enqueue_json_v1(jsonb, interval) rename to gone");
  const auto ended = at.quern({"schedule", "--once"});
  CHECK(ended.exit_code == 10);
  CHECK(ended.out.empty());
  INFO(ended.err);
  CHECK(ended.err.starts_with("quern: all_years could not fire for "));
  CHECK(ended.err.find("function shop.reports_enqueue_json_v1(unknown) does not exist (42883); tried again at ") !=
        std::string::npos);
}

TEST_CASE("without schedules there is nothing to run, and what to do is said") {
  const counter at{"[queues.reports]\npayload = \"jsonb\"\n"};
  for (const auto* option : {"--once", "--list", "--json"}) {
    const auto ended = at.quern({"schedule", option});
    CHECK(ended.exit_code == 1);
    CHECK(
        ended.err ==
        "quern: error: the database has no schedules in schema shop: declare [schedules.<name>], `quern generate` and "
        "`quern migrate`\n");
  }
}
