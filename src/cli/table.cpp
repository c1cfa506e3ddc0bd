#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "text/utf8.hpp"

namespace cli {
namespace {

std::size_t width_of(std::string_view words) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < words.size();) {
    const auto [code_point, size] = text::character_at(words, at);
    width += text::display_width(code_point);
    at += size;
  }
  return width;
}

bool is_number(const cell& one) {
  return !one.words.empty() && one.words.front() >= '0' && one.words.front() <= '9';
}

// A column of figures has them on the right, its head too.
bool is_of_numbers(const std::vector<std::vector<cell>>& rows, std::size_t column) {
  const auto is_figure = [&](const std::vector<cell>& row) {
    return is_number(row[column]) || row[column].words == "-";
  };
  return std::all_of(rows.begin() + 1, rows.end(), is_figure);
}

}  // namespace

table::table(std::vector<std::string> heads) {
  auto& first = rows_.emplace_back();
  for (std::string& head : heads) first.push_back({std::move(head), dim});
}

void table::add(std::vector<cell> cells) {
  cells.resize(rows_.front().size());
  rows_.push_back(std::move(cells));
}

void table::say() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i].words));
  std::vector<bool> is_right(widths.size());
  for (std::size_t i = 0; i < widths.size(); ++i) is_right[i] = is_of_numbers(rows_, i);
  for (const auto& row : rows_) {
    std::string line;
    std::string gap;  // in front of the next words: a line does not end with blanks
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - width_of(row[i].words), ' ');
      if (is_right[i]) gap += blanks;
      if (!row[i].words.empty()) {
        line += gap + (row[i].paint == nullptr ? row[i].words : row[i].paint(row[i].words, stream::output));
        gap.clear();
      }
      if (!is_right[i]) gap += blanks;
      gap += "  ";
    }
    cli::say(line);
  }
}

cell count_cell(std::int64_t count, std::string (*paint)(std::string_view, stream)) {
  return {fmt::to_string(count), count > 0 ? paint : nullptr};
}

std::string spell_age(double seconds) {
  if (seconds < 1) return fmt::format("{}ms", std::lround(std::max(seconds, 0.0) * 1000));
  struct unit {
    std::int64_t seconds;
    char letter;
  };
  constexpr std::array<unit, 4> units{{{86'400, 'd'}, {3'600, 'h'}, {60, 'm'}, {1, 's'}}};
  const auto whole = static_cast<std::int64_t>(seconds);
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (whole < units[i].seconds) continue;
    std::string spelled = fmt::format("{}{}", whole / units[i].seconds, units[i].letter);
    if (i + 1 < units.size()) {
      const std::int64_t rest = whole % units[i].seconds / units[i + 1].seconds;
      if (rest > 0) spelled += fmt::format(" {}{}", rest, units[i + 1].letter);
    }
    return spelled;
  }
  return "0s";
}

std::string spell_bytes(std::int64_t bytes) {
  constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < units.size()) {
    size /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, units[unit]);
}

}  // namespace cli
