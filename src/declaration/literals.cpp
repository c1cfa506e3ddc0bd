#include "declaration/literals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <variant>

#include "declaration/duration.hpp"

namespace declaration {
namespace {

using std::chrono::microseconds;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr std::int64_t minute = std::int64_t{60} * 1'000'000;
constexpr std::int64_t hour = 60 * minute;

/// Reads a text from its left; every step fails when it does not fit.
class cursor {
 public:
  explicit cursor(std::string_view rest) : rest_(rest) {}

  bool at_end() const { return rest_.empty(); }

  char here() const { return rest_.empty() ? '\0' : rest_.front(); }

  bool take(char wanted) {
    if (here() != wanted || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// A number of exactly so many digits.
  std::optional<int> number(std::size_t digits) {
    if (rest_.size() < digits ||
        !std::all_of(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(digits), is_digit)) {
      return std::nullopt;
    }
    int value = 0;
    for (const char c : rest_.substr(0, digits)) value = value * 10 + (c - '0');
    rest_.remove_prefix(digits);
    return value;
  }

  std::string_view digits() {
    const auto size = static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_digit) - rest_.begin());
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view rest_;
};

std::optional<std::chrono::sys_days> take_date(cursor& at) {
  const auto year = at.number(4);
  if (!year || *year < 1 || !at.take('-')) return std::nullopt;
  const auto month = at.number(2);
  if (!month || !at.take('-')) return std::nullopt;
  const auto day = at.number(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date};
}

/// Up to six digits behind the point, as microseconds.
std::optional<std::int64_t> take_fraction(cursor& at) {
  if (!at.take('.')) return 0;
  const auto digits = at.digits();
  if (digits.empty() || digits.size() > 6) return std::nullopt;
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 6; ++i) value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return value;
}

std::optional<microseconds> take_time(cursor& at) {
  const auto hours = at.number(2);
  if (!hours || *hours > 23 || !at.take(':')) return std::nullopt;
  const auto minutes = at.number(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  int second = 0;
  std::int64_t fraction = 0;
  if (at.take(':')) {
    const auto seconds = at.number(2);
    const auto read = seconds ? take_fraction(at) : std::nullopt;
    if (!read || *seconds > 59) return std::nullopt;
    second = *seconds;
    fraction = *read;
  }
  return std::chrono::hours{*hours} + std::chrono::minutes{*minutes} + std::chrono::seconds{second} +
         microseconds{fraction};
}

/// What has to be taken away to be in UTC; PostgreSQL's zones end below 16 hours.
std::optional<microseconds> take_zone(cursor& at) {
  if (at.take('Z') || at.take('z')) return microseconds{0};
  const bool is_west = at.here() == '-';
  if (!at.take('+') && !at.take('-')) return std::nullopt;
  const auto hours = at.number(2);
  std::optional<int> minutes = 0;
  if (at.take(':')) minutes = at.number(2);
  if (!hours || *hours > 15 || !minutes || *minutes > 59) return std::nullopt;
  const microseconds offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
  return is_west ? -offset : offset;
}

/// Ten thousand years, as PostgreSQL could not show more in a timestamp.
constexpr std::int64_t most_months = 120'000;
constexpr std::int64_t most_days = 3'650'000;
constexpr std::int64_t most_microseconds = most_days * 24 * 3600 * 1'000'000;

/// ISO 8601 behind the P: numbers with a designator each.
class iso_interval {
 public:
  explicit iso_interval(cursor at) : at_(at) {}

  std::optional<interval_parts> read() {
    if (at_.at_end()) return std::nullopt;
    while (!at_.at_end()) {
      if (!is_time_ && at_.take('T')) {
        is_time_ = true;
        rank_ = 0;
        if (at_.at_end()) return std::nullopt;
      }
      if (!read_part()) return std::nullopt;
    }
    const auto within = [](std::int64_t value, std::int64_t most) { return value >= -most && value <= most; };
    if (!within(months_, most_months) || !within(days_, most_days) || !within(microseconds_, most_microseconds)) {
      return std::nullopt;
    }
    return interval_parts{static_cast<std::int32_t>(months_), static_cast<std::int32_t>(days_), microseconds_};
  }

 private:
  bool read_part() {
    const bool is_negative = at_.take('-');
    const auto digits = at_.digits();
    std::int64_t count = 0;
    if (digits.empty() || digits.size() > 12) return false;
    std::from_chars(digits.data(), digits.data() + digits.size(), count);
    const bool has_fraction = at_.here() == '.';
    const auto fraction = take_fraction(at_);
    if (!fraction) return false;
    return add(is_negative ? -1 : 1, count, *fraction, has_fraction);
  }

  bool add(int sign, std::int64_t count, std::int64_t fraction, bool has_fraction) {
    if (is_time_ && ordered('S', 3)) {
      if (count > most_microseconds / 1'000'000) return false;
      microseconds_ += sign * (count * 1'000'000 + fraction);
      return true;
    }
    if (has_fraction) return false;
    if (is_time_ && ordered('H', 1)) return add_to(microseconds_, sign * count, hour);
    if (is_time_ && ordered('M', 2)) return add_to(microseconds_, sign * count, minute);
    if (is_time_) return false;
    if (ordered('Y', 1)) return add_to(months_, sign * count, 12);
    if (ordered('M', 2)) return add_to(months_, sign * count, 1);
    if (ordered('W', 3)) return add_to(days_, sign * count, 7);
    if (ordered('D', 4)) return add_to(days_, sign * count, 1);
    return false;
  }

  /// Takes a designator when it may stand here: each once, largest first.
  bool ordered(char designator, int rank) {
    if (at_.here() != designator || rank <= rank_) return false;
    rank_ = rank;
    return at_.take(designator);
  }

  static bool add_to(std::int64_t& sum, std::int64_t count, std::int64_t size) {
    if (count > most_microseconds / size || count < -most_microseconds / size) return false;
    sum += count * size;
    return true;
  }

  cursor at_;
  bool is_time_ = false;
  int rank_ = 0;
  std::int64_t months_ = 0;
  std::int64_t days_ = 0;
  std::int64_t microseconds_ = 0;
};

struct number_parts {
  bool is_negative;
  std::string_view whole;
  std::string_view fraction;
};

number_parts parts_of(std::string_view number) {
  const bool is_negative = number.starts_with('-');
  if (is_negative) number.remove_prefix(1);
  const auto point = number.find('.');
  if (point == std::string_view::npos) return {is_negative, number, {}};
  return {is_negative, number.substr(0, point), number.substr(point + 1)};
}

std::string_view without_last_zeros(std::string_view digits) {
  while (digits.ends_with('0')) digits.remove_suffix(1);
  return digits;
}

std::strong_ordering compare_sizes(const number_parts& a, const number_parts& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() <=> b.whole.size();
  if (a.whole != b.whole) return a.whole <=> b.whole;
  return without_last_zeros(a.fraction) <=> without_last_zeros(b.fraction);
}

}  // namespace

std::optional<std::string> read_uuid(std::string_view written) {
  constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (written.size() != form.size()) return std::nullopt;
  std::string result(written);
  for (std::size_t i = 0; i < form.size(); ++i) {
    char& c = result[i];
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    const bool is_hex = is_digit(c) || (c >= 'a' && c <= 'f');
    if (form[i] == '-' ? c != '-' : !is_hex) return std::nullopt;
  }
  return result;
}

std::optional<std::chrono::sys_days> read_date(std::string_view written) {
  cursor at(written);
  const auto date = take_date(at);
  return at.at_end() ? date : std::nullopt;
}

std::optional<std::chrono::sys_time<microseconds>> read_timestamp(std::string_view written) {
  cursor at(written);
  const auto date = take_date(at);
  if (!date || (!at.take('T') && !at.take('t') && !at.take(' '))) return std::nullopt;
  const auto time = take_time(at);
  if (!time) return std::nullopt;
  const auto zone = take_zone(at);
  if (!zone || !at.at_end()) return std::nullopt;
  const auto when = *date + *time - *zone;
  // A zone can lead out of the years that can be spelled again.
  const auto year = std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(when)}.year();
  if (year < std::chrono::year{1} || year > std::chrono::year{9999}) return std::nullopt;
  return when;
}

std::string spell_timestamp(std::chrono::sys_time<microseconds> when) {
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{when - day};
  auto result = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                            static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                            time.hours().count(), time.minutes().count(), time.seconds().count());
  if (time.subseconds().count() != 0) {
    result += fmt::format(".{:06}", time.subseconds().count());
    result.erase(result.find_last_not_of('0') + 1);
  }
  return result + "Z";
}

std::optional<interval_parts> read_interval(std::string_view written) {
  cursor at(written);
  if (at.take('P')) return iso_interval(at).read();
  const auto duration = parse_duration(written);
  if (const auto* value = std::get_if<std::int64_t>(&duration)) {
    constexpr std::int64_t day = std::int64_t{24} * 3600 * 1'000'000;
    return interval_parts{0, static_cast<std::int32_t>(*value / day), *value % day};
  }
  return std::nullopt;
}

std::string spell_interval(const interval_parts& interval) {
  std::string result = "P";
  if (interval.months != 0) result += fmt::format("{}M", interval.months);
  if (interval.days != 0) result += fmt::format("{}D", interval.days);
  if (interval.microseconds == 0) return result == "P" ? "PT0S" : result;
  // PostgreSQL 14 reads each part as 32 bits, and a fraction through a double: hours and minutes stand for themselves.
  const auto* sign = interval.microseconds < 0 ? "-" : "";
  const auto size = interval.microseconds < 0 ? -interval.microseconds : interval.microseconds;
  const auto seconds = size / 1'000'000 % 60;
  const auto fraction = size % 1'000'000;
  result += 'T';
  if (size >= hour) result += fmt::format("{}{}H", sign, size / hour);
  if (size / minute % 60 != 0) result += fmt::format("{}{}M", sign, size / minute % 60);
  if (seconds == 0 && fraction == 0) return result;
  result += fmt::format("{}{}", sign, seconds);
  if (fraction != 0) {
    result += fmt::format(".{:06}", fraction);
    result.erase(result.find_last_not_of('0') + 1);
  }
  return result + "S";
}

std::strong_ordering compare(const interval_parts& a, const interval_parts& b) {
  constexpr std::int64_t day = std::int64_t{24} * 3600 * 1'000'000;
  // Days and microseconds apart: their sum could pass 64 bits.
  const auto days = [](const interval_parts& i) { return std::int64_t{i.months} * 30 + i.days; };
  const auto whole = [&](const interval_parts& i) { return days(i) + i.microseconds / day; };
  const auto rest = [&](const interval_parts& i) { return i.microseconds % day; };
  const auto difference = whole(a) - whole(b);
  if (difference < -1 || difference > 1) return difference <=> 0;
  return (difference * day + rest(a) - rest(b)) <=> 0;
}

std::optional<std::string> read_numeric(std::string_view written) {
  constexpr std::size_t most_digits = 1000;
  const bool is_negative = written.starts_with('-');
  if (is_negative || written.starts_with('+')) written.remove_prefix(1);
  cursor at(written);
  auto whole = at.digits();
  const bool has_point = at.take('.');
  const auto fraction = at.digits();
  if (!at.at_end() || whole.empty() || (has_point && fraction.empty())) return std::nullopt;
  if (whole.size() + fraction.size() > most_digits) return std::nullopt;
  while (whole.size() > 1 && whole.starts_with('0')) whole.remove_prefix(1);
  const bool is_zero = whole == "0" && without_last_zeros(fraction).empty();
  return fmt::format("{}{}{}{}", is_negative && !is_zero ? "-" : "", whole, has_point ? "." : "", fraction);
}

std::strong_ordering compare_numeric(std::string_view a, std::string_view b) {
  const auto left = parts_of(a);
  const auto right = parts_of(b);
  if (left.is_negative != right.is_negative) return right.is_negative <=> left.is_negative;
  return left.is_negative ? compare_sizes(right, left) : compare_sizes(left, right);
}

digit_counts count_digits(std::string_view number) {
  const auto parts = parts_of(number);
  const auto before = parts.whole == "0" ? 0 : parts.whole.size();
  return {static_cast<int>(before), static_cast<int>(without_last_zeros(parts.fraction).size())};
}

}  // namespace declaration
