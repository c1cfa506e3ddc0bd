#include "render/schedules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "contract/schedules.hpp"
#include "declaration/cron.hpp"
#include "render/names.hpp"
#include "render/sql.hpp"
#include "render/sql_objects.hpp"
#include "render/views.hpp"

namespace render {

namespace {

using contract::locked_schedule;
using contract::option_of;
using schedules = std::vector<locked_schedule>;

bool has_job(const locked_schedule& of) {
  return option_of(of, "runner") == "pg_cron";
}

std::string integers(const std::vector<int>& values) {
  return values.empty() ? "null::integer[]" : fmt::format("array[{}]", fmt::join(values, ", "));
}

view schedule_item(const sql_project& project, const locked_schedule& of, bool is_last) {
  const bool is_stream = !option_of(of, "stream").empty();
  const auto target = option_of(of, is_stream ? "stream" : "queue");
  const auto zone = option_of(of, "zone");
  const auto doc = option_of(of, "doc");
  const auto times = declaration::parse_cron(option_of(of, "cron")).times;
  view item;
  item.set("schedule_literal", sql::literal(of.name));
  item.set("target_literal", sql::literal(target));
  item.set("api", names::prefix(project.schema, target));
  item.set("version", std::string{option_of(of, "contract")});
  item.set_flag("is_stream", is_stream);
  item.set("payload_literal", sql::literal(option_of(of, "payload")));
  item.set("cron_literal", sql::literal(option_of(of, "cron")));
  item.set("zone_literal", sql::literal(zone));
  item.set(
      "zone_message_literal",
      sql::literal(fmt::format("the server has no time zone \"{}\", which the schedule \"{}\" needs", zone, of.name)));
  item.set("minutes", integers(times.minutes));
  item.set("hours", integers(times.hours));
  item.set("days", integers(times.days));
  item.set("months", integers(times.months));
  item.set("weekdays", integers(times.weekdays));
  item.set("catch_up_literal", sql::literal(option_of(of, "catch_up")));
  item.set("runner_literal", sql::literal(option_of(of, "runner")));
  item.set("doc_literal", doc.empty() ? "null::text" : sql::literal(doc));
  item.set("line_end", is_last ? ";" : ",");
  return item;
}

rendered_objects open(renderer& with, const sql_project& project, const schedules& of) {
  return with.open(sql_folder::core, core_view(project, {{}, {}, of}, {}));
}

/// All that there is when there is a schedule, without its row.
std::string everything(const rendered_objects& objects) {
  return joined({objects.text("schedule_table"), objects.text("schedule_times"), objects.text("schedules"),
                 objects.text("schedule_run"), objects.text("schedule_rights")});
}

std::string functions_for_schedulers(const sql_project& project) {
  const auto schema = sql::identifier(project.schema);
  return fmt::format("{0}.quern_schedule_run(text, integer), {0}.quern_schedules()", schema);
}

std::string revocation_of_gone(const sql_project& project, const schedules& from, const schedules& to) {
  std::vector<std::string> gone;
  const auto kept = schedulers_of(to);
  std::ranges::set_difference(schedulers_of(from), kept, std::back_inserter(gone));
  if (gone.empty()) return {};
  return fmt::format("revoke execute on function {} from {};", functions_for_schedulers(project),
                     sql::identifiers(gone));
}

std::string names_of(const schedules& all) {
  std::vector<std::string> literals;
  for (const auto& each : all) literals.push_back(sql::literal(each.name));
  return fmt::format("{}", fmt::join(literals, ", "));
}

/// What a change means for what is kept of a schedule.
struct kept_rows {
  schedules started;  // new, or with other times: what was before is none of theirs
  schedules changed;  // otherwise: what failed may go well now
  schedules gone;
};

kept_rows rows_of(const schedules& from, const schedules& to) {
  kept_rows result;
  for (const auto& each : to) {
    const auto* before = contract::find_schedule(from, each.name);
    const auto is_same = [&](std::string_view key) { return option_of(*before, key) == option_of(each, key); };
    if (before == nullptr || !is_same("cron") || !is_same("zone"))
      result.started.push_back(each);
    else if (*before != each)
      result.changed.push_back(each);
  }
  for (const auto& each : from) {
    if (contract::find_schedule(to, each.name) == nullptr) result.gone.push_back(each);
  }
  return result;
}

std::string change_rows(renderer& with, const sql_project& project, const kept_rows& rows) {
  const auto table = fmt::format("{}.quern_schedule", sql::identifier(project.schema));
  std::vector<std::string> texts;
  if (!rows.started.empty()) texts.push_back(open(with, project, rows.started).text("schedule_start"));
  if (!rows.changed.empty()) {
    texts.push_back(fmt::format("update {}\nset failure_count = 0,\n  retry_at = null\nwhere schedule in ({});", table,
                                names_of(rows.changed)));
  }
  if (!rows.gone.empty())
    texts.push_back(fmt::format("delete from {}\nwhere schedule in ({});", table, names_of(rows.gone)));
  return joined(texts);
}

std::string change(renderer& with, const sql_project& project, const schedules& from, const schedules& to) {
  const bool had_jobs = std::ranges::any_of(from, has_job);
  const auto job_end = had_jobs && std::ranges::none_of(to, has_job) ? end_of_job(with, project, from) : std::string{};
  if (to.empty()) return joined({job_end, drop_all(everything(open(with, project, from)))});
  const auto objects = open(with, project, to);
  const auto job = had_jobs ? job_end : objects.text("schedule_job");
  if (from.empty()) return joined({everything(objects), objects.text("schedule_start"), job});
  return joined({replacing(objects.text("schedules")), revocation_of_gone(project, from, to),
                 schedulers_of(from) == schedulers_of(to) ? "" : objects.text("schedule_rights"),
                 change_rows(with, project, rows_of(from, to)), job});
}

}  // namespace

void set_schedules(view& out, const sql_project& project, const schedules& all) {
  std::vector<view> items;
  for (const auto& each : all) items.push_back(schedule_item(project, each, &each == &all.back()));
  const auto roles = schedulers_of(all);
  out.set_flag("has_schedules", !items.empty());
  out.set_list("schedules", std::move(items));
  out.set("schedulers", sql::identifiers(roles));
  out.set_flag("has_schedulers", !roles.empty());
  std::vector<std::string> jobs;
  for (const auto& each : all)
    if (has_job(each)) jobs.push_back(fmt::format("\"{}\"", each.name));
  out.set_flag("has_jobs", !jobs.empty());
  out.set("job_literal", sql::literal("quern " + project.schema));
  out.set("job_command_literal",
          sql::literal(fmt::format("select * from {}.quern_schedule_run('pg_cron')", sql::identifier(project.schema))));
  out.set("job_message_literal",
          sql::literal(fmt::format("pg_cron is not installed in this database, which the {} {} {}",
                                   jobs.size() == 1 ? "schedule" : "schedules", fmt::join(jobs, ", "),
                                   jobs.size() == 1 ? "needs" : "need")));
}

std::string end_of_job(renderer& with, const sql_project& project, const schedules& all) {
  return without_end(open(with, project, all).file("schedule_job_end"));
}

std::vector<std::string> schedulers_of(const schedules& all) {
  std::set<std::string> result;
  for (const auto& each : all) {
    auto rest = option_of(each, "operate");
    while (!rest.empty()) {
      const auto end = std::min(rest.find(", "), rest.size());
      result.emplace(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 2, rest.size()));
    }
  }
  return {result.begin(), result.end()};
}

std::optional<migration_step> schedule_step(renderer& with, const sql_project& project, const schedules& before,
                                            const schedules& after) {
  if (before == after) return std::nullopt;
  // Who waits for the next time looks anew.
  const auto tell = fmt::format("notify \"{}\";", names::channel(project.schema, "quern_schedule"));
  return migration_step{.name = "schedules",
                        .lock = "none but on what keeps the schedules, which those that run them wait for",
                        .text = joined({change(with, project, before, after), tell}),
                        .reverse = joined({change(with, project, after, before), tell})};
}

}  // namespace render
