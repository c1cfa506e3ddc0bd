#include "render/alteration.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "render/sql.hpp"

namespace render {

namespace {

template <class Item>
const Item* find(const std::vector<Item>& items, const std::string& name) {
  const auto has_name = [&](const Item& one) { return one.name == name; };
  const auto place = std::find_if(items.begin(), items.end(), has_name);
  return place == items.end() ? nullptr : &*place;
}

void alter_column(alteration& result, const table_column& before, const table_column& now, const std::string& queue) {
  if (before.default_clause != now.default_clause) {
    result.columns.push_back(now.default_clause.empty()
                                 ? fmt::format("alter column {} drop default", now.name)
                                 : fmt::format("alter column {} set{}", now.name, now.default_clause));
  }
  if (before.is_required && !now.is_required) {
    result.columns.push_back(fmt::format("alter column {} drop not null", now.name));
  } else if (!before.is_required && now.is_required) {
    // Checked beforehand by a constraint, it is not looked for again while everybody waits.
    const auto check = fitted(fmt::format("{}_{}_present", queue, now.name));
    result.require_checks.push_back(fmt::format("add constraint {} check ({} is not null) not valid", check, now.name));
    result.require.push_back(fmt::format("alter column {} set not null", now.name));
    result.require_done.push_back(fmt::format("drop constraint {}", check));
    result.to_validate_required.push_back(check);
  }
}

void alter_checks(alteration& result, const table_shape& before, const table_shape& after, const std::string& queue) {
  result.versions_check = fitted(queue + "_contract_version_known");
  for (const auto& check : before.checks) {
    const auto* now = find(after.checks, check.name);
    if (now != nullptr && now->expression == check.expression) continue;
    auto& actions = check.name == result.versions_check ? result.versions : result.checks;
    actions.push_back(fmt::format("drop constraint {}", check.name));
  }
  for (const auto& check : after.checks) {
    const auto* known = find(before.checks, check.name);
    if (known != nullptr && known->expression == check.expression) continue;
    const bool is_versions = check.name == result.versions_check;
    auto& actions = is_versions ? result.versions : result.checks;
    actions.push_back(fmt::format("add constraint {} check ({}) not valid", check.name, check.expression));
    if (!is_versions) result.to_validate.push_back(check.name);
  }
}

std::vector<table_index> indexes_without(const table_shape& of, const table_shape& other) {
  std::vector<table_index> result;
  for (const auto& one : of.indexes) {
    if (std::find(other.indexes.begin(), other.indexes.end(), one) == other.indexes.end()) result.push_back(one);
  }
  return result;
}

}  // namespace

alteration alter(const table_shape& before, const table_shape& after, const std::string& queue) {
  alteration result;
  for (const auto& column : after.columns) {
    if (column.name == expiry_column) continue;
    const auto* known = find(before.columns, column.name);
    if (known == nullptr) {
      result.columns.push_back(fmt::format("add column {} {}{}{}", column.name, column.sql_type, column.default_clause,
                                           column.is_required ? " not null" : ""));
      result.new_columns.push_back(column.name);
    } else {
      alter_column(result, *known, column, queue);
    }
    if (column.doc != (known == nullptr ? std::string{} : known->doc)) {
      result.comments.push_back(
          fmt::format("{} is {}", column.name, column.doc.empty() ? "null" : sql::literal(column.doc)));
    }
  }
  for (const auto& column : before.columns) {
    if (column.name != expiry_column && find(after.columns, column.name) == nullptr) {
      result.unused.push_back(fmt::format("drop column {}", column.name));
    }
  }
  alter_checks(result, before, after, queue);
  result.new_indexes = indexes_without(after, before);
  result.unused_indexes = indexes_without(before, after);
  return result;
}

}  // namespace render
