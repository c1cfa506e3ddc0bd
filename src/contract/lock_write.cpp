#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "contract/json_tree.hpp"
#include "contract/lock.hpp"

// One field, value and migration a line: two branches that add different queues merge, and two that add to the same
// line conflict.

namespace contract {

namespace {

using buffer = fmt::memory_buffer;

template <class... Arguments>
void put(buffer& out, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Arguments>(arguments)...);
}

template <class Range, class Function>
void put_list(buffer& out, std::string_view indent, const Range& range, Function put_item) {
  bool is_first = true;
  for (const auto& item : range) {
    put(out, "{}\n{}", is_first ? "" : ",", indent);
    put_item(item);
    is_first = false;
  }
}

void put_strings(buffer& out, const std::vector<std::string>& strings) {
  bool is_first = true;
  for (const auto& string : strings) {
    put(out, "{}{}", is_first ? "" : ", ", json_string(string));
    is_first = false;
  }
}

void put_optional(buffer& out, std::string_view key, const std::optional<std::string>& value) {
  if (value) put(out, ", \"{}\": {}", key, json_string(*value));
}

void put_field(buffer& out, const field& field) {
  put(out, "{{\"name\": {}, \"type\": {}", json_string(field.name), json_string(field.type));
  put_optional(out, "default", field.default_value);
  put_optional(out, "min", field.min);
  put_optional(out, "max", field.max);
  if (field.max_length) put(out, ", \"max_length\": {}", *field.max_length);
  put_optional(out, "pattern", field.pattern);
  put(out, "}}");
}

void put_contract(buffer& out, const payload_contract& released) {
  put(out, "{{\n          \"version\": {},\n          \"fingerprint\": \"{}\",\n", released.version,
      fingerprint(released));
  if (released.is_schemaless) {
    put(out, "          \"payload\": \"jsonb\"");
  } else {
    put(out, "          \"fields\": [");
    put_list(out, "            ", released.fields, [&](const field& field) { put_field(out, field); });
    put(out, "\n          ]");
  }
  put(out, "\n        }}");
}

void put_line(buffer& out, const line& line) {
  put(out, "{}: {{\n", json_string(line.name));
  if (!line.contracts.empty()) {
    put(out, "      \"contracts\": [");
    put_list(out, "        ", line.contracts, [&](const payload_contract& released) { put_contract(out, released); });
    put(out, "\n      ],\n");
  }
  if (!line.options.empty()) {
    put(out, "      \"options\": {{");
    put_list(out, "        ", line.options,
             [&](const option& option) { put(out, "{}: {}", json_string(option.first), json_string(option.second)); });
    put(out, "\n      }},\n");
  }
  put(out, "      \"migrations\": [");
  put_list(out, "        ", line.migrations, [&](const migration& migration) {
    put(out, "{{\"file\": {}, \"checksum\": \"{}\"}}", json_string(migration.file), migration.checksum);
  });
  put(out, "\n      ]\n    }}");
}

void put_enumeration(buffer& out, const locked_enumeration& enumeration) {
  put(out, "{}: {{\"values\": [", json_string(enumeration.name));
  put_strings(out, enumeration.values);
  put(out, "], \"doc\": {}}}", json_string(enumeration.doc));
}

}  // namespace

std::string write_lock(const lock& lock) {
  buffer out;
  put(out, "{{\n  \"format\": 1,\n  \"project\": {},\n  \"schema\": {},\n", json_string(lock.project),
      json_string(lock.schema));
  put(out, "  \"enumerations\": {{");
  put_list(out, "    ", lock.enumerations, [&](const auto& enumeration) { put_enumeration(out, enumeration); });
  put(out, "{}}},\n  \"lines\": {{", lock.enumerations.empty() ? "" : "\n  ");
  put_list(out, "    ", lock.lines, [&](const line& line) { put_line(out, line); });
  put(out, "{}}}\n}}\n", lock.lines.empty() ? "" : "\n  ");
  return fmt::to_string(out);
}

}  // namespace contract
