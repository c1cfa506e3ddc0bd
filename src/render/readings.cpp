#include "render/readings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "contract/restore.hpp"
#include "render/checks.hpp"
#include "render/sql.hpp"

namespace render {

namespace {

using contract::conversion;
using declaration::base_type;

/// The range of a smaller type, of a value of a larger one.
std::string range(const declaration::field_type& type, const std::string& value) {
  switch (type.base) {
    case base_type::int16:
      return fmt::format("{} between -32768 and 32767", value);
    case base_type::int32:
      return fmt::format("{} between -2147483648 and 2147483647", value);
    case base_type::float32:
      // What is smaller than every float but 0 is an error as well.
      return fmt::format("{0} in (0, 'NaN', 'Infinity', '-Infinity') or abs({0}) between {1} and {2}", value,
                         "1.401298464324817e-45", "3.4028234663852886e38");
    default:
      // numeric(p,s)
      return fmt::format("{0} = 'NaN' or ({0} = round({0}, {1}) and abs({0}) < 1e{2})", value, type.scale,
                         type.precision - type.scale);
  }
}

/// The same of each element of an array.
std::string range_of(const declaration::field_type& type, const std::string& column) {
  if (!type.is_array) return range(type, column);
  return fmt::format("(select bool_and({}) from unnest({}) as e(value))", range(type, "e.value"), column);
}

std::string labels(const conversion& how, const declaration::field_type& type, const std::string& schema,
                   const std::string& column) {
  std::vector<std::string> literals;
  for (const auto& value : how.values) literals.push_back(sql::literal(value));
  const auto list = fmt::format("{}", fmt::join(literals, ", "));
  if (type.is_array) return fmt::format("{} <@ array[{}]::{}", column, list, sql::type(type, schema));
  return fmt::format("{} in ({})", column, list);
}

std::string column_of(const conversion& how, std::string_view alias) {
  return fmt::format("{}.{}", alias, sql::identifier(how.column));
}

std::string spell(const queue_model& model, const conversion& how, const declaration::field& wanted,
                  std::string_view alias) {
  auto value = column_of(how, alias);
  if (how.from_type != how.to_type) value += "::" + sql::type(wanted.type, model.schema);
  if (!how.instead) return value;
  return fmt::format("coalesce({}, {})", value, sql::typed_value(*wanted.default_value, wanted.type));
}

/// Everything that a row must fulfil; a null passes what it may.
std::vector<std::string> conditions(const queue_model& model, const conversion& how, const declaration::field& wanted,
                                    std::string_view alias) {
  if (how.is_plain()) return {};
  const auto column = column_of(how, alias);
  std::vector<std::string> result;
  if (how.needs_value) result.push_back(column + " is not null");
  const auto add = [&](const std::string& condition) { result.push_back(fmt::format("({}) is not false", condition)); };
  if (how.needs_range) add(range_of(wanted.type, column));
  if (how.needs_elements) add(fmt::format("array_position({}, null) is null", column));
  if (!how.values.empty()) add(labels(how, wanted.type, model.schema, column));
  auto limited = wanted;
  limited.type.is_array = false;
  limited.constraints = {how.min ? wanted.constraints.min : std::nullopt,
                         how.max ? wanted.constraints.max : std::nullopt, std::nullopt, how.pattern};
  for (const auto& check : checks_of("", limited, column)) add(check.expression);
  limited.type.is_array = wanted.type.is_array;
  limited.constraints = {std::nullopt, std::nullopt, how.max_length, std::nullopt};
  if (how.max_length) add(checks_of("", limited, column).front().expression);
  return result;
}

const declaration::field& declared(const queue_version& version, const contract::field& field) {
  static const declaration::field schemaless{"payload", "", {base_type::jsonb, 0, 0, "", false, false, false}, {}, {},
                                             {},        {}};
  for (const auto& each : version.queue.payload) {
    if (each.name == field.name) return each;
  }
  return schemaless;
}

}  // namespace

std::string value_of(const queue_model& model, const queue_version& reader, const contract::field& field,
                     std::string_view alias) {
  const auto& wanted = declared(reader, field);
  struct value {
    std::string text;
    std::vector<int> writers;
  };
  std::vector<value> values;
  for (const auto& writer : model.versions) {
    const auto how = convert(model.state->contracts, *reader.contract, field, *writer.contract);
    if (!how.is_possible) continue;
    auto text = spell(model, how, wanted, alias);
    const auto same = std::find_if(values.begin(), values.end(), [&](const value& one) { return one.text == text; });
    if (same == values.end()) {
      values.push_back({std::move(text), {writer.contract->version}});
    } else {
      same->writers.push_back(writer.contract->version);
    }
  }
  if (values.size() == 1) return values.front().text;
  std::string result = "case";
  for (const auto& [text, writers] : values) {
    result +=
        fmt::format(" when {} then {}", one_of_versions(fmt::format("{}.contract_version", alias), writers), text);
  }
  return result + " end";
}

std::string readable(const queue_model& model, const queue_version& reader, std::string_view alias) {
  const auto version = fmt::format("{}.contract_version", alias);
  std::vector<int> always;
  std::vector<std::string> sometimes;
  for (const auto& writer : model.versions) {
    bool is_possible = true;
    std::vector<std::string> all{fmt::format("{} = {}", version, writer.contract->version)};
    for (const auto& field : reader.contract->fields) {
      const auto how = convert(model.state->contracts, *reader.contract, field, *writer.contract);
      is_possible = is_possible && how.is_possible;
      for (auto& one : conditions(model, how, declared(reader, field), alias)) all.push_back(std::move(one));
    }
    if (!is_possible) continue;
    if (all.size() == 1) {
      always.push_back(writer.contract->version);
    } else {
      sometimes.push_back(fmt::format("({})", fmt::join(all, " and ")));
    }
  }
  auto plain = one_of_versions(version, always);
  if (sometimes.empty()) return plain;
  return fmt::format("({} or {})", plain, fmt::join(sometimes, " or "));
}

bool reads_all(const queue_model& model, const queue_version& reader) {
  std::vector<int> all;
  for (const auto& writer : model.versions) all.push_back(writer.contract->version);
  return readable(model, reader, "e") == one_of_versions("e.contract_version", all);
}

std::string one_of_versions(std::string_view column, const std::vector<int>& versions) {
  if (versions.size() == 1) return fmt::format("{} = {}", column, versions.front());
  return fmt::format("{} in ({})", column, fmt::join(versions, ", "));
}

}  // namespace render
