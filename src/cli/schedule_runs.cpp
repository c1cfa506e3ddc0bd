#include "cli/schedule_runs.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/table.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view run_query = R"(
select
  r.schedule,
  to_char(r.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  r.message_id,
  r.error,
  to_char(r.next_due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  ceil(extract(epoch from r.wait) * 1000)::bigint
from {}.quern_schedule_run() as r
)";

constexpr std::string_view list_query = R"(
select
  s.schedule,
  s.target,
  s.cron,
  s.zone,
  s.catch_up,
  s.runner,
  to_char(s.last_due_at at time zone {1}, '{2}'),
  to_char(s.next_due_at at time zone {1}, '{2}'),
  to_char(s.overdue_since at time zone {1}, '{2}'),
  s.failure_count,
  s.last_error
from {0}.quern_schedules() as s
)";

template <class T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json as_json(const schedule_run& one) {
  return {{"schedule", one.schedule},
          {"due_at", or_null(one.due_at)},
          {"message_id", or_null(one.message_id)},
          {"error", or_null(one.error)},
          {"next_due_at", or_null(one.next_due_at)}};
}

std::string spell(const schedule_run& one) {
  const auto next = one.next_due_at ? fmt::format("; next at {}", *one.next_due_at) : std::string{};
  const auto id = one.message_id ? fmt::format(": message {}", *one.message_id) : std::string{};
  return fmt::format("{} fired for {}{}{}", one.schedule, *one.due_at, id, next);
}

quern::result list(operated_schema& in, std::string_view zone, std::string_view form) {
  return in.db.execute(fmt::format(list_query, quern::quoted_identifier(in.name), zone, form));
}

}  // namespace

std::vector<schedule_run> run_schedules(operated_schema& in) {
  std::vector<schedule_run> result;
  for (const auto row : in.db.execute(fmt::format(run_query, quern::quoted_identifier(in.name)))) {
    const auto wait = row.get<std::optional<std::int64_t>>(5);
    result.push_back({row.get<std::string>(0),
                      row.get<std::optional<std::string>>(1),
                      row.get<std::optional<std::int64_t>>(2),
                      row.get<std::optional<std::string>>(3),
                      row.get<std::optional<std::string>>(4),
                      {}});
    if (wait) result.back().wait = std::chrono::milliseconds{*wait};
  }
  return result;
}

void say_runs(const std::vector<schedule_run>& runs, bool is_json) {
  for (const schedule_run& one : runs) {
    if (!one.due_at && !one.error) continue;
    if (is_json)
      say(as_json(one).dump());
    else if (one.error)
      tell(fmt::format("{} could not fire{}: {}; tried again at {}", one.schedule,
                       one.due_at ? " for " + *one.due_at : std::string{}, *one.error, one.next_due_at.value_or("")));
    else
      say(spell(one));
  }
  // A log may be a pipe or a file.
  std::fflush(stdout);
}

void say_schedules(operated_schema& in, bool is_json) {
  if (is_json) {
    ordered_json all = ordered_json::array();
    for (const auto row : list(in, "'UTC'", R"(YYYY-MM-DD"T"HH24:MI:SS"Z")"))
      all.push_back({{"schedule", row.get<std::string>(0)},
                     {"target", row.get<std::string>(1)},
                     {"cron", row.get<std::string>(2)},
                     {"zone", row.get<std::string>(3)},
                     {"catch_up", row.get<std::string>(4)},
                     {"runner", row.get<std::string>(5)},
                     {"last_due_at", or_null(row.get<std::optional<std::string>>(6))},
                     {"next_due_at", or_null(row.get<std::optional<std::string>>(7))},
                     {"overdue_since", or_null(row.get<std::optional<std::string>>(8))},
                     {"failures", row.get<std::int32_t>(9)},
                     {"last_error", or_null(row.get<std::optional<std::string>>(10))}});
    return say(all.dump(2));
  }
  // By the clock that is meant.
  table lines{{"schedule", "target", "cron", "zone", "last", "next", ""}};
  for (const auto row : list(in, "s.zone", "YYYY-MM-DD HH24:MI")) {
    const auto overdue = row.get<std::optional<std::string>>(8);
    const auto error = row.get<std::optional<std::string>>(10);
    cell remark{row.get<std::string>(5) == "quern" ? "" : row.get<std::string>(5)};
    if (overdue) remark = {fmt::format("overdue since {}", *overdue), yellow};
    if (error) remark = {*error, red};
    lines.add({{row.get<std::string>(0), bold},
               {row.get<std::string>(1)},
               {row.get<std::string>(2)},
               {row.get<std::string>(3)},
               {row.get<std::optional<std::string>>(6).value_or("-")},
               {row.get<std::optional<std::string>>(7).value_or("-")},
               remark});
  }
  lines.say();
}

std::string schedule_channel(const operated_schema& in) {
  return in.name + ".quern_schedule";
}

}  // namespace cli
