#include "text/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "text/excerpt.hpp"

namespace text {
namespace {

constexpr std::size_t longest_message = 1000;

struct palette {
  std::string_view strong;
  std::string_view error;
  std::string_view warning;
  std::string_view note;
  std::string_view mark;
  std::string_view off;
};

constexpr palette plain_palette{};
constexpr palette ansi_palette{"\x1b[1m", "\x1b[1;31m", "\x1b[1;35m", "\x1b[1;36m", "\x1b[1;32m", "\x1b[0m"};

/// What one headline says: a diagnostic, or one of its notes.
struct headline {
  std::string_view kind;
  std::string_view kind_colour;
  std::string message;
  span where;
};

class speller {
 public:
  speller(const source& where, colouring colours)
      : source_(where), lines_(where.content), palette_(colours == colouring::ansi ? ansi_palette : plain_palette) {}

  void add(const diagnostic& what) {
    const bool is_error = what.level == severity::error;
    add({is_error ? "error" : "warning", is_error ? palette_.error : palette_.warning,
         fmt::format("{} [{}]", what.message, what.code), what.where});
    add_help(what.help);
    for (const auto& note : what.notes) add({"note", palette_.note, note.message, note.where});
  }

  std::string take() { return std::move(out_); }

 private:
  void add(const headline& head) {
    auto to = std::back_inserter(out_);
    fmt::format_to(to, "{}{}:", palette_.strong, clipped(source_.name, longest_message));
    if (head.where.begin.line > 0) fmt::format_to(to, "{}:{}:", head.where.begin.line, head.where.begin.column);
    fmt::format_to(to, "{} {}{}:{} {}\n", palette_.off, head.kind_colour, head.kind, palette_.off,
                   clipped(head.message, longest_message));
    add_excerpt(head.where);
  }

  void add_excerpt(const span& where) {
    if (where.begin.line == 0 || where.begin.line > lines_.line_count()) return;
    const auto line = lines_.line(where.begin.line);
    const auto end = where.end.line == where.begin.line ? where.end.column : line.size() + 1;
    const auto shown = excerpt_of(line, where.begin.column, end);
    fmt::format_to(std::back_inserter(out_), "  {}\n  {}{}{}\n", shown.line, palette_.mark, shown.marks, palette_.off);
  }

  void add_help(std::string_view help) {
    while (!help.empty()) {
      const auto end = std::min(help.find('\n'), help.size());
      if (end > 0) fmt::format_to(std::back_inserter(out_), "  {}", clipped(help.substr(0, end), longest_message));
      out_ += '\n';
      help.remove_prefix(std::min(end + 1, help.size()));
    }
  }

  const source& source_;
  line_index lines_;
  const palette& palette_;
  std::string out_;
};

}  // namespace

void sort_by_position(std::vector<diagnostic>& diagnostics) {
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [](const diagnostic& a, const diagnostic& b) { return a.where.begin < b.where.begin; });
}

std::string spell(const diagnostic& what, const source& where, colouring colours) {
  speller out(where, colours);
  out.add(what);
  return out.take();
}

std::string spell(const std::vector<diagnostic>& diagnostics, const source& where, colouring colours) {
  speller out(where, colours);
  for (const auto& each : diagnostics) out.add(each);
  return out.take();
}

}  // namespace text
