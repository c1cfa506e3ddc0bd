#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contract/queue_names.hpp"
#include "declaration/duration.hpp"
#include "render/limits.hpp"
#include "render/names.hpp"
#include "render/ordering.hpp"
#include "render/sql.hpp"
#include "render/table_shape.hpp"
#include "render/unique_view.hpp"
#include "render/view_parts.hpp"
#include "render/views.hpp"

namespace render {

namespace {

std::vector<view> name_items(const queue_model& model, const std::vector<std::string>& names) {
  std::vector<view> items;
  for (const auto& name : names) {
    auto& item = items.emplace_back();
    item.set("api", names::prefix(model.schema, name));
    item.set("door", names::door(model.schema, name));
  }
  return items;
}

/// Whether a row of the shared tables is about a contract of this queue, under whichever name.
std::string is_its_contract(const queue_model& model) {
  std::vector<std::string> literals;
  for (const auto& name : contract::all_names(*model.state)) literals.push_back(sql::literal(name));
  if (literals.size() == 1) return "queue = " + literals.front();
  return fmt::format("queue in ({})", fmt::join(literals, ", "));
}

std::vector<view> leaver_items(const std::vector<leaver>& leavers) {
  std::vector<view> items;
  for (const auto& one : leavers) {
    auto& item = items.emplace_back();
    item.set("role", sql::identifier(one.role));
    item.set("role_literal", sql::literal(one.role));
    std::vector<view> rights;
    for (const auto& [object, right, giver] : one.rights) {
      auto& shared = rights.emplace_back();
      shared.set("object", object);
      shared.set("right", right);
      shared.set("giver", giver);
    }
    item.set_list("shared_rights", std::move(rights));
    set_comma(item, &one == &leavers.back());
  }
  return items;
}

}  // namespace

view change_view(const queue_model& model, const change_details& details) {
  const auto& queue = model.newest().queue;
  // A retired contract is not among the versions any more.
  const auto& contracts = model.state->contracts;
  const auto& name = details.number == 0 ? queue.name : contracts[static_cast<std::size_t>(details.number - 1)].queue;
  view result;
  result.set("schema", sql::identifier(model.schema));
  result.set("line_literal", sql::literal(model.line));
  set_names(result, model, name);
  result.set("queue_literal", sql::literal(name));
  result.set("door", names::door(model.schema, name));
  result.set_list("names", name_items(model, details.names));
  auto others = model.names;
  std::erase(others, name);
  result.set_list("other_names", name_items(model, others));
  result.set("is_its_contract", is_its_contract(model));
  result.set_flag("has_dead_letter", queue.dead_letter);
  result.set_flag("is_log", model.is_log());
  result.set_flag("has_done", model.has_done());
  result.set_flag("is_ordered", is_ordered(model));
  result.set_flag("is_blocking", is_blocking(model));
  result.set_flag("has_expires", model.expires().has_value());
  std::vector<view> columns;
  for (const auto& column : shape_of(model).columns) columns.emplace_back().set("column", column.name);
  result.set_list("columns", std::move(columns));
  set_part(result, "producers", "has_producers", queue.grants.produce);
  set_unique_for_change(result, model);
  set_limits_for_change(result, model);
  result.set("number", fmt::to_string(details.number));
  result.set("sunset", sql::interval(queue.sunset));
  result.set("sunset_words", declaration::spell_duration(queue.sunset));
  result.set("remaining", details.remaining);
  result.set("remaining_words", details.remaining_words);
  result.set("remaining_hint", sql::literal(details.remaining_hint));
  result.set_flag("leaves_done", details.leaves_done);
  result.set_flag("is_ahead", details.is_ahead);
  result.set("own_columns", fmt::format("{}", fmt::join(details.own_columns, ", ")));
  result.set_flag("has_own_columns", !details.own_columns.empty());
  std::vector<view> versions;
  for (const auto& version : model.versions) {
    auto& item = versions.emplace_back();
    item.set("number", fmt::to_string(version.contract->version));
    item.set("api", names::prefix(model.schema, version.contract->queue));
  }
  result.set_list("versions", std::move(versions));
  result.set_list("levels", level_items(model.later_priorities()));
  result.set_list("changed_levels", level_items(details.levels));
  std::vector<view> revocations;
  for (const auto& [privileges, objects, roles] : details.revocations) {
    auto& item = revocations.emplace_back();
    item.set("privileges", privileges);
    item.set("objects", objects);
    item.set("roles", roles);
  }
  result.set_list("revocations", std::move(revocations));
  result.set("schema_literal", sql::literal(model.schema));
  result.set("shared_names", details.shared_names);
  result.set_list("leavers", leaver_items(details.leavers));
  return result;
}

view migration_view(const std::string& name, std::vector<view> words, const std::vector<std::string>& roles,
                    std::vector<view> steps) {
  view result;
  result.set("migration", name);
  result.set_list("words", std::move(words));
  result.set_flag("has_roles", !roles.empty());
  result.set("role_names", fmt::format("{}", fmt::join(roles, ", ")));
  result.set_list("steps", std::move(steps));
  return result;
}

}  // namespace render
