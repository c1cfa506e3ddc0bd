#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/source.hpp"

namespace contract {

/// A JSON value that remembers the line on which it ended, and its members in the order in which they were written.
struct json_node {
  struct member;
  using members = std::vector<member>;
  using items = std::vector<json_node>;
  std::variant<std::monostate, bool, std::string, std::int64_t, members, items> value;  // monostate: anything else
  std::size_t line = 0;
};

struct json_node::member {
  std::string name;
  json_node value;
};

/// What is wrong with a text, and where.
struct json_problem {
  text::position where;
  std::string message;
};

/// The tree, or what keeps the text from being one: not JSON, a key twice in one object, nested absurdly deep.
std::variant<json_node, json_problem> read_json(std::string_view content);

/// The text as a JSON string, with its quotes.
std::string json_string(std::string_view text);

}  // namespace contract
