#include "render/table_shape.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "contract/restore.hpp"
#include "contract/types.hpp"
#include "render/ordering.hpp"
#include "render/readings.hpp"
#include "render/sql.hpp"

namespace render {

namespace {

/// What some contracts demand of a column: the rest of them may store there what it forbids.
struct demand {
  check what;
  std::vector<int> versions;
};

const contract::field* stored_in(const queue_version& version, const std::string& column) {
  for (const auto& field : version.contract->fields) {
    if (field.column == column) return &field;
  }
  return nullptr;
}

const std::vector<std::string>& all_values(const queue_model& model, std::string_view type) {
  static const std::vector<std::string> none;
  const auto name = type.substr(0, type.find_first_of("[?"));
  for (const auto& each : *model.enumerations) {
    if (each.name == name) return each.values;
  }
  return none;
}

void add_demands(std::vector<demand>& demands, const queue_version& version, std::vector<check> checks) {
  for (auto& one : checks) {
    const auto is_same = [&](const demand& other) { return other.what.expression == one.expression; };
    const auto same = std::find_if(demands.begin(), demands.end(), is_same);
    if (same == demands.end()) {
      demands.push_back({std::move(one), {version.contract->version}});
    } else {
      same->versions.push_back(version.contract->version);
    }
  }
}

check conditional(const demand& one) {
  const auto& versions = one.versions;
  const auto others = versions.size() == 1 ? fmt::format("contract_version <> {}", versions.front())
                                           : fmt::format("contract_version not in ({})", fmt::join(versions, ", "));
  return {fitted(fmt::format("{}_v{}", one.what.name, versions.front())),
          fmt::format("{} or ({})", others, one.what.expression)};
}

void add_checks(table_shape& shape, const queue_model& model, const contract::stored_column& column) {
  std::vector<demand> demands;
  std::vector<int> writers;
  for (const auto& version : model.versions) {
    const auto* field = stored_in(version, column.name);
    if (field == nullptr) continue;
    writers.push_back(version.contract->version);
    add_demands(demands, version, demands_of(model, *field, column.name, sql::identifier(column.name)));
    if (contract::is_optional(*field) || column.is_required) continue;
    add_demands(demands, version,
                {{fitted(fmt::format("{}_{}_required", model.line, column.name)),
                  fmt::format("{} is not null", sql::identifier(column.name))}});
  }
  for (auto& one : demands) {
    // Contracts that do not write the column leave null or its default there, which every one of them takes.
    const bool is_everyones = one.versions == writers && !one.what.name.ends_with("_required");
    shape.checks.push_back(is_everyones ? one.what : conditional(one));
  }
}

std::string doc_of(const queue_model& model, const std::string& column) {
  for (auto version = model.versions.rbegin(); version != model.versions.rend(); ++version) {
    const auto* field = stored_in(*version, column);
    if (field == nullptr) continue;
    for (const auto& declared : version->queue.payload) {
      if (declared.name == field->name) return declared.doc;
    }
    return {};
  }
  return {};
}

/// What tells messages of different priority apart. Contracts without priorities leave it at 0.
void add_priorities(table_shape& shape, const queue_model& model) {
  if (model.priorities == 0) return;
  shape.columns.push_back({model.priority, "smallint", " default 0", true, "0 is handed out first."});
  std::vector<demand> demands;
  std::vector<int> writers;
  for (const auto& version : model.versions) {
    const int count = version.contract->priorities;
    if (count == 0) continue;
    writers.push_back(version.contract->version);
    add_demands(
        demands, version,
        {{fitted(model.line + "_priority_known"), fmt::format("{} between 0 and {}", model.priority, count - 1)}});
  }
  for (auto& one : demands) shape.checks.push_back(one.versions == writers ? one.what : conditional(one));
  // Neither changes when a message is claimed.
  shape.indexes.push_back(
      {fitted(model.line + "_message_priority"), "message", fmt::format("{}, message_id", model.priority)});
  shape.indexes.push_back(
      {fitted(model.line + "_delayed_priority"), "delayed", fmt::format("{}, due_at, message_id", model.priority)});
}

/// New messages have it by default; what moves one, or gives it a time, says when.
void add_expiry(table_shape& shape, const queue_model& model) {
  if (!model.expires()) return;
  shape.columns.push_back(
      {std::string{expiry_column}, "timestamptz", expiry_default(model), false, "When it ends unless it was handled."});
}

/// Contracts without headers leave it at null.
void add_headers(table_shape& shape, const queue_model& model) {
  if (!model.has_headers) return;
  shape.columns.push_back(
      {std::string{headers_column}, "jsonb", {}, false, "A JSON object that travels with it, besides its payload."});
  shape.checks.push_back(
      {fitted(model.line + "_headers_fit"),
       fmt::format("jsonb_typeof({0}) = 'object' and octet_length({0}::text) <= 8192", headers_column)});
}

}  // namespace

std::string expiry_default(const queue_model& model) {
  return model.expires() ? " default now() + " + sql::interval(*model.expires()) : std::string{};
}

std::vector<check> demands_of(const queue_model& model, const contract::field& field, const std::string& column,
                              const std::string& value) {
  auto declared = contract::restore(field, *model.enumerations);
  declared.name = column;
  auto result = checks_of(model.line, declared, value);
  if (field.values.empty() || field.values == all_values(model, field.type)) return result;
  std::vector<std::string> literals;
  for (const auto& label : field.values) literals.push_back(sql::literal(label));
  result.push_back({fitted(fmt::format("{}_{}_values", model.line, column)),
                    declared.type.is_array ? fmt::format("{} <@ array[{}]::{}", value, fmt::join(literals, ", "),
                                                         sql::type(declared.type, model.schema))
                                           : fmt::format("{} in ({})", value, fmt::join(literals, ", "))});
  return result;
}

table_shape shape_of(const queue_model& model) {
  table_shape result;
  std::vector<int> versions;
  for (const auto& version : model.versions) versions.push_back(version.contract->version);
  add_expiry(result, model);
  add_headers(result, model);
  add_priorities(result, model);
  for (const auto& column : model.columns) {
    const auto field = contract::restore(
        contract::field{.name = column.name, .type = column.type, .default_value = column.fill}, *model.enumerations);
    result.columns.push_back(
        {sql::identifier(column.name), sql::type(field.type, model.schema),
         field.default_value ? " default " + sql::value(*field.default_value, field.type) : std::string{},
         column.is_required, doc_of(model, column.name)});
    add_checks(result, model, column);
  }
  result.checks.push_back(
      {fitted(model.line + "_contract_version_known"), one_of_versions("contract_version", versions)});
  for (auto& index : order_indexes(model)) result.indexes.push_back(std::move(index));
  return result;
}

}  // namespace render
