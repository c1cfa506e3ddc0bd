#include "render/core_migration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "render/names.hpp"
#include "render/sql.hpp"
#include "render/views.hpp"

namespace render {

namespace {

const contract::locked_enumeration* find(const std::vector<contract::locked_enumeration>& in, const std::string& name) {
  const auto has_name = [&](const contract::locked_enumeration& one) { return one.name == name; };
  const auto place = std::find_if(in.begin(), in.end(), has_name);
  return place == in.end() ? nullptr : &*place;
}

std::string without_end(std::string text) {
  text.resize(text.find_last_not_of('\n') + 1);
  return text;
}

/// New values and comments of the enumerations that were there.
std::string changed_enumerations(const sql_project& project, const contract::core_change& change) {
  std::vector<std::string> lines;
  for (const auto& now : change.enumerations) {
    const auto* before = find(change.enumerations_before, now.name);
    if (before == nullptr) continue;
    const auto type = names::enumeration(project.schema, now.name);
    for (auto i = before->values.size(); i < now.values.size(); ++i) {
      lines.push_back(fmt::format("alter type {} add value if not exists {};", type, sql::literal(now.values[i])));
    }
    if (before->doc != now.doc) {
      lines.push_back(fmt::format("comment on type {} is {};", type, now.doc.empty() ? "null" : sql::literal(now.doc)));
    }
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

}  // namespace

std::string core_migration_name(const contract::core_change& change, std::size_t number) {
  if (change.is_new) return fmt::format("{}/{:04}_create", contract::core_line, number);
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
            {},
            {{.name = "create", .lock = "none but on the new objects", .text = without_end(all.file("create"))}}};
  }
  std::vector<contract::locked_enumeration> added;
  for (const auto& now : change.enumerations) {
    if (find(change.enumerations_before, now.name) == nullptr) added.push_back(now);
  }
  auto objects = with.open(sql_folder::core, core_view(project, lines, added));
  migration_text result{
      name, {fmt::format("Changes what all queues share: {}.", fmt::join(change.words, "; "))}, {}, {}};
  auto types =
      joined({added.empty() ? std::string{} : objects.text("enum_types"), changed_enumerations(project, change)});
  if (!types.empty()) {
    result.steps.push_back({.name = "types", .lock = "none that anybody waits for", .text = std::move(types)});
  }
  result.steps.push_back(
      {.name = "doors", .lock = "none that anybody waits for", .text = without_end(objects.file("doors"))});
  return result;
}

}  // namespace render
