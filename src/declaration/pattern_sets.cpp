#include "declaration/pattern_sets.hpp"

#include <algorithm>
#include <array>

namespace declaration {
namespace {

struct named {
  std::string_view name;
  std::vector<character_range> ranges;
};

const std::array<named, 13>& classes() {
  static const std::array<named, 13> all{{
      {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
      {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
      {"blank", {{'\t', '\t'}, {' ', ' '}}},
      {"cntrl", {{1, 0x1F}, {0x7F, 0x7F}}},
      {"digit", {{'0', '9'}}},
      {"graph", {{0x21, 0x7E}}},
      {"lower", {{'a', 'z'}}},
      {"print", {{0x20, 0x7E}}},
      {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
      {"space", {{'\t', '\r'}, {' ', ' '}}},
      {"upper", {{'A', 'Z'}}},
      {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
      {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
  }};
  return all;
}

}  // namespace

character_set one(char32_t c) {
  return {{{c, c}}};
}

std::optional<character_set> named_set(std::string_view name) {
  const auto found = std::find_if(classes().begin(), classes().end(), [&](const named& n) { return n.name == name; });
  if (found == classes().end()) return std::nullopt;
  return character_set{found->ranges, false, true};
}

std::optional<character_set> shorthand_set(char32_t letter) {
  std::optional<character_set> result;
  if (letter == 'd' || letter == 'D') result = named_set("digit");
  if (letter == 's' || letter == 'S') result = named_set("space");
  if (letter == 'w' || letter == 'W') result = named_set("word");
  if (result) result->is_negated = letter < 'a';
  return result;
}

std::optional<char32_t> hexadecimal_digit(char32_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

bool contains(const character_set& set, char32_t c) {
  const bool is_in = std::any_of(set.ranges.begin(), set.ranges.end(),
                                 [&](const character_range& r) { return r.first <= c && c <= r.last; });
  return is_in != set.is_negated;
}

}  // namespace declaration
