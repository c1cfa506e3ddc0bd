#include "declaration/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "declaration/pattern_sets.hpp"
#include "declaration/pattern_syntax.hpp"
#include "text/utf8.hpp"

namespace declaration {
namespace {

constexpr int most_repetitions = 255;  // DUPMAX of PostgreSQL
constexpr int deepest_group = 50;
constexpr std::size_t longest_pattern = 4096;

bool is_digit(char32_t c) {
  return c >= '0' && c <= '9';
}

bool is_ascii_letter(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Thrown inside this file only: a pattern is read by functions that call each other.
struct pattern_error {
  std::string message;
};

[[noreturn]] void fail(std::string message) {
  throw pattern_error{std::move(message)};
}

class pattern_parser {
 public:
  explicit pattern_parser(std::string_view pattern) {
    for (std::size_t offset = 0; offset < pattern.size();) {
      const auto c = text::character_at(pattern, offset);
      characters_.push_back(c.code_point);
      offset += c.size;
    }
  }

  pattern_node parse() {
    auto options = read_options();
    auto root = read_alternation(0);
    if (!at_end()) fail("')' without '('");
    if (!options) return root;
    return {pattern_kind::sequence, {}, {pattern_node{pattern_kind::unknown, {}, {}}, std::move(root)}};
  }

 private:
  bool at_end() const { return at_ >= characters_.size(); }

  /// 0 behind the end: a pattern holds no NUL.
  char32_t here(std::size_t ahead = 0) const { return at_ + ahead < characters_.size() ? characters_[at_ + ahead] : 0; }

  bool take(char32_t wanted) {
    if (here() != wanted) return false;
    ++at_;
    return true;
  }

  bool take(std::string_view wanted) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (here(i) != static_cast<unsigned char>(wanted[i])) return false;
    }
    at_ += wanted.size();
    return true;
  }

  /// `(?i)` at the beginning; true when there are any.
  bool read_options() {
    if (take("***")) fail("'***' at the beginning is not supported");
    if (here() != '(' || here(1) != '?' || !is_ascii_letter(here(2))) return false;
    at_ += 2;
    while (is_ascii_letter(here())) {
      constexpr std::string_view options = "cimnpstw";
      if (options.find(static_cast<char>(here())) == std::string_view::npos) {
        fail(fmt::format("the option '{}' is not supported", static_cast<char>(here())));
      }
      ++at_;
    }
    if (!take(U')')) fail("'(?' is not closed");
    return true;
  }

  pattern_node read_alternation(int depth) {
    if (depth > deepest_group) fail("its groups nest too deep");
    pattern_node result{pattern_kind::alternation, {}, {}};
    do {
      result.parts.push_back(read_branch(depth));
    } while (take(U'|'));
    return result.parts.size() == 1 ? std::move(result.parts.front()) : result;
  }

  pattern_node read_branch(int depth) {
    pattern_node result{pattern_kind::sequence, {}, {}};
    while (!at_end() && here() != '|' && here() != ')') {
      if (take("(?#")) {
        skip_comment();
        continue;
      }
      bool can_repeat = true;
      auto atom = read_atom(depth, can_repeat);
      result.parts.push_back(can_repeat ? read_quantifier(std::move(atom)) : std::move(atom));
    }
    return result;
  }

  void skip_comment() {
    while (!at_end() && here() != ')') ++at_;
    if (!take(U')')) fail("'(?#' is not closed");
  }

  bool is_quantifier() const {
    return here() == '*' || here() == '+' || here() == '?' || (here() == '{' && is_digit(here(1)));
  }

  pattern_node read_atom(int depth, bool& can_repeat) {
    if (is_quantifier()) fail(fmt::format("'{}' has nothing to repeat", static_cast<char>(here())));
    const auto c = characters_[at_++];
    switch (c) {
      case '(':
        return read_group(depth, can_repeat);
      case '[':
        return read_bracket(can_repeat);
      case '\\':
        return read_escape(can_repeat);
      case '^':
      case '$':
        can_repeat = false;
        return {c == '^' ? pattern_kind::begin : pattern_kind::end, {}, {}};
      case '.':
        return set_of({{}, true, false});
      default:
        return set_of(one(c));
    }
  }

  static pattern_node set_of(character_set set) { return {pattern_kind::set, std::move(set), {}}; }

  static pattern_node unknown() { return {pattern_kind::unknown, {}, {}}; }

  pattern_node read_group(int depth, bool& can_repeat) {
    const bool is_around = take("?=") || take("?!") || take("?<=") || take("?<!");
    const bool is_capturing = !is_around && !take("?:");
    if (is_capturing && here() == '?') fail("'(?' is followed by something unknown");
    const bool is_counted = is_capturing && look_around_ == 0;
    const auto number = is_counted ? is_closed_.size() : 0;
    if (is_counted) is_closed_.push_back(false);
    look_around_ += is_around ? 1 : 0;
    auto inside = read_alternation(depth + 1);
    look_around_ -= is_around ? 1 : 0;
    if (!take(U')')) fail("'(' is not closed");
    if (is_counted) is_closed_[number] = true;
    can_repeat = !is_around;
    return is_around ? unknown() : inside;
  }

  pattern_node read_quantifier(pattern_node atom) {
    int min = 0;
    int max = 0;
    if (take(U'*')) {
      max = -1;
    } else if (take(U'+')) {
      min = 1, max = -1;
    } else if (take(U'?')) {
      max = 1;
    } else if (here() == '{' && is_digit(here(1))) {
      std::tie(min, max) = read_bounds();
    } else {
      return atom;
    }
    take(U'?');  // not greedy: the same texts match
    if (is_quantifier()) fail(fmt::format("'{}' follows another quantifier", static_cast<char>(here())));
    pattern_node result{pattern_kind::repetition, {}, {}, min, max};
    result.parts.push_back(std::move(atom));
    return result;
  }

  std::pair<int, int> read_bounds() {
    ++at_;
    const int min = read_count();
    int max = min;
    if (take(U',')) max = is_digit(here()) ? read_count() : -1;
    if (!take(U'}')) fail("'{' is not closed");
    if (max != -1 && max < min) fail("a repetition has its larger number first");
    return {min, max};
  }

  int read_count() {
    int count = 0;
    while (is_digit(here())) {
      count = count * 10 + static_cast<int>(characters_[at_++] - '0');
      if (count > most_repetitions) fail(fmt::format("a repetition of more than {}", most_repetitions));
    }
    return count;
  }

  pattern_node read_escape(bool& can_repeat) {
    if (at_end()) fail("'\\' stands at the end");
    const auto c = characters_[at_++];
    if (is_digit(c) && c != '0') return read_reference(c);
    if (const auto shorthand = shorthand_set(c)) return set_of(*shorthand);
    constexpr std::u32string_view constraints = U"AmMyYZ";
    if (constraints.find(c) == std::u32string_view::npos) return set_of(one(read_character_escape(c)));
    can_repeat = false;
    if (c == 'A') return {pattern_kind::begin, {}, {}};
    return c == 'Z' ? pattern_node{pattern_kind::end, {}, {}} : unknown();
  }

  /// One digit is always a reference; more are one when there are so many groups, and otherwise octal.
  pattern_node read_reference(char32_t first) {
    std::size_t number = first - '0';
    auto end = at_;
    while (end < characters_.size() && is_digit(characters_[end]) && number < 1000)
      number = number * 10 + (characters_[end++] - '0');
    const bool is_octal = end > at_ && (number > is_closed_.size() || !is_closed_[number - 1]);
    if (is_octal) fail("octal escapes are not supported: use \\u and four hexadecimal digits");
    if (number > is_closed_.size() || !is_closed_[number - 1] || look_around_ > 0)
      fail(fmt::format("'\\{}' refers to no group before it", number));
    at_ = end;
    return unknown();
  }

  char32_t read_character_escape(char32_t c) {
    switch (c) {
      case 'a':
        return '\a';
      case 'b':
        return '\b';
      case 'B':
        return '\\';
      case 'e':
        return 0x1B;
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'v':
        return '\v';
      case 'c':
        if (at_end()) fail("'\\c' stands at the end");
        return characters_[at_++] & 0x1FU;
      case 'u':
        return read_hexadecimal(4, 4);
      case 'U':
        return read_hexadecimal(8, 8);
      case 'x':
        return read_hexadecimal(1, 255);
      default:
        break;
    }
    if (is_ascii_letter(c) || is_digit(c)) fail(fmt::format("there is no escape '\\{}'", static_cast<char>(c)));
    return c;
  }

  char32_t read_hexadecimal(int least, int most) {
    char32_t value = 0;
    int count = 0;
    for (; count < most; ++count) {
      const auto digit = hexadecimal_digit(here());
      if (!digit) break;
      value = value * 16 + *digit;
      if (value > 0x10FFFF) fail("an escape is larger than U+10FFFF");
      ++at_;
    }
    if (count < least) fail("an escape has too few hexadecimal digits");
    // PostgreSQL's texts hold neither.
    if (value == 0 || (value >= 0xD800 && value <= 0xDFFF)) fail("an escape is no character of a text");
    return value;
  }

  pattern_node read_bracket(bool& can_repeat) {
    if (take("[:<:]]") || take("[:>:]]")) return can_repeat = false, unknown();
    character_set set;
    set.is_negated = take(U'^');
    bool is_first = true;
    bool is_known = true;
    while (at_end() || is_first || here() != ']') {
      if (at_end()) fail("'[' is not closed");
      read_bracket_part(set, is_first, is_known);
      is_first = false;
    }
    ++at_;
    return is_known ? set_of(std::move(set)) : unknown();
  }

  void read_bracket_part(character_set& set, bool is_first, bool& is_known) {
    if (!is_first && here() == '-' && here(1) != ']')
      fail("a '-' inside '[' stands neither first nor last nor between two characters");
    if (take("[:")) return add(set, read_class());
    if (take("[=")) {
      is_known = false;
      read_element('=');
      return;
    }
    if (here() == '\\') {
      if (const auto shorthand = shorthand_set(here(1))) {
        at_ += 2;
        is_known = is_known && !shorthand->is_negated;
        return add(set, *shorthand);
      }
    }
    const auto first = read_bracket_character();
    if (here() != '-' || here(1) == ']' || here(1) == 0) return set.ranges.push_back({first, first});
    ++at_;
    const bool is_class =
        (here() == '[' && (here(1) == ':' || here(1) == '=')) || (here() == '\\' && shorthand_set(here(1)));
    if (is_class) fail("a range ends with a class of characters");
    const auto last = read_bracket_character();
    if (last < first) fail("a range has its larger end first");
    set.ranges.push_back({first, last});
  }

  char32_t read_bracket_character() {
    if (take("[.")) return read_element('.');
    const auto c = characters_[at_++];
    if (c != '\\') return c;
    if (at_end()) fail("'[' is not closed");
    const auto escaped = characters_[at_++];
    if (is_digit(escaped)) fail("octal escapes are not supported: use \\u and four hexadecimal digits");
    return read_character_escape(escaped);
  }

  /// `[.x.]` and `[=x=]` with one character.
  char32_t read_element(char32_t delimiter) {
    const auto c = here();
    if (at_end() || here(1) != delimiter || here(2) != ']') fail("only one character may stand in '[. .]' and '[= =]'");
    at_ += 3;
    return c;
  }

  character_set read_class() {
    std::string name;
    while (is_ascii_letter(here())) name += static_cast<char>(characters_[at_++]);
    const auto found = named_set(name);
    if (!take(":]") || !found) fail(fmt::format("there is no character class '[:{}:]'", name));
    return *found;
  }

  static void add(character_set& set, const character_set& more) {
    set.ranges.insert(set.ranges.end(), more.ranges.begin(), more.ranges.end());
    set.depends_on_locale = set.depends_on_locale || more.depends_on_locale;
  }

  std::vector<char32_t> characters_;
  std::vector<bool> is_closed_;  // of each capturing group
  std::size_t at_ = 0;
  int look_around_ = 0;
};

}  // namespace

parsed_pattern parse_pattern(std::string_view pattern) {
  if (pattern.size() > longest_pattern) return {{}, fmt::format("it is longer than {} bytes", longest_pattern)};
  try {
    return {pattern_parser(pattern).parse(), {}};
  } catch (const pattern_error& error) {
    return {{}, error.message};
  }
}

}  // namespace declaration
