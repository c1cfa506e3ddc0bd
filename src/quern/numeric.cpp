#include "quern/numeric.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "quern/error.hpp"

// Format and limits: numeric_send, numeric_recv and numeric.h of PostgreSQL.
namespace quern {
namespace {

constexpr int group_digits = 4;
constexpr std::uint16_t group_base = 10'000;
constexpr std::int64_t largest_scale = 16'383;
constexpr std::int64_t most_whole_digits = 131'072;

[[noreturn]] void fail_no_number(std::string_view text) {
  throw codec_error{"\"" + std::string{text.substr(0, 64)} + "\" is no number"};
}

[[noreturn]] void fail_range() {
  throw codec_error{"a numeric has at most 131072 digits before and 16383 after the point"};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string lower(std::string_view text) {
  std::string result{text};
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

// The parts of `digits[.digits][e[+-]digits]`.
struct decimal {
  std::string digits;      // of both sides of the point
  std::int64_t whole = 0;  // so many of them stand before the point
  std::int64_t exponent = 0;
};

std::string_view take_digits(std::string_view& rest) {
  const auto end = std::ranges::find_if_not(rest, is_digit);
  const auto count = static_cast<std::size_t>(end - rest.begin());
  const std::string_view taken = rest.substr(0, count);
  rest.remove_prefix(count);
  return taken;
}

std::int64_t take_exponent(std::string_view& rest, std::string_view text) {
  rest.remove_prefix(1);
  const bool is_negative = rest.starts_with('-');
  if (is_negative || rest.starts_with('+')) rest.remove_prefix(1);
  const std::string_view digits = take_digits(rest);
  if (digits.empty()) fail_no_number(text);
  std::int64_t exponent = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec != std::errc{} ||
      exponent > 2 * most_whole_digits)
    fail_range();
  return is_negative ? -exponent : exponent;
}

decimal parse(std::string_view rest, std::string_view text) {
  decimal parts;
  parts.digits = take_digits(rest);
  parts.whole = static_cast<std::int64_t>(parts.digits.size());
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    parts.digits += take_digits(rest);
  }
  if (parts.digits.empty()) fail_no_number(text);
  if (rest.starts_with('e') || rest.starts_with('E')) parts.exponent = take_exponent(rest, text);
  if (!rest.empty()) fail_no_number(text);
  return parts;
}

// The exponent of 10000 of the group that a decimal digit stands in, by its exponent of 10.
std::int64_t group_of(std::int64_t exponent) {
  return exponent >= 0 ? exponent / group_digits : -((-exponent + group_digits - 1) / group_digits);
}

std::array<char, group_digits> spell(std::uint16_t group) {
  return {static_cast<char>('0' + group / 1000), static_cast<char>('0' + group / 100 % 10),
          static_cast<char>('0' + group / 10 % 10), static_cast<char>('0' + group % 10)};
}

}  // namespace

numeric::numeric(std::string_view text) {
  std::string_view rest = text;
  const bool is_negative = rest.starts_with('-');
  if (is_negative || rest.starts_with('+')) rest.remove_prefix(1);
  const std::string word = lower(rest);
  if (word == "nan" && rest.size() == text.size()) {
    kind_ = kind::nan;
  } else if (word == "infinity" || word == "inf") {
    kind_ = is_negative ? kind::negative_infinity : kind::infinity;
  } else {
    kind_ = is_negative ? kind::negative : kind::positive;
    read_decimal(rest, text);
  }
}

void numeric::read_decimal(std::string_view digits, std::string_view text) {
  const decimal parts = parse(digits, text);
  const auto count = static_cast<std::int64_t>(parts.digits.size());
  const std::int64_t first = parts.whole + parts.exponent - 1;  // the exponent of 10 of the first digit
  const std::int64_t scale = std::max<std::int64_t>(0, count - parts.whole - parts.exponent);
  if (scale > largest_scale) fail_range();
  scale_ = static_cast<std::int32_t>(scale);
  weight_ = static_cast<std::int32_t>(group_of(first));
  const std::int64_t last_group = group_of(first - count + 1);
  digits_.assign(static_cast<std::size_t>(weight_ - last_group + 1), 0);
  constexpr std::array<std::uint16_t, group_digits> place{1, 10, 100, 1000};
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t exponent = first - i;
    const std::int64_t group = group_of(exponent);
    const int digit = parts.digits[static_cast<std::size_t>(i)] - '0';
    auto& target = digits_[static_cast<std::size_t>(weight_ - group)];
    target =
        static_cast<std::uint16_t>(target + digit * place[static_cast<std::size_t>(exponent - group * group_digits)]);
  }
  normalise();
  if (!digits_.empty() && weight_ >= most_whole_digits / group_digits) fail_range();
}

void numeric::normalise() {
  const auto first = std::ranges::find_if(digits_, [](std::uint16_t group) { return group != 0; });
  weight_ -= static_cast<std::int32_t>(first - digits_.begin());
  digits_.erase(digits_.begin(), first);
  while (!digits_.empty() && digits_.back() == 0) digits_.pop_back();
  if (!digits_.empty()) return;
  weight_ = 0;
  if (is_finite()) kind_ = kind::positive;
}

numeric numeric::special(kind which) {
  numeric value;
  value.kind_ = which;
  return value;
}

numeric numeric::nan() {
  return special(kind::nan);
}

numeric numeric::infinity() {
  return special(kind::infinity);
}

numeric numeric::negative_infinity() {
  return special(kind::negative_infinity);
}

std::string numeric::text() const {
  if (kind_ == kind::nan) return "NaN";
  if (kind_ == kind::infinity) return "Infinity";
  if (kind_ == kind::negative_infinity) return "-Infinity";
  const auto group_at = [&](std::int32_t weight) {
    const std::int32_t index = weight_ - weight;
    const bool is_held = index >= 0 && index < static_cast<std::int32_t>(digits_.size());
    return spell(is_held ? digits_[static_cast<std::size_t>(index)] : std::uint16_t{0});
  };
  std::string whole;
  for (std::int32_t weight = std::max(weight_, 0); weight >= 0; --weight) {
    const auto group = group_at(weight);
    whole.append(group.begin(), group.end());
  }
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  if (kind_ == kind::negative) whole.insert(whole.begin(), '-');
  if (scale_ == 0) return whole;
  std::string decimals;
  for (std::int32_t weight = -1; static_cast<std::int32_t>(decimals.size()) < scale_; --weight) {
    const auto group = group_at(weight);
    decimals.append(group.begin(), group.end());
  }
  decimals.resize(static_cast<std::size_t>(scale_));
  return whole + '.' + decimals;
}

void codec<numeric>::encode(wire::writer& out, const numeric& value) {
  out.put(static_cast<std::uint16_t>(value.digits_.size()));
  out.put(static_cast<std::uint16_t>(value.weight_));
  out.put(static_cast<std::uint16_t>(value.kind_));
  out.put(static_cast<std::uint16_t>(value.scale_));
  for (const std::uint16_t group : value.digits_) out.put(group);
}

numeric codec<numeric>::decode(wire::reader& in, oid) {
  using kind = numeric::kind;
  const std::size_t count = in.take<std::uint16_t>();
  numeric value;
  value.weight_ = static_cast<std::int16_t>(in.take<std::uint16_t>());
  value.kind_ = static_cast<kind>(in.take<std::uint16_t>());
  value.scale_ = in.take<std::uint16_t>();
  const bool is_known = value.is_finite() || value.kind_ == kind::nan || value.kind_ == kind::infinity ||
                        value.kind_ == kind::negative_infinity;
  // A special number has no digits, whatever its other fields say (an infinity of PostgreSQL has a scale of its own).
  if (is_known && !value.is_finite() && count == 0) return numeric::special(value.kind_);
  if (!value.is_finite() || value.scale_ > largest_scale)
    throw codec_error{"malformed numeric from the server: an unknown kind or scale"};
  value.digits_.reserve(std::min(count, in.left() / 2));
  for (std::size_t i = 0; i < count; ++i) {
    value.digits_.push_back(in.take<std::uint16_t>());
    if (value.digits_.back() >= group_base)
      throw codec_error{"malformed numeric from the server: a digit of 10000 or more"};
  }
  value.normalise();
  return value;
}

}  // namespace quern
