#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace declaration {

inline constexpr std::int64_t longest_lease = std::int64_t{7} * 24 * 3600 * 1'000'000;
/// Ten years of 365 days, in microseconds; longer is a mistake.
inline constexpr std::int64_t longest_duration = std::int64_t{3650} * 24 * 3600 * 1'000'000;

/// Why a text is no duration.
struct duration_problem {
  std::string message;
};

/// Microseconds of "30s", "1h30m", "7d": whole numbers with the units w, d, h, m, s, ms, us, largest first, each once.
/// More than zero and at most `longest_duration`.
std::variant<std::int64_t, duration_problem> parse_duration(std::string_view written);

/// The shortest spelling that `parse_duration` reads: 5'400'000'000 → "1h30m".
std::string spell_duration(std::int64_t microseconds);

}  // namespace declaration
