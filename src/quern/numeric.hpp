#pragma once

#include <concepts>
#include <cstdint>
#include <quern/codec.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace quern {

/// A decimal number of any size, exactly as PostgreSQL's numeric: with its number of decimals, NaN and the infinities.
/// It holds, compares, reads and writes them; it does not calculate.
class numeric {
 public:
  /// 0
  numeric() = default;

  /// From `[+-]digits[.digits][e[+-]digits]`, `NaN`, `Infinity`, `-Infinity` (any case; `inf` as well).
  /// Throws codec_error for anything else and for more than 131072 digits before or 16383 after the point.
  explicit numeric(std::string_view text);

  template <std::integral Integer>
  explicit numeric(Integer value) : numeric{std::string_view{std::to_string(value)}} {}

  static numeric nan();
  static numeric infinity();
  static numeric negative_infinity();

  /// As PostgreSQL writes it: "12.50", "-0.001", "NaN", "Infinity".
  std::string text() const;

  bool is_nan() const noexcept { return kind_ == kind::nan; }

  bool is_finite() const noexcept { return kind_ == kind::positive || kind_ == kind::negative; }

  /// Digits after the point that text() writes.
  int scale() const noexcept { return scale_; }

  /// Of values, as in SQL: 1.0 equals 1.00, NaN equals NaN.
  friend bool operator==(const numeric& left, const numeric& right) noexcept {
    return left.kind_ == right.kind_ && left.weight_ == right.weight_ && left.digits_ == right.digits_;
  }

 private:
  friend struct codec<numeric>;

  // Spelled as on the wire.
  enum class kind : std::uint16_t {
    positive = 0x0000,
    negative = 0x4000,
    nan = 0xc000,
    infinity = 0xd000,
    negative_infinity = 0xf000
  };

  static numeric special(kind which);
  void read_decimal(std::string_view digits, std::string_view text);
  void normalise();

  kind kind_ = kind::positive;
  std::int32_t weight_ = 0;  // of the first digit, as an exponent of 10000
  std::int32_t scale_ = 0;
  std::vector<std::uint16_t> digits_;  // base 10000; neither the first nor the last is 0
};

template <>
struct codec<numeric> {
  static constexpr oid type = types::numeric;
  static constexpr oid array_type = 1231;

  static bool accepts(oid column) { return column == type; }

  static void encode(wire::writer& out, const numeric& value);
  static numeric decode(wire::reader& in, oid);
};

}  // namespace quern
