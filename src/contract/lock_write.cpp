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
  if (!field.values.empty()) {
    put(out, ", \"values\": [");
    put_strings(out, field.values);
    put(out, "]");
  }
  if (field.column != field.name) put(out, ", \"column\": {}", json_string(field.column));
  if (!field.renamed_from.empty()) put(out, ", \"renamed_from\": {}", json_string(field.renamed_from));
  if (field.is_new) put(out, ", \"new\": true");
  put(out, "}}");
}

void put_contract(buffer& out, const payload_contract& contract, const std::string& line) {
  put(out, "{{\n          \"version\": {},\n          \"fingerprint\": \"{}\",\n", contract.version,
      fingerprint(contract));
  if (contract.queue != line) put(out, "          \"queue\": {},\n", json_string(contract.queue));
  if (contract.is_retired) put(out, "          \"retired\": true,\n");
  if (contract.breaks) {
    put(out, "          \"break\": {{\"reason\": {}, \"until\": {}}},\n", json_string(contract.breaks->reason),
        json_string(contract.breaks->until));
  }
  if (contract.priorities > 0) {
    put(out, "          \"priorities\": {},\n", contract.priorities);
    if (contract.priority_column != "priority")
      put(out, "          \"priority_column\": {},\n", json_string(contract.priority_column));
  }
  if (contract.has_headers) put(out, "          \"headers\": true,\n");
  if (contract.unique) {
    put(out, "          \"unique\": {{\"fields\": [");
    put_strings(out, contract.unique->fields);
    put(out, "], \"for\": \"{}\"}},\n", contract.unique->is_timed ? "time" : "pending");
  }
  if (contract.is_schemaless) put(out, "          \"payload\": \"jsonb\",\n");
  if (!contract.removed.empty()) {
    put(out, "          \"removed\": {{");
    put_list(out, "            ", contract.removed,
             [&](const removed_field& each) { put(out, "{}: {}", json_string(each.name), json_string(each.value)); });
    put(out, "\n          }},\n");
  }
  put(out, "          \"fields\": [");
  put_list(out, "            ", contract.fields, [&](const field& field) { put_field(out, field); });
  put(out, "\n          ]\n        }}");
}

void put_options(buffer& out, std::string_view indent, const std::vector<option>& options) {
  put(out, "\"options\": {{");
  put_list(out, fmt::format("{}  ", indent), options,
           [&](const option& option) { put(out, "{}: {}", json_string(option.first), json_string(option.second)); });
  put(out, "\n{}}},\n", indent);
}

/// What was written before there was a second engine stays as it is.
void put_engine(buffer& out, std::string_view indent, int engine) {
  if (engine != first_engine) put(out, "{}\"engine\": {},\n", indent, engine);
}

void put_enumeration(buffer& out, const locked_enumeration& enumeration);

/// What was written before there were schedules stays as it is.
void put_schedules(buffer& out, const std::string& indent, const std::vector<locked_schedule>& schedules) {
  if (schedules.empty()) return;
  put(out, "{}\"schedules\": {{", indent);
  put_list(out, indent + "  ", schedules, [&](const locked_schedule& each) {
    put(out, "{}: {{", json_string(each.name));
    put_list(out, indent + "    ", each.options,
             [&](const option& option) { put(out, "{}: {}", json_string(option.first), json_string(option.second)); });
    put(out, "\n{}  }}", indent);
  });
  put(out, "\n{}}},\n", indent);
}

void put_released(buffer& out, const line& line) {
  const auto& released = *line.released;
  put(out, "      \"released\": {{\n");
  if (line.name == core_line) {
    put(out, "        \"enumerations\": {{");
    put_list(out, "          ", released.enumerations, [&](const auto& each) { put_enumeration(out, each); });
    put(out, "{}}},\n", released.enumerations.empty() ? "" : "\n        ");
    put_schedules(out, "        ", released.schedules);
  } else {
    put(out, "        \"contracts\": {},\n", released.contracts);
    if (released.retired > 0) put(out, "        \"retired\": {},\n", released.retired);
    if (released.is_dropped) put(out, "        \"dropped\": true,\n");
    if (!released.options.empty()) {
      put(out, "        ");
      put_options(out, "        ", released.options);
    }
  }
  put_engine(out, "        ", released.engine);
  put(out, "        \"migrations\": {}\n      }},\n", released.migrations);
}

void put_line(buffer& out, const line& line) {
  put(out, "{}: {{\n", json_string(line.name));
  if (line.released) put_released(out, line);
  if (line.state.is_dropped) put(out, "      \"dropped\": true,\n");
  put_engine(out, "      ", line.engine);
  if (!line.state.contracts.empty()) {
    put(out, "      \"contracts\": [");
    put_list(out, "        ", line.state.contracts,
             [&](const payload_contract& each) { put_contract(out, each, line.name); });
    put(out, "\n      ],\n");
  }
  if (!line.state.options.empty()) {
    put(out, "      ");
    put_options(out, "      ", line.state.options);
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
  put(out, "{{\n  \"format\": {},\n  \"project\": {},\n  \"schema\": {},\n", lock_format, json_string(lock.project),
      json_string(lock.schema));
  put(out, "  \"enumerations\": {{");
  put_list(out, "    ", lock.enumerations, [&](const auto& enumeration) { put_enumeration(out, enumeration); });
  put(out, "{}}},\n", lock.enumerations.empty() ? "" : "\n  ");
  put_schedules(out, "  ", lock.schedules);
  put(out, "  \"lines\": {{");
  put_list(out, "    ", lock.lines, [&](const line& line) { put_line(out, line); });
  put(out, "{}}}\n}}\n", lock.lines.empty() ? "" : "\n  ");
  return fmt::to_string(out);
}

}  // namespace contract
