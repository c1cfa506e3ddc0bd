#include "text/excerpt.hpp"

#include <algorithm>
#include <vector>

#include "text/utf8.hpp"

namespace text {
namespace {

constexpr std::size_t widest_line = 120;    // columns of the terminal
constexpr std::size_t context_before = 40;  // kept before the mark when a line is cut
constexpr std::size_t tab_width = 4;
constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::string_view cut = "...";

/// How one character of the line is shown.
struct cell {
  std::string_view shown;
  std::size_t width;
  std::size_t column;  // bytes, from 1
  std::size_t size;    // bytes of the line
};

/// Control characters, and those that turn the direction of writing: they would show another text than the one that is
/// read.
bool is_hidden(char32_t c) {
  const bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
  return is_control || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFFFD;
}

cell cell_at(std::string_view line, std::size_t offset, const character& c) {
  if (c.code_point == '\t') return {std::string_view("    ", tab_width), tab_width, offset + 1, c.size};
  if (is_hidden(c.code_point)) return {replacement, 1, offset + 1, c.size};
  return {line.substr(offset, c.size), display_width(c.code_point), offset + 1, c.size};
}

/// Only the neighbourhood of the mark is looked at: a line may have megabytes.
std::size_t first_shown(std::string_view line, std::size_t begin) {
  if (line.size() <= widest_line || begin <= context_before + 1) return 0;
  std::size_t offset = std::min(begin - 1, line.size()) - context_before;
  while (offset > 0 && (static_cast<unsigned char>(line[offset]) & 0xC0U) == 0x80U) --offset;
  return offset;
}

void mark(std::string& marks, const cell& c, std::size_t begin, std::size_t end) {
  const bool is_first = c.column <= begin && begin < c.column + c.size;
  const bool is_inside = c.column > begin && c.column < end;
  const auto has_caret = marks.find('^') != std::string::npos;
  // What has no width of its own is marked nevertheless.
  const auto width = is_first ? std::max<std::size_t>(c.width, 1) : c.width;
  for (std::size_t i = 0; i < width; ++i) {
    if ((is_first || is_inside) && !has_caret && i == 0) {
      marks += '^';
    } else {
      marks += is_first || is_inside ? '~' : ' ';
    }
  }
}

}  // namespace

excerpt excerpt_of(std::string_view line, std::size_t begin, std::size_t end) {
  begin = std::clamp<std::size_t>(begin, 1, line.size() + 1);
  end = std::max(end, begin + 1);
  const auto start = first_shown(line, begin);
  excerpt result;
  if (start > 0) result.line = cut, result.marks.append(cut.size(), ' ');
  std::size_t width = result.line.size();
  std::size_t offset = start;
  while (offset < line.size() && width < widest_line) {
    const auto c = character_at(line, offset);
    const auto shown = cell_at(line, offset, c);
    result.line += shown.shown;
    mark(result.marks, shown, begin, end);
    width += shown.width;
    offset += c.size;
  }
  if (offset < line.size()) result.line += cut;
  if (begin > offset) result.marks += '^';
  result.marks.erase(result.marks.find_last_not_of(' ') + 1);
  return result;
}

std::string clipped(std::string_view content, std::size_t most) {
  std::string result;
  for (std::size_t offset = 0; offset < content.size();) {
    if (offset >= most) return result + std::string(cut);
    const auto c = character_at(content, offset);
    result += is_hidden(c.code_point) ? replacement : content.substr(offset, c.size);
    offset += c.size;
  }
  return result;
}

}  // namespace text
