#include "declaration/duration.hpp"

#include <array>
#include <charconv>
#include <cstddef>

namespace declaration {
namespace {

struct unit {
  std::string_view name;
  std::int64_t size;
};

constexpr std::array units{unit{"w", std::int64_t{7} * 24 * 3600 * 1'000'000},
                           unit{"d", std::int64_t{24} * 3600 * 1'000'000},
                           unit{"h", std::int64_t{3600} * 1'000'000},
                           unit{"m", std::int64_t{60} * 1'000'000},
                           unit{"s", 1'000'000},
                           unit{"ms", 1'000},
                           unit{"us", 1}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view take_while(std::string_view& rest, bool digits) {
  std::size_t size = 0;
  while (size < rest.size() && is_digit(rest[size]) == digits) ++size;
  const auto taken = rest.substr(0, size);
  rest.remove_prefix(size);
  return taken;
}

std::size_t index_of(std::string_view name) {
  std::size_t index = 0;
  while (index < units.size() && units[index].name != name) ++index;
  return index;
}

duration_problem malformed(std::string_view written) {
  if (written.starts_with('-')) return {"it is negative"};
  if (written.find_first_of(".,") != std::string_view::npos) return {"it has a fraction: write \"90s\", not \"1.5m\""};
  if (written.find_first_not_of("0123456789") == std::string_view::npos) return {"it has no unit"};
  return {"whole numbers with their units are needed, each unit once and the largest first"};
}

}  // namespace

std::variant<std::int64_t, duration_problem> parse_duration(std::string_view written) {
  std::int64_t sum = 0;
  std::size_t next_unit = 0;
  auto rest = written;
  if (rest.empty()) return duration_problem{"it is empty"};
  while (!rest.empty()) {
    const auto digits = take_while(rest, true);
    const auto name = take_while(rest, false);
    const auto index = index_of(name);
    if (digits.empty() || index < next_unit || index == units.size()) return malformed(written);
    std::int64_t count = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (read.ec != std::errc{} || count > (longest_duration - sum) / units[index].size) {
      return duration_problem{"it is longer than ten years"};
    }
    sum += count * units[index].size;
    next_unit = index + 1;
  }
  if (sum == 0) return duration_problem{"it is zero"};
  return sum;
}

std::string spell_duration(std::int64_t microseconds) {
  std::string result;
  for (const auto& u : units) {
    // Weeks are written, but days are read more easily.
    if (u.name == "w" || microseconds < u.size) continue;
    result.append(std::to_string(microseconds / u.size)).append(u.name);
    microseconds %= u.size;
  }
  return result;
}

}  // namespace declaration
