#include "render/core_migration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "render/names.hpp"
#include "render/schedules.hpp"
#include "render/sql.hpp"
#include "render/sql_objects.hpp"
#include "render/views.hpp"

namespace render {

namespace {

const contract::locked_enumeration* find(const std::vector<contract::locked_enumeration>& in, const std::string& name) {
  const auto has_name = [&](const contract::locked_enumeration& one) { return one.name == name; };
  const auto place = std::find_if(in.begin(), in.end(), has_name);
  return place == in.end() ? nullptr : &*place;
}

/// Comments of the enumerations that are in both lists, as the second one has them.
std::string changed_comments(const sql_project& project, const std::vector<contract::locked_enumeration>& before,
                             const std::vector<contract::locked_enumeration>& now) {
  std::vector<std::string> lines;
  for (const auto& each : now) {
    const auto* known = find(before, each.name);
    if (known == nullptr || known->doc == each.doc) continue;
    lines.push_back(fmt::format("comment on type {} is {};", names::enumeration(project.schema, each.name),
                                each.doc.empty() ? "null" : sql::literal(each.doc)));
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string new_values(const sql_project& project, const contract::core_change& change) {
  std::vector<std::string> lines;
  for (const auto& now : change.enumerations) {
    const auto* before = find(change.enumerations_before, now.name);
    if (before == nullptr) continue;
    for (auto i = before->values.size(); i < now.values.size(); ++i) {
      lines.push_back(fmt::format("alter type {} add value if not exists {};",
                                  names::enumeration(project.schema, now.name), sql::literal(now.values[i])));
    }
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string drop_types(const sql_project& project, const std::vector<contract::locked_enumeration>& enumerations) {
  std::vector<std::string> types;
  types.reserve(enumerations.size());
  for (const auto& each : enumerations) types.push_back(names::enumeration(project.schema, each.name));
  return types.empty() ? std::string{} : fmt::format("drop type {};", fmt::join(types, ", "));
}

/// The doors before; those that are there since the first stream or queue of their kind go.
std::string doors_back(const std::string& now, const std::string& before) {
  sql_objects has;
  sql_objects had;
  has.apply(now);
  had.apply(before);
  std::vector<std::string> drops;
  for (const auto& one : has.all()) {
    if (had.find(one.name) == nullptr) drops.push_back(fmt::format("drop {} {};", word_of(one.is), one.name));
  }
  return joined({fmt::format("{}", fmt::join(drops, "\n")), before});
}

migration_step creation(const sql_project& project, const contract::core_change& change, std::string text,
                        const std::string& job_end) {
  // No line uses it any more: the runner sees to that.
  auto drops = joined({job_end, drop_all(text), drop_types(project, change.enumerations)});
  return {
      .name = "create", .lock = "none but on the new objects", .text = std::move(text), .reverse = std::move(drops)};
}

}  // namespace

std::string core_migration_name(const contract::core_change& change, std::size_t number, int engine) {
  if (change.is_new) return fmt::format("{}/{:04}_create", contract::core_line, number);
  if (change.words.empty()) return fmt::format("{}/{:04}_engine_{}", contract::core_line, number, engine);
  const bool only_adds = change.added.size() == change.words.size();
  const auto what = !only_adds                ? std::string{"change"}
                    : change.added.size() > 1 ? std::string{"add_several"}
                                              : "add_" + change.added.front();
  return fmt::format("{}/{:04}_{}", contract::core_line, number, what);
}

migration_text core_migration(renderer& with, const sql_project& project, const contract::core_change& change,
                              const line_names& lines, const std::string& name) {
  if (change.is_new) {
    auto all = with.open(sql_folder::core, core_view(project, lines, change.enumerations));
    return {name,
            {"The objects that every queue of the project shares."},
            schedulers_of(change.schedules),
            {creation(project, change, without_end(all.file("create")), without_end(all.file("schedule_job_end")))}};
  }
  if (change.words.empty()) return {name, {}, {}, {}};
  std::vector<contract::locked_enumeration> added;
  for (const auto& now : change.enumerations) {
    if (find(change.enumerations_before, now.name) == nullptr) added.push_back(now);
  }
  auto objects = with.open(sql_folder::core, core_view(project, lines, added));
  auto objects_before =
      with.open(sql_folder::core, core_view(project, {change.queues_before, change.streams_before}, {}));
  migration_text result{
      name, {fmt::format("Changes what all queues share: {}.", fmt::join(change.words, "; "))}, {}, {}};
  constexpr auto no_lock = "none that anybody waits for";
  auto types = joined({added.empty() ? std::string{} : objects.text("enum_types"),
                       changed_comments(project, change.enumerations_before, change.enumerations)});
  if (!types.empty()) {
    result.steps.push_back(
        {.name = "types",
         .lock = no_lock,
         .text = std::move(types),
         .reverse = joined({changed_comments(project, change.enumerations, change.enumerations_before),
                            drop_types(project, added)})});
  }
  if (const auto values = new_values(project, change); !values.empty()) {
    result.steps.push_back({.name = "values",
                            .lock = no_lock,
                            .text = "-- Without a way back: PostgreSQL takes no value away from a type.\n" + values});
  }
  const auto doors = without_end(objects.file("doors"));
  const auto doors_before = without_end(objects_before.file("doors"));
  auto schedules = schedule_step(with, project, change.schedules_before, change.schedules);
  if (doors != doors_before || !schedules) {
    result.steps.push_back(
        {.name = doors_step, .lock = no_lock, .text = doors, .reverse = doors_back(doors, doors_before)});
  }
  if (schedules) {
    result.roles = schedulers_of(change.schedules);
    result.steps.push_back(*std::move(schedules));
  }
  return result;
}

}  // namespace render
