#include "contract/types.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace contract {

namespace {

/// The precision and scale of `numeric(p,s)`; nothing for another type; of a bare `numeric` both are 0.
std::optional<std::pair<int, int>> numeric_size(std::string_view type) {
  constexpr std::string_view name = "numeric";
  if (!type.starts_with(name)) return std::nullopt;
  type.remove_prefix(name.size());
  if (type.empty()) return std::pair{0, 0};
  std::pair<int, int> size;
  const auto* const end = type.data() + type.size();
  const auto [comma, trouble] = std::from_chars(type.data() + 1, end, size.first);
  if (trouble == std::errc{} && comma != end && *comma == ',') std::from_chars(comma + 1, end, size.second);
  return size;
}

bool is_wider_numeric(const std::pair<int, int>& from, const std::pair<int, int>& to) {
  if (to.first == 0) return from.first != 0;
  if (from.first == 0 || from == to) return false;
  return to.second >= from.second && to.first - to.second >= from.first - from.second;
}

template <std::size_t Count>
bool is_later(const std::array<std::string_view, Count>& ladder, std::string_view from, std::string_view to) {
  const auto lower = std::find(ladder.begin(), ladder.end(), from);
  const auto higher = std::find(ladder.begin(), ladder.end(), to);
  return lower != ladder.end() && higher != ladder.end() && lower < higher;
}

}  // namespace

std::string storage_type(std::string_view type) {
  std::string result{type};
  std::erase(result, '?');
  return result;
}

bool is_optional(const field& field) {
  return field.type.ends_with('?');
}

bool has_optional_elements(const field& field) {
  return field.type.find("?[]") != std::string::npos;
}

bool is_widened(std::string_view from, std::string_view to) {
  auto before = storage_type(from);
  auto now = storage_type(to);
  if (before.ends_with("[]") != now.ends_with("[]")) return false;
  if (before.ends_with("[]")) {
    before.resize(before.size() - 2);
    now.resize(now.size() - 2);
  }
  constexpr std::array<std::string_view, 3> integers{"int16", "int32", "int64"};
  constexpr std::array<std::string_view, 2> floats{"float32", "float64"};
  if (is_later(integers, before, now) || is_later(floats, before, now)) return true;
  const auto old_size = numeric_size(before);
  const auto new_size = numeric_size(now);
  return old_size && new_size && is_wider_numeric(*old_size, *new_size);
}

}  // namespace contract
