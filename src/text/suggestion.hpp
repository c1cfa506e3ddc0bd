#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace text {

/// How many insertions, removals, replacements and swaps of neighbours lead from one name to the other; `limit + 1`
/// when more than `limit` do. Bytes are compared; names longer than 64 bytes are never near.
std::size_t edit_distance(std::string_view from, std::string_view to, std::size_t limit);

/// The candidate that the user may have meant: at most a third of the name's letters away, case aside.
std::optional<std::string> nearest_name(std::string_view wrong, std::span<const std::string_view> candidates);

}  // namespace text
