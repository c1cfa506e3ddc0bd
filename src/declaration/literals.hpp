#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The written forms of values that stay text in the model, and what they mean. What is read here is safe to spell into
/// SQL.
namespace declaration {

/// A uuid in lower case; nothing when it is not 8-4-4-4-12 hexadecimal digits.
std::optional<std::string> read_uuid(std::string_view written);

/// "2026-11-21", from year 1 to 9999.
std::optional<std::chrono::sys_days> read_date(std::string_view written);

/// "2026-11-21T12:30:00Z", "2026-11-21 12:30:00.5+02:00": with a zone, up to six digits of a second.
std::optional<std::chrono::sys_time<std::chrono::microseconds>> read_timestamp(std::string_view written);

/// "2026-11-21T12:30:00.5Z".
std::string spell_timestamp(std::chrono::sys_time<std::chrono::microseconds> when);

/// The three parts that PostgreSQL keeps apart.
struct interval_parts {
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int64_t microseconds = 0;
  bool operator==(const interval_parts&) const = default;
};

/// ISO 8601 ("P1Y2M3DT4H5M6.5S", parts may be negative) or a duration ("1h30m"); up to 10,000 years.
std::optional<interval_parts> read_interval(std::string_view written);

/// ISO 8601, as PostgreSQL reads it: "P14M3DT4H5M6.5S"; "PT0S" for nothing.
std::string spell_interval(const interval_parts& interval);

/// As PostgreSQL compares intervals: a month has 30 days, a day 24 hours.
std::strong_ordering compare(const interval_parts& a, const interval_parts& b);

/// A decimal number without exponent, up to 1,000 digits; spelled without leading zeros and '+': "-12.50".
std::optional<std::string> read_numeric(std::string_view written);

/// Compares two results of `read_numeric`.
std::strong_ordering compare_numeric(std::string_view a, std::string_view b);

/// Digits of a result of `read_numeric` before and behind its point, without zeros that mean nothing.
struct digit_counts {
  int before = 0;
  int behind = 0;
};

digit_counts count_digits(std::string_view number);

}  // namespace declaration
