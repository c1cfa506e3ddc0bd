#include "declaration/tree.hpp"

#include <algorithm>
#include <cassert>

namespace declaration {

const entry* find_entry(const node& table, std::string_view key) {
  const auto found =
      std::find_if(table.entries.begin(), table.entries.end(), [&](const entry& e) { return e.key == key; });
  return found == table.entries.end() ? nullptr : &*found;
}

text::span place_of(const node& written, std::size_t offset, std::size_t size) {
  const auto& whole = written.where;
  const bool is_on_one_line = whole.begin.line == whole.end.line;
  if (!is_on_one_line || whole.end.column - whole.begin.column != written.text.size() + 2) return whole;
  const auto begin = whole.begin.column + 1 + offset;
  return {{whole.begin.line, begin},
          {whole.begin.line, std::min(begin + std::max<std::size_t>(size, 1), whole.end.column)}};
}

std::string_view kind_name(node_kind kind) {
  switch (kind) {
    case node_kind::table:
      return "a table";
    case node_kind::array:
      return "an array";
    case node_kind::string:
      return "a string";
    case node_kind::integer:
      return "a whole number";
    case node_kind::floating:
      return "a floating-point number";
    case node_kind::boolean:
      return "a boolean";
    case node_kind::date_time:
      return "a date or time";
  }
  assert(false);
  return "";
}

}  // namespace declaration
