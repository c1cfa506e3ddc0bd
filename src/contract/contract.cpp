#include "contract/contract.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "contract/sha256.hpp"
#include "declaration/types.hpp"

namespace contract {

namespace {

field field_of(const declaration::project& project, const declaration::field& declared) {
  const auto& limits = declared.constraints;
  field result{declared.name, declaration::spell(declared.type), {}, {}, {}, limits.max_length, limits.pattern};
  if (declared.default_value) result.default_value = spell(*declared.default_value);
  if (limits.min) result.min = spell(*limits.min);
  if (limits.max) result.max = spell(*limits.max);
  for (const auto& enumeration : project.enumerations) {
    if (enumeration.name == declared.type.enumeration) result.values = enumeration.values;
  }
  result.column = declared.name;
  return result;
}

/// Length before content: no text, however odd, can look like the next part.
void append_part(std::string& out, std::string_view key, std::string_view value) {
  fmt::format_to(std::back_inserter(out), "{} {} {}\n", key, value.size(), value);
}

void append_part(std::string& out, std::string_view key, const std::optional<std::string>& value) {
  if (value) append_part(out, key, std::string_view{*value});
}

}  // namespace

std::string spell(const declaration::value& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using type = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<type, std::string>) {
          return held;
        } else if constexpr (std::is_same_v<type, declaration::empty_array>) {
          return "[]";
        } else {
          return fmt::format("{}", held);
        }
      },
      value);
}

std::string spell(declaration::backoff_kind backoff) {
  switch (backoff) {
    case declaration::backoff_kind::constant:
      return "constant";
    case declaration::backoff_kind::linear:
      return "linear";
    case declaration::backoff_kind::exponential:
      return "exponential";
  }
  assert(false);
  return {};
}

std::string spell(declaration::failure_policy policy) {
  return policy == declaration::failure_policy::skip ? "skip" : "block";
}

std::vector<field> fields_of(const declaration::project& project, const declaration::queue& queue) {
  if (queue.is_schemaless) return {{.name = "payload", .type = "jsonb", .column = "payload"}};
  std::vector<field> result;
  result.reserve(queue.payload.size());
  for (const auto& declared : queue.payload) result.push_back(field_of(project, declared));
  return result;
}

std::optional<unique_rule> unique_of(const declaration::queue& queue) {
  if (!queue.unique) return std::nullopt;
  return unique_rule{queue.unique->fields, queue.unique->within.has_value()};
}

bool is_same(const field& a, const field& b) {
  const auto told = [](const field& one) {
    return std::tie(one.name, one.type, one.default_value, one.min, one.max, one.max_length, one.pattern, one.values);
  };
  return told(a) == told(b);
}

const field* find_field(const payload_contract& contract, std::string_view name) {
  const auto has_name = [&](const field& one) { return one.name == name; };
  const auto place = std::find_if(contract.fields.begin(), contract.fields.end(), has_name);
  return place == contract.fields.end() ? nullptr : &*place;
}

std::vector<const payload_contract*> live(const std::vector<payload_contract>& contracts) {
  std::vector<const payload_contract*> result;
  for (const auto& one : contracts) {
    if (!one.is_retired) result.push_back(&one);
  }
  return result;
}

bool have_headers(const std::vector<payload_contract>& contracts) {
  const auto live_ones = live(contracts);
  return std::any_of(live_ones.begin(), live_ones.end(), [](const auto* one) { return one->has_headers; });
}

std::string fingerprint(const payload_contract& contract) {
  std::string text = "quern contract 1\n";
  append_part(text, "queue", std::string_view{contract.queue});
  append_part(text, "version", std::string_view{std::to_string(contract.version)});
  if (contract.is_schemaless) append_part(text, "payload", std::string_view{"jsonb"});
  if (contract.priorities > 0) {
    append_part(text, "priorities", std::string_view{std::to_string(contract.priorities)});
    append_part(text, "priority_column", std::string_view{contract.priority_column});
  }
  if (contract.has_headers) append_part(text, "headers", std::string_view{"jsonb"});
  if (contract.unique) {
    append_part(text, "unique", std::string_view{contract.unique->is_timed ? "timed" : "pending"});
    for (const auto& field : contract.unique->fields) append_part(text, "key", std::string_view{field});
  }
  for (const auto& field : contract.fields) {
    // A schemaless payload that is where it always is says nothing more.
    if (contract.is_schemaless && field.column == field.name) continue;
    append_part(text, "field", std::string_view{field.name});
    append_part(text, "type", std::string_view{field.type});
    append_part(text, "default", field.default_value);
    append_part(text, "min", field.min);
    append_part(text, "max", field.max);
    if (field.max_length) append_part(text, "max_length", std::string_view{std::to_string(*field.max_length)});
    append_part(text, "pattern", field.pattern);
    for (const auto& value : field.values) append_part(text, "value", std::string_view{value});
    // Programs name the column when they copy.
    if (field.column != field.name) append_part(text, "column", std::string_view{field.column});
  }
  return sha256(text);
}

}  // namespace contract
