#include <fmt/format.h>

#include <array>
#include <unordered_map>

#include "declaration/codes.hpp"
#include "declaration/keys.hpp"
#include "declaration/names.hpp"
#include "declaration/read_parts.hpp"
#include "text/excerpt.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

constexpr std::array enumeration_keys{"values"sv, "doc"sv};
constexpr std::array planned_keys{"renamed_from"sv};

void read_values(const entry& from, enumeration& result, report& problems) {
  std::unordered_map<std::string_view, text::span> seen;
  for (const auto* item : read_strings(from, "a list of names: [\"email\", \"sms\"]", problems)) {
    if (!check_name(item->text, name_role::enumeration_value, item->where, problems)) continue;
    const auto [first, is_new] = seen.try_emplace(item->text, item->where);
    if (is_new) {
      result.values.push_back(item->text);
      continue;
    }
    auto& problem =
        problems.error(code::duplicate_value, item->where,
                       fmt::format("the enum '{}' has the value '{}' twice", text::clipped(result.name), item->text));
    problem.notes.push_back({"first declared here", first->second});
  }
  const bool is_empty = from.value.kind == node_kind::array && from.value.items.empty();
  if (is_empty)
    problems.error(code::no_values, from.where, fmt::format("the enum '{}' has no values", text::clipped(result.name)));
}

}  // namespace

enumeration read_enumeration(const entry& from, report& problems) {
  enumeration result;
  result.name = from.key;
  result.where = from.where;
  const auto title = fmt::format("[enums.{}]", text::clipped(from.key));
  check_name(from.key, name_role::enumeration, from.where, problems);
  if (!check_kind(from, node_kind::table, fmt::format("a table: {}", title), problems)) return result;
  check_keys(from.value, {enumeration_keys, planned_keys}, title, problems);
  if (const auto* doc = find_entry(from.value, "doc")) result.doc = read_text(*doc, "a string", problems).value_or("");
  if (const auto* values = find_entry(from.value, "values")) {
    read_values(*values, result, problems);
  } else {
    problems.error(code::missing_key, from.where, fmt::format("{} has no 'values'", title));
  }
  return result;
}

}  // namespace declaration
