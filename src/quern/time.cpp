#include "quern/time.hpp"

#include <limits>

#include "quern/error.hpp"

// Formats and limits: PostgreSQL's timestamp.h, date.h and their _send functions. Its epoch is 2000-01-01.
namespace quern {
namespace {

using limits64 = std::numeric_limits<std::int64_t>;
using limits32 = std::numeric_limits<std::int32_t>;

constexpr std::int64_t epoch_microseconds = 946'684'800'000'000;
constexpr std::int64_t first_timestamp = -211'813'488'000'000'000;  // in PostgreSQL's count
constexpr std::int64_t epoch_days = 10'957;
constexpr std::int64_t first_date = -2'451'545;
constexpr std::int64_t past_last_date = 2'145'031'949;

}  // namespace

void codec<timestamp>::encode(wire::writer& out, timestamp value) {
  std::int64_t count = value.time_since_epoch().count();
  if (value != timestamp::max() && value != timestamp::min()) {
    if (count < first_timestamp + epoch_microseconds)
      throw codec_error{"a timestamp before 4714-11-24 BC is out of PostgreSQL's range"};
    count -= epoch_microseconds;
  }
  out.put(static_cast<std::uint64_t>(count));
}

timestamp codec<timestamp>::decode(wire::reader& in, oid) {
  const auto count = static_cast<std::int64_t>(in.take<std::uint64_t>());
  if (count == limits64::max()) return timestamp::max();
  if (count == limits64::min()) return timestamp::min();
  if (count >= limits64::max() - epoch_microseconds)
    throw codec_error{"a timestamp after 294246 AD does not fit microseconds from 1970"};
  if (count < first_timestamp) throw codec_error{"malformed timestamp from the server: before 4714-11-24 BC"};
  return timestamp{std::chrono::microseconds{count + epoch_microseconds}};
}

void codec<date>::encode(wire::writer& out, date value) {
  if (value == date::max()) return out.put(static_cast<std::uint32_t>(limits32::max()));
  if (value == date::min()) return out.put(static_cast<std::uint32_t>(limits32::min()));
  const std::int64_t days = value.time_since_epoch().count();
  if (days < first_date + epoch_days || days >= past_last_date + epoch_days)
    throw codec_error{"a date outside of 4714-11-24 BC to 5874897 AD is out of PostgreSQL's range"};
  out.put(static_cast<std::uint32_t>(days - epoch_days));
}

date codec<date>::decode(wire::reader& in, oid) {
  const auto days = static_cast<std::int32_t>(in.take<std::uint32_t>());
  if (days == limits32::max()) return date::max();
  if (days == limits32::min()) return date::min();
  if (days < first_date || days >= past_last_date) throw codec_error{"malformed date from the server: out of range"};
  return date{std::chrono::days{days + epoch_days}};
}

void codec<interval>::encode(wire::writer& out, const interval& value) {
  out.put(static_cast<std::uint64_t>(value.time.count()));
  out.put(static_cast<std::uint32_t>(value.days));
  out.put(static_cast<std::uint32_t>(value.months));
}

interval codec<interval>::decode(wire::reader& in, oid) {
  interval value;
  value.time = std::chrono::microseconds{static_cast<std::int64_t>(in.take<std::uint64_t>())};
  value.days = static_cast<std::int32_t>(in.take<std::uint32_t>());
  value.months = static_cast<std::int32_t>(in.take<std::uint32_t>());
  return value;
}

}  // namespace quern
