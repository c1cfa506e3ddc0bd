#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The syntax of patterns, for pattern.cpp and pattern_match.cpp.
namespace declaration {

struct character_range {
  char32_t first;
  char32_t last;
};

/// A set of characters: `.`, `[a-z]`, `\d`, or a single one.
struct character_set {
  std::vector<character_range> ranges;
  bool is_negated = false;
  bool depends_on_locale = false;  // for characters that are not ASCII
};

enum class pattern_kind { empty, set, sequence, alternation, repetition, begin, end, unknown };

/// A part of a pattern. `unknown` stands for what the matcher cannot follow.
struct pattern_node {
  pattern_kind kind = pattern_kind::empty;
  character_set set;
  std::vector<pattern_node> parts;
  int min = 0;
  int max = 0;  // -1: without end
};

struct parsed_pattern {
  pattern_node root;
  std::string problem;  // empty when the pattern is well-formed
};

parsed_pattern parse_pattern(std::string_view pattern);

}  // namespace declaration
