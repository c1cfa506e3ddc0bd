#include "declaration/values.hpp"

#include <fmt/format.h>

#include <cassert>
#include <cmath>
#include <limits>

#include "declaration/codes.hpp"
#include "declaration/literals.hpp"
#include "declaration/types.hpp"
#include "text/excerpt.hpp"

namespace declaration {
namespace {

/// What a base type's values look like.
std::string_view form_of(base_type type) {
  switch (type) {
    case base_type::boolean:
      return "true or false";
    case base_type::int16:
    case base_type::int32:
    case base_type::int64:
      return "a whole number";
    case base_type::float32:
    case base_type::float64:
      return "a number";
    case base_type::numeric:
      return "a number, or a string such as \"12.50\"";
    case base_type::text:
      return "a string";
    case base_type::uuid:
      return "a string such as \"6f1c3d9e-0d4b-4a55-9d3f-2a8f3c1b7e10\"";
    case base_type::date:
      return "a date such as \"2026-11-21\"";
    case base_type::timestamp:
      return "a time with its zone such as \"2026-11-21T12:30:00Z\"";
    case base_type::interval:
      return "a string such as \"1h30m\" or \"P1M2DT3H\"";
    case base_type::enumeration:
      return "one of the enum's values as a string";
    case base_type::bytes:
    case base_type::jsonb:
      return "";
  }
  assert(false);
  return "";
}

struct integer_range {
  std::int64_t min;
  std::int64_t max;
};

template <typename Integer>
constexpr integer_range range_of{std::numeric_limits<Integer>::min(), std::numeric_limits<Integer>::max()};

integer_range range_of_type(base_type type) {
  if (type == base_type::int16) return range_of<std::int16_t>;
  return type == base_type::int32 ? range_of<std::int32_t> : range_of<std::int64_t>;
}

class value_reader {
 public:
  value_reader(const entry& from, const field_type& type, report& problems)
      : key_(from.key), from_(from.value), type_(type), problems_(problems) {}

  std::optional<value> read() {
    switch (type_.base) {
      case base_type::boolean:
        return read_boolean();
      case base_type::int16:
      case base_type::int32:
      case base_type::int64:
        return read_integer();
      case base_type::float32:
      case base_type::float64:
        return read_floating();
      case base_type::numeric:
        return read_decimal();
      case base_type::text:
      case base_type::enumeration:
        return from_.kind == node_kind::string ? std::optional<value>(from_.text) : wrong_type();
      case base_type::uuid:
        return from_.kind == node_kind::string ? checked(read_uuid(from_.text)) : wrong_type();
      case base_type::date:
        return read_day();
      case base_type::timestamp:
        return read_time();
      case base_type::interval:
        return read_span();
      case base_type::bytes:
      case base_type::jsonb:
        break;
    }
    assert(false);
    return std::nullopt;
  }

 private:
  std::optional<value> wrong_type() {
    problems_.error(
        code::wrong_type, from_.where,
        fmt::format("'{}' of type {} must be {}, not {}", key_, name(), form_of(type_.base), kind_name(from_.kind)));
    return std::nullopt;
  }

  std::string name() const { return spell(field_type{type_.base, type_.precision, type_.scale, type_.enumeration}); }

  std::optional<value> out_of_range(std::string_view limits) {
    problems_.error(code::out_of_range, from_.where, fmt::format("'{}' is outside of {}: {}", key_, name(), limits));
    return std::nullopt;
  }

  std::optional<value> checked(std::optional<std::string> normal) {
    if (normal) return value(*std::move(normal));
    problems_.error(code::invalid_value, from_.where,
                    fmt::format("'{}' of type {} must be {}", key_, name(), form_of(type_.base)));
    return std::nullopt;
  }

  std::optional<value> read_boolean() {
    if (from_.kind != node_kind::boolean) return wrong_type();
    return value(from_.boolean);
  }

  std::optional<value> read_integer() {
    if (from_.kind != node_kind::integer) return wrong_type();
    const auto range = range_of_type(type_.base);
    if (from_.integer >= range.min && from_.integer <= range.max) return value(from_.integer);
    return out_of_range(fmt::format("{} to {}", range.min, range.max));
  }

  std::optional<value> read_floating() {
    if (from_.kind != node_kind::integer && from_.kind != node_kind::floating) return wrong_type();
    const double number = from_.kind == node_kind::integer ? static_cast<double>(from_.integer) : from_.floating;
    if (!std::isfinite(number)) return out_of_range("infinities and nan cannot be declared");
    if (type_.base == base_type::float64) return value(number);
    const bool is_large = std::abs(number) > static_cast<double>(std::numeric_limits<float>::max());
    // PostgreSQL refuses a number that would become zero.
    const bool is_small =
        number != 0 && std::abs(number) < static_cast<double>(std::numeric_limits<float>::denorm_min());
    if (is_large || is_small) return out_of_range("its sizes go from 1.4e-45 to 3.4e38");
    return value(number);
  }

  std::optional<value> read_decimal() {
    const bool is_number = from_.kind == node_kind::integer || from_.kind == node_kind::floating;
    if (!is_number && from_.kind != node_kind::string) return wrong_type();
    const auto number =
        read_numeric(from_.kind == node_kind::integer ? std::to_string(from_.integer) : without_separators());
    if (!number) return checked(std::nullopt);
    const auto digits = count_digits(*number);
    const bool is_bounded = type_.precision > 0;
    if (is_bounded && (digits.behind > type_.scale || digits.before > type_.precision - type_.scale)) {
      return out_of_range(
          fmt::format("{} digits before the point and {} behind it", type_.precision - type_.scale, type_.scale));
    }
    return value(*number);
  }

  /// TOML writes 1_000.5.
  std::string without_separators() const {
    auto written = from_.text;
    if (from_.kind == node_kind::floating) std::erase(written, '_');
    return written;
  }

  std::optional<value> read_day() {
    if (from_.kind != node_kind::string && from_.kind != node_kind::date_time) return wrong_type();
    return checked(read_date(from_.text) ? std::optional(from_.text) : std::nullopt);
  }

  std::optional<value> read_time() {
    if (from_.kind != node_kind::string && from_.kind != node_kind::date_time) return wrong_type();
    const auto when = read_timestamp(from_.text);
    return checked(when ? std::optional(spell_timestamp(*when)) : std::nullopt);
  }

  std::optional<value> read_span() {
    if (from_.kind != node_kind::string) return wrong_type();
    const auto interval = read_interval(from_.text);
    return checked(interval ? std::optional(spell_interval(*interval)) : std::nullopt);
  }

  std::string_view key_;
  const node& from_;
  const field_type& type_;
  report& problems_;
};

template <typename T>
std::strong_ordering order(T a, T b) {
  return a < b ? std::strong_ordering::less : (b < a ? std::strong_ordering::greater : std::strong_ordering::equal);
}

struct value_speller {
  bool is_quoted;

  std::string operator()(bool v) const { return v ? "true" : "false"; }

  std::string operator()(std::int64_t v) const { return std::to_string(v); }

  std::string operator()(double v) const { return fmt::format("{}", v); }

  std::string operator()(const std::string& v) const {
    const auto shown = text::clipped(v, 40);
    return is_quoted ? fmt::format("\"{}\"", shown) : shown;
  }

  std::string operator()(const empty_array&) const { return "[]"; }
};

}  // namespace

bool has_order(const field_type& type) {
  if (type.is_array) return false;
  switch (type.base) {
    case base_type::int16:
    case base_type::int32:
    case base_type::int64:
    case base_type::float32:
    case base_type::float64:
    case base_type::numeric:
    case base_type::date:
    case base_type::timestamp:
    case base_type::interval:
      return true;
    default:
      return false;
  }
}

std::optional<value> read_value(const entry& from, const field_type& type, report& problems) {
  if (from.value.kind == node_kind::string && from.value.text.find('\0') != std::string::npos) {
    problems.error(code::nul_character, from.value.where,
                   fmt::format("'{}' holds a NUL character, which PostgreSQL cannot store", from.key));
    return std::nullopt;
  }
  return value_reader(from, type, problems).read();
}

std::strong_ordering compare_values(const value& a, const value& b, const field_type& type) {
  assert(has_order(type));
  if (const auto* left = std::get_if<std::int64_t>(&a)) return order(*left, std::get<std::int64_t>(b));
  if (const auto* left = std::get_if<double>(&a)) return order(*left, std::get<double>(b));
  const auto& left = std::get<std::string>(a);
  const auto& right = std::get<std::string>(b);
  if (type.base == base_type::numeric) return compare_numeric(left, right);
  if (type.base == base_type::date) return order(*read_date(left), *read_date(right));
  if (type.base == base_type::timestamp) return order(*read_timestamp(left), *read_timestamp(right));
  return compare(*read_interval(left), *read_interval(right));
}

std::string spell(const value& v, const field_type& type) {
  const bool is_quoted = type.base == base_type::text || type.base == base_type::enumeration;
  return std::visit(value_speller{is_quoted}, v);
}

}  // namespace declaration
