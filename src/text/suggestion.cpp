#include "text/suggestion.hpp"

#include <algorithm>
#include <array>

namespace text {
namespace {

constexpr std::size_t longest = 64;

std::string lowered(std::string_view name) {
  std::string result(name);
  for (auto& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::size_t limit_for(std::string_view name) {
  return std::max<std::size_t>(1, (name.size() + 1) / 3);
}

}  // namespace

std::size_t edit_distance(std::string_view from, std::string_view to, std::size_t limit) {
  const auto difference = from.size() > to.size() ? from.size() - to.size() : to.size() - from.size();
  if (difference > limit || from.size() > longest || to.size() > longest) return limit + 1;
  // Three rows of the usual table (optimal string alignment): the row before the last is needed for swaps.
  std::array<std::array<std::size_t, longest + 1>, 3> rows{};
  for (std::size_t j = 0; j <= to.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t cost = from[i - 1] == to[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + cost});
      const bool is_swap = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (is_swap) row[j] = std::min(row[j], rows[(i + 1) % 3][j - 2] + 1);
    }
  }
  return std::min(rows[from.size() % 3][to.size()], limit + 1);
}

std::optional<std::string> nearest_name(std::string_view wrong, std::span<const std::string_view> candidates) {
  const auto name = lowered(wrong);
  auto best = limit_for(wrong) + 1;
  std::optional<std::string> found;
  for (const auto candidate : candidates) {
    const auto distance = edit_distance(name, lowered(candidate), best - 1);
    if (distance >= best || distance >= candidate.size()) continue;
    best = distance;
    found = std::string(candidate);
    if (best == 0) break;
  }
  return found;
}

}  // namespace text
