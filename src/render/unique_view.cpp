#include "render/unique_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "contract/restore.hpp"
#include "contract/types.hpp"
#include "render/names.hpp"
#include "render/readings.hpp"
#include "render/sql.hpp"
#include "render/view_parts.hpp"

namespace render {

namespace {

using contract::key_column;
using contract::unique_key;
using declaration::base_type;

declaration::field_type type_of(const queue_model& model, const std::string& spelled) {
  return contract::restore(contract::field{.name = "key", .type = spelled}, *model.enumerations).type;
}

/// One type for all that a field may be widened to.
std::string key_type(const queue_model& model, const std::string& spelled) {
  const auto type = type_of(model, spelled);
  switch (type.base) {
    case base_type::int16:
    case base_type::int32:
    case base_type::int64:
      return "bigint";
    case base_type::numeric:
      return "numeric";
    default:
      return sql::type(type, model.schema);
  }
}

/// What another contract lets be too long for the index is not limited.
std::string limited(const queue_model& model, const key_column& column, const contract::field& field,
                    const std::string& value) {
  if (!column.max_length || (field.max_length && *field.max_length <= *column.max_length)) return value;
  const auto* length = type_of(model, column.type).base == base_type::bytes ? "octet_length" : "char_length";
  return fmt::format("case when pg_catalog.{0}({1}) operator(pg_catalog.<=) {2} then {1} end", length, value,
                     *column.max_length);
}

/// The part of the key of the row called `alias`, whichever contract wrote it; null where that has none.
std::string key_of(const queue_model& model, const unique_key& key, const key_column& column, std::string_view alias) {
  std::vector<std::pair<std::string, std::vector<int>>> values;
  bool is_everyones = true;
  for (const auto& writer : model.versions) {
    const int version = writer.contract->version;
    const auto* field = contract::field_of(model.state->contracts, key, column, version);
    if (field == nullptr) {
      is_everyones = false;
      continue;
    }
    auto text = limited(model, column, *field, fmt::format("{}.{}", alias, sql::identifier(field->column)));
    const auto type = key_type(model, column.type);
    if (sql::type(type_of(model, contract::storage_type(field->type)), model.schema) != type) text += "::" + type;
    const auto same = std::find_if(values.begin(), values.end(), [&](const auto& one) { return one.first == text; });
    if (same == values.end()) {
      values.emplace_back(std::move(text), std::vector{version});
    } else {
      same->second.push_back(version);
    }
  }
  if (is_everyones && values.size() == 1) return values.front().first;
  std::string result = "case";
  for (const auto& [text, writers] : values) {
    result +=
        fmt::format(" when {} then {}", one_of_versions(fmt::format("{}.contract_version", alias), writers), text);
  }
  return result + " end";
}

/// Of sql/change.
std::vector<view> key_items(const queue_model& model, const unique_key& key) {
  std::vector<view> items;
  for (const auto& column : key.columns) {
    auto& item = items.emplace_back();
    item.set("column", sql::identifier(column.name));
    item.set("number", fmt::to_string(items.size()));
    item.set("key_e", key_of(model, key, column, "e"));
    set_comma(item, items.size() == key.columns.size());
  }
  return items;
}

/// What only those who make the table and look at each message need.
void set_types(std::vector<view>& items, const queue_model& model, const unique_key& key) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto type = key_type(model, key.columns[i].type);
    items[i].set("key_type", type);
    items[i].set("collation", type == "text" ? " collate \"C\"" : "");
    items[i].set("key_new", key_of(model, key, key.columns[i], "new"));
  }
}

void set_rule(view& out, const queue_model& model, const std::optional<unique_key>& key) {
  const auto& rule = model.newest().queue.unique;
  out.set_flag("has_unique", key.has_value());
  out.set_flag("has_pending_key", key && !key->is_timed);
  out.set_flag("has_timed_key", key && key->is_timed);
  out.set("unique_table",
          key ? fmt::format("{}.{}", sql::identifier(model.schema), unique_table_name(model, *key)) : std::string{});
  out.set("unique_window", sql::interval(rule ? rule->within.value_or(0) : 0));
}

}  // namespace

std::optional<unique_key> unique_key_of(const queue_model& model) {
  return contract::unique_key_of(model.state->contracts);
}

std::string unique_table_name(const queue_model& model, const unique_key& key) {
  return fmt::format("{}_unique_v{}", model.line, key.since);
}

void set_unique(view& out, const queue_model& model) {
  const auto key = unique_key_of(model);
  set_rule(out, model, key);
  out.set("unique_name", key ? unique_table_name(model, *key) : std::string{});
  auto items = key ? key_items(model, *key) : std::vector<view>{};
  if (key) set_types(items, model, *key);
  out.set_list("unique_fields", std::move(items));
}

void set_unique_for_change(view& out, const queue_model& model) {
  const auto key = unique_key_of(model);
  set_rule(out, model, key);
  out.set_list("unique_fields", key ? key_items(model, *key) : std::vector<view>{});
}

void set_unique(view& out, const queue_model& model, const queue_version& version) {
  const auto key = unique_key_of(model);
  std::vector<view> sorted;
  for (const auto& column : key ? key->columns : std::vector<key_column>{}) {
    const auto* field = contract::field_of(model.state->contracts, *key, column, version.contract->version);
    if (field != nullptr) sorted.emplace_back().set("key", sql::identifier(field->name));
  }
  out.set_flag("has_unique", key.has_value());
  out.set_flag("reports_duplicates", version.contract->unique.has_value());
  out.set_list("unique_sort", std::move(sorted));
}

}  // namespace render
