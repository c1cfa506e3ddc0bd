#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <quern/codec.hpp>

namespace quern {

/// A timestamptz, in UTC. `infinity` and `-infinity` are timestamp::max() and timestamp::min().
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// A date. `infinity` and `-infinity` are date::max() and date::min().
using date = std::chrono::sys_days;

/// PostgreSQL's interval: months, days and microseconds are kept apart, because a month and a day have no fixed length.
/// So one day and 24 hours are not equal here.
struct interval {
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::chrono::microseconds time{0};

  constexpr interval() = default;

  constexpr interval(std::int32_t whole_months, std::int32_t whole_days, std::chrono::microseconds rest)
      : months{whole_months}, days{whole_days}, time{rest} {}

  /// A fixed length of time, such as a delay.
  constexpr interval(std::chrono::microseconds length) : time{length} {}  // NOLINT(google-explicit-constructor)

  friend constexpr auto operator<=>(const interval&, const interval&) = default;
};

/// From 4714-11-24 BC to 294246 AD: PostgreSQL goes to 294276 AD, which a count of microseconds from 1970 cannot reach.
/// Throws codec_error outside of that.
template <>
struct codec<timestamp> {
  static constexpr oid type = types::timestamptz;
  static constexpr oid array_type = 1185;

  static bool accepts(oid column) { return column == type; }

  static void encode(wire::writer& out, timestamp value);
  static timestamp decode(wire::reader& in, oid);
};

/// From 4714-11-24 BC to 5874897 AD. Throws codec_error outside of that.
template <>
struct codec<date> {
  static constexpr oid type = types::date;
  static constexpr oid array_type = 1182;

  static bool accepts(oid column) { return column == type; }

  static void encode(wire::writer& out, date value);
  static date decode(wire::reader& in, oid);
};

template <>
struct codec<interval> {
  static constexpr oid type = types::interval;
  static constexpr oid array_type = 1187;

  static bool accepts(oid column) { return column == type; }

  static void encode(wire::writer& out, const interval& value);
  static interval decode(wire::reader& in, oid);
};

}  // namespace quern
