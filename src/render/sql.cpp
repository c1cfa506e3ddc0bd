#include "render/sql.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <type_traits>

#include "render/names.hpp"
#include "render/reserved_words.hpp"

namespace render::sql {

namespace {

bool is_plain(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto is_inner = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && is_letter(name[0]) && std::all_of(name.begin(), name.end(), is_inner);
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '\'':
      out += "''";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      if (is_control(c)) {
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      } else {
        out += c;
      }
  }
}

std::string base(const declaration::field_type& type, std::string_view schema) {
  using declaration::base_type;
  switch (type.base) {
    case base_type::boolean:
      return "boolean";
    case base_type::int16:
      return "smallint";
    case base_type::int32:
      return "integer";
    case base_type::int64:
      return "bigint";
    case base_type::float32:
      return "real";
    case base_type::float64:
      return "double precision";
    case base_type::numeric:
      return type.precision == 0 ? "numeric" : fmt::format("numeric({},{})", type.precision, type.scale);
    case base_type::text:
      return "text";
    case base_type::bytes:
      return "bytea";
    case base_type::uuid:
      return "uuid";
    case base_type::date:
      return "date";
    case base_type::timestamp:
      return "timestamptz";
    case base_type::interval:
      return "interval";
    case base_type::jsonb:
      return "jsonb";
    case base_type::enumeration:
      return names::enumeration(schema, type.enumeration);
  }
  assert(false);
  return {};
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.-") == std::string_view::npos;
}

std::string number(double value, const declaration::field_type& type) {
  // A bare 0.1 is a numeric; compared with a real it would become another number than the real 0.1.
  const auto suffix = type.base == declaration::base_type::float32 ? "::real" : "::double precision";
  if (value != value) return fmt::format("'NaN'{}", suffix);
  if (value - value != 0) return fmt::format("'{}Infinity'{}", value < 0 ? "-" : "", suffix);
  if (type.base == declaration::base_type::float32) return fmt::format("'{}'{}", static_cast<float>(value), suffix);
  return fmt::format("'{}'{}", value, suffix);
}

/// Smallest n with initial * 2^n >= max: a larger exponent changes nothing and overflows in the end.
int largest_exponent(std::int64_t initial, std::int64_t max) {
  int exponent = 0;
  for (auto delay = initial; delay < max && exponent < 62; ++exponent) {
    delay = delay > max / 2 ? max : delay * 2;
  }
  return exponent;
}

std::string growing_delay(const declaration::retry_policy& retry) {
  if (retry.backoff == declaration::backoff_kind::constant || retry.initial >= retry.max) {
    return interval(std::min(retry.initial, retry.max));
  }
  if (retry.backoff == declaration::backoff_kind::linear) {
    return fmt::format("least({}, {} * least(p_attempt, {}))", interval(retry.max), interval(retry.initial),
                       (retry.max - 1) / retry.initial + 1);
  }
  return fmt::format("least({}, {} * power(2, least(p_attempt - 1, {})))", interval(retry.max), interval(retry.initial),
                     largest_exponent(retry.initial, retry.max));
}

/// The elements of a JSON array as an array; NULL for a JSON null.
std::string array_from_json(std::string_view json, const declaration::field& field, std::string_view schema) {
  auto element = field.type;
  element.is_array = false;
  const bool is_json = element.base == declaration::base_type::jsonb;
  const auto name = type(element, schema);
  const auto value = is_json ? (element.has_optional_elements ? "nullif(e.value, 'null')" : "e.value")
                             : fmt::format("e.value::{}", name);
  return fmt::format(
      "case when jsonb_typeof({0}) = 'array' then array(select {1} from jsonb_array_elements{2}({0}) with ordinality "
      "as "
      "e(value, place) order by e.place) end",
      json, value, is_json ? "" : "_text");
}

std::string scalar_from_json(std::string_view name, const declaration::field& field, std::string_view schema) {
  const auto key = literal(name);
  if (field.type.base != declaration::base_type::jsonb) {
    if (field.type.base == declaration::base_type::text) return fmt::format("p_payload ->> {}", key);
    return fmt::format("(p_payload ->> {})::{}", key, type(field.type, schema));
  }
  // A jsonb field that may be left out treats JSON's null like that; another one takes it as a value.
  const bool may_be_missing = field.type.is_optional || field.default_value;
  return may_be_missing ? fmt::format("nullif(p_payload -> {}, 'null')", key) : fmt::format("p_payload -> {}", key);
}

std::string_view json_base(declaration::base_type base) {
  using declaration::base_type;
  switch (base) {
    case base_type::boolean:
      return "boolean";
    case base_type::int16:
    case base_type::int32:
    case base_type::int64:
      return "number";
    case base_type::float32:
    case base_type::float64:
    case base_type::numeric:
      // NaN and the infinities are texts in JSON; the cast refuses what is no number.
    case base_type::jsonb:
      return "any";
    default:
      return "string";
  }
}

}  // namespace

std::string identifier(std::string_view name) {
  if (is_plain(name) && !is_reserved(name)) {
    return std::string{name};
  }
  std::string result = "\"";
  for (const char c : name) {
    if (c == '"') result += '"';
    result += c;
  }
  return result += '"';
}

std::string identifiers(const std::vector<std::string>& names) {
  std::string result;
  for (const auto& name : names) {
    if (!result.empty()) result += ", ";
    result += identifier(name);
  }
  return result;
}

std::string literal(std::string_view text) {
  assert(text.find('\0') == std::string_view::npos);
  // A line end inside a literal could make a line of the text look like a header line of a migration, and two dollars
  // could end the body of a function around it.
  const bool has_dollars = std::count(text.begin(), text.end(), '$') > 1;
  const bool has_escapes =
      has_dollars || std::any_of(text.begin(), text.end(), [](char c) { return c == '\\' || is_control(c); });
  std::string result = has_escapes ? "E'" : "'";
  result.reserve(text.size() + 3);
  for (const char c : text) {
    if (c == '$' && has_dollars) {
      result += "\\x24";
    } else {
      append_escaped(result, c);
    }
  }
  return result += '\'';
}

std::string interval(std::int64_t microseconds) {
  struct unit {
    std::int64_t size;
    std::string_view name;
  };

  constexpr std::array units{unit{3'600'000'000, "hour"}, unit{60'000'000, "minute"}, unit{1'000'000, "second"},
                             unit{1'000, "millisecond"}, unit{1, "microsecond"}};
  if (microseconds == 0) return "interval '0 seconds'";
  for (const auto& [size, name] : units) {
    if (microseconds % size != 0) continue;
    const auto count = microseconds / size;
    return fmt::format("interval '{} {}{}'", count, name, count == 1 ? "" : "s");
  }
  assert(false);
  return {};
}

std::string type(const declaration::field_type& type, std::string_view schema) {
  auto result = base(type, schema);
  if (type.is_array) result += "[]";
  return result;
}

std::string value(const declaration::value& value, const declaration::field_type& type) {
  return std::visit(
      [&](const auto& held) -> std::string {
        using held_type = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<held_type, bool>) {
          return held ? "true" : "false";
        } else if constexpr (std::is_same_v<held_type, std::int64_t>) {
          return fmt::to_string(held);
        } else if constexpr (std::is_same_v<held_type, double>) {
          return number(held, type);
        } else if constexpr (std::is_same_v<held_type, declaration::empty_array>) {
          return "'{}'";
        } else {
          return type.base == declaration::base_type::numeric && is_number(held) ? held : literal(held);
        }
      },
      value);
}

std::string typed_value(const declaration::value& held, const declaration::field_type& type) {
  auto result = value(held, type);
  // A bare number is an integer, and coalesce() would make one of a smallint; the others give way to their neighbour.
  return type.base == declaration::base_type::int16 && !type.is_array ? fmt::format("'{}'::smallint", result) : result;
}

std::string retry_delay(const declaration::retry_policy& retry) {
  const auto delay = growing_delay(retry);
  return retry.jitter == 0 ? delay : fmt::format("{} * (1 - {} * random())", delay, retry.jitter);
}

std::string from_json(const declaration::field& field, std::string_view schema) {
  const auto key = literal(field.name);
  auto given = field.type.is_array ? array_from_json(fmt::format("p_payload -> {}", key), field, schema)
                                   : scalar_from_json(field.name, field, schema);
  if (!field.default_value) return given;
  if (field.type.is_optional) {
    // Here null is a value like any other, and only a key that is left out stands for the default.
    return fmt::format("case when p_payload ? {} then {} else {} end", key, given,
                       typed_value(*field.default_value, field.type));
  }
  return fmt::format("coalesce({}, {})", given, typed_value(*field.default_value, field.type));
}

std::string json_type(const declaration::field& field) {
  std::string result{field.type.is_array ? "array" : json_base(field.type.base)};
  if (field.type.is_optional || field.default_value) result += '?';
  return result;
}

}  // namespace render::sql
