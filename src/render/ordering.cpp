#include "render/ordering.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "contract/contract.hpp"
#include "contract/restore.hpp"
#include "render/checks.hpp"
#include "render/sql.hpp"

namespace render {

namespace {

using declaration::base_type;

/// The field that is the key, in the newest contract.
const contract::field& key_field(const queue_model& model) {
  const auto& newest = model.newest();
  return *contract::find_field(*newest.contract, newest.queue.order->field);
}

const contract::field& field_of(const queue_model& model, std::string_view name) {
  const auto* found = contract::find_field(*model.newest().contract, name);
  if (found != nullptr) return *found;
  throw std::runtime_error{
      fmt::format("the lock has an order by a field \"{}\", which its newest contract does not have", name)};
}

/// Of the other types PostgreSQL has none that an index takes: a date's is not for dates, a time's not immutable.
std::string_view hash_function(base_type type) {
  switch (type) {
    case base_type::int16:
      return "hashint2extended";
    case base_type::int32:
      return "hashint4extended";
    case base_type::int64:
      return "hashint8extended";
    case base_type::numeric:
      return "hash_numeric_extended";
    case base_type::text:
      return "hashtextextended";
    case base_type::uuid:
      return "uuid_hash_extended";
    case base_type::enumeration:
      return "hashenumextended";
    default:
      return {};
  }
}

std::string hash_of(const queue_model& model, const contract::field& field, std::string_view alias) {
  const auto column = fmt::format("{}{}{}", alias, alias.empty() ? "" : ".", sql::identifier(field.column));
  const auto hash = hash_function(contract::restore(field, *model.enumerations).type.base);
  if (!hash.empty()) return fmt::format("{}({}, 0)", hash, column);
  return fmt::format("case when {0} is not null then hash_array_extended(array[{0}], 0) end", column);
}

table_index index_of(const queue_model& model, std::string_view table, std::string_view key,
                     std::string_view between = {}) {
  return {fitted(fmt::format("{}_{}_by_{}", model.line, table, key_field(model).column)), std::string{table},
          fmt::format("{}, {}message_id", key, between)};
}

}  // namespace

bool is_ordered(const queue_model& model) {
  return model.newest().queue.order.has_value();
}

bool is_blocking(const queue_model& model) {
  const auto& order = model.newest().queue.order;
  return order && order->on_failure == declaration::failure_policy::block;
}

std::string key_column(const queue_model& model) {
  return is_ordered(model) ? sql::identifier(key_field(model).column) : std::string{};
}

bool has_unordered(const queue_model& model) {
  if (!is_ordered(model)) return false;
  const auto& name = key_field(model).column;
  const auto is_it = [&](const contract::stored_column& one) { return one.name == name; };
  return !std::find_if(model.columns.begin(), model.columns.end(), is_it)->is_required;
}

std::string key_of(const queue_model& model, std::string_view alias) {
  return is_ordered(model) ? hash_of(model, key_field(model), alias) : std::string{};
}

std::string key_by(const queue_model& model, std::string_view field, std::string_view alias) {
  return hash_of(model, field_of(model, field), alias);
}

std::string column_of(const queue_model& model, std::string_view field) {
  return sql::identifier(field_of(model, field).column);
}

std::vector<table_index> order_indexes(const queue_model& model) {
  if (!is_ordered(model)) return {};
  auto key = key_of(model);
  if (key.starts_with("case ")) key = fmt::format("({})", key);
  std::vector<table_index> result{index_of(model, "message", key),
                                  index_of(model, "delayed", key, "(lease_until = '-infinity'), ")};
  if (is_blocking(model)) result.push_back(index_of(model, "dead", key));
  return result;
}

}  // namespace render
