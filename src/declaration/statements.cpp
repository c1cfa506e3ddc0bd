#include "declaration/statements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "declaration/codes.hpp"
#include "text/excerpt.hpp"

namespace declaration {
namespace {

// A declaration nests four deep. The parser and its trees recurse; these keep the stack far from its end.
constexpr std::size_t deepest_nesting = 32;
constexpr std::size_t longest_key = 32;  // parts

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

class splitter {
 public:
  splitter(std::string_view content, const text::line_index& lines, report& problems)
      : content_(content), lines_(lines), problems_(problems) {}

  std::vector<statement> split() {
    while (!is_stopped_) {
      skip_between();
      if (at_end()) break;
      read_statement();
    }
    return std::move(found_);
  }

 private:
  bool at_end() const { return offset_ >= content_.size(); }

  char here() const { return at_end() ? '\n' : content_[offset_]; }

  void skip_blanks() {
    while (!at_end() && is_blank(here())) ++offset_;
  }

  void skip_line() { offset_ = std::min(content_.find('\n', offset_), content_.size()); }

  void skip_between() {
    while (!at_end()) {
      if (here() == '#') {
        skip_line();
      } else if (is_blank(here()) || here() == '\n' || here() == '\r') {
        ++offset_;
      } else {
        return;
      }
    }
  }

  void stop(std::string message) {
    problems_.error(code::too_deep, lines_.span_of(offset_, offset_ + 1), std::move(message));
    is_stopped_ = true;
  }

  void read_statement() {
    statement next;
    next.begin = offset_;
    if (here() == '[') {
      read_header(next);
    } else {
      read_key(next);
      skip_blanks();
      if (here() == '=' && !next.path.empty()) {
        next.kind = statement_kind::key_value;
        ++offset_;
        skip_value(next);
      }
    }
    // What does not belong to it is the parser's to complain of; it goes with the statement that it follows.
    if (next.kind != statement_kind::key_value) skip_rest(next);
    next.end = offset_;
    found_.push_back(std::move(next));
  }

  void skip_rest(statement& next) {
    while (!at_end() && here() != '\n' && here() != '#') {
      note_foreign(next);
      ++offset_;
    }
    skip_line();
  }

  /// Only strings and comments hold such characters; the parser's tables of Unicode are not to be relied upon.
  void note_foreign(statement& owner) const {
    if (static_cast<unsigned char>(here()) >= 0x80 && !owner.misplaced) owner.misplaced = offset_;
  }

  /// A string begins behind a blank, a comma, a bracket or the equals sign. The parser would read on over its content.
  void note_quote(statement& owner) const {
    constexpr std::string_view before = " \t\r\n,[{=";
    const bool is_beginning = before.find(content_[offset_ - 1]) != std::string_view::npos;
    if (!is_beginning && !owner.misplaced) owner.misplaced = offset_;
  }

  void read_header(statement& next) {
    ++offset_;
    const bool is_array = here() == '[';
    if (is_array) ++offset_;
    skip_blanks();
    read_key(next);
    skip_blanks();
    if (here() == ']' && !next.path.empty()) {
      next.kind = is_array ? statement_kind::array_header : statement_kind::header;
    }
  }

  void read_key(statement& next) {
    next.key_begin = next.key_end = offset_;
    while (!is_stopped_) {
      const auto begin = offset_;
      if (here() == '"' || here() == '\'') {
        skip_string(next);
        next.path.push_back(unquoted(content_.substr(begin, offset_ - begin)));
      } else {
        while (!at_end() && is_bare(here())) ++offset_;
        if (offset_ == begin) return next.path.clear();
        next.path.emplace_back(content_.substr(begin, offset_ - begin));
      }
      next.key_end = offset_;
      skip_blanks();
      if (here() != '.') return;
      ++offset_;
      skip_blanks();
      if (next.path.size() == longest_key) stop(fmt::format("a key of more than {} parts", longest_key));
    }
  }

  /// Keys with escapes keep their quotes: they are compared by the parser alone.
  static std::string unquoted(std::string_view quoted) {
    const bool is_simple = quoted.size() >= 2 && quoted.front() == quoted.back() &&
                           (quoted.front() == '\'' || quoted.find('\\') == std::string_view::npos);
    return std::string(is_simple ? quoted.substr(1, quoted.size() - 2) : quoted);
  }

  /// An open bracket; inside braces with the keys so far.
  struct frame {
    char opening;
    std::size_t offset;
    bool expects_key;
    std::unordered_map<std::string, text::span> keys;
  };

  /// Ends at the end of the line that closes all brackets. Line ends inside braces alone end it too: TOML has none
  /// there.
  void skip_value(statement& owner) {
    std::vector<frame> open;
    std::size_t arrays = 0;
    while (!at_end() && !is_stopped_ && (here() != '\n' || arrays > 0)) {
      const char c = here();
      if (c == '#') {
        skip_line();
      } else if (!open.empty() && open.back().expects_key && (is_bare(c) || c == '"' || c == '\'')) {
        read_inner_key(owner, open.back());
      } else if (c == '"' || c == '\'') {
        note_quote(owner);
        skip_string(owner);
      } else {
        note_foreign(owner);
        if (c == '[' || c == '{') open.push_back({c, offset_, c == '{', {}});
        if (c == '[') ++arrays;
        if ((c == ']' || c == '}') && !open.empty()) {
          if (open.back().opening == '[') --arrays;
          open.pop_back();
        }
        if (c == ',' && !open.empty()) open.back().expects_key = open.back().opening == '{';
        if (open.size() > deepest_nesting) stop(fmt::format("values nest deeper than {} levels", deepest_nesting));
        ++offset_;
      }
    }
    if (!open.empty()) owner.unclosed = open.back().offset;
  }

  void read_inner_key(statement& owner, frame& inside) {
    inside.expects_key = false;
    statement key;
    read_key(key);
    if (key.path.empty()) return;
    owner.inner_tables += key.path.size() - 1;
    const auto where = lines_.span_of(key.key_begin, key.key_end);
    const auto path = joined(key.path);
    const auto [first, is_new] = inside.keys.try_emplace(path, where);
    if (is_new) return;
    auto& problem = problems_.error(code::duplicate_key, where,
                                    fmt::format("'{}' is declared a second time", text::clipped(spelled(path))));
    problem.notes.push_back({"first declared here", first->second});
    owner.has_duplicates = true;
  }

  /// An unfinished string of one line ends with its line.
  void skip_string(statement& owner) {
    const auto begin = offset_;
    const char quote = here();
    const std::string triple(3, quote);
    const bool is_long = content_.substr(offset_, 3) == triple;
    offset_ += is_long ? 3 : 1;
    while (!at_end()) {
      if (here() == '\\' && quote == '"' && offset_ + 1 < content_.size() &&
          (is_long || content_[offset_ + 1] != '\n')) {
        offset_ += 2;
      } else if (!is_long && here() == '\n') {
        break;
      } else if (here() == quote && (!is_long || content_.substr(offset_, 3) == triple)) {
        return skip_closing(quote, is_long);
      } else {
        ++offset_;
      }
    }
    owner.unclosed = begin;
  }

  /// Up to two quotes may stand before the three that close a long string.
  void skip_closing(char quote, bool is_long) {
    offset_ += is_long ? 3 : 1;
    for (int extra = 0; is_long && extra < 2 && !at_end() && here() == quote; ++extra) ++offset_;
  }

  std::string_view content_;
  const text::line_index& lines_;
  report& problems_;
  std::vector<statement> found_;
  std::size_t offset_ = 0;
  bool is_stopped_ = false;
};

}  // namespace

std::vector<statement> split_statements(std::string_view content, const text::line_index& lines, report& problems) {
  return splitter(content, lines, problems).split();
}

/// A path as one string, without ambiguity: TOML has no NUL.
std::string joined(const std::vector<std::string>& path) {
  std::string result;
  for (const auto& part : path) result.append(part).push_back('\0');
  return result;
}

/// The paths above a joined path, from the shortest; without itself.
std::vector<std::string> prefixes(const std::string& path) {
  std::vector<std::string> result;
  for (auto end = path.find('\0'); end + 1 < path.size(); end = path.find('\0', end + 1)) {
    result.push_back(path.substr(0, end + 1));
  }
  return result;
}

std::string spelled(std::string path) {
  path.pop_back();
  std::replace(path.begin(), path.end(), '\0', '.');
  return path;
}

}  // namespace declaration
