#include "render/cpp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <limits>
#include <set>
#include <type_traits>

#include "declaration/literals.hpp"
#include "text/utf8.hpp"

namespace render::cpp {

namespace {

using declaration::base_type;

/// Characters that would reorder or break the line that shows them; compilers warn of them.
bool is_invisible(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

bool ends_trigraph(std::string_view before, char32_t c) {
  return before.ends_with("??") && std::u32string_view{U"=/'()!<>-"}.find(c) != std::u32string_view::npos;
}

std::string octal_bytes(std::string_view bytes) {
  std::string result;
  // Octal takes three digits at most: a hexadecimal escape would swallow the letters behind it.
  for (const char byte : bytes) result += fmt::format("\\{:03o}", static_cast<unsigned char>(byte));
  return result;
}

std::string comment_line(std::string_view line) {
  std::string result;
  for (std::size_t at = 0; at < line.size();) {
    const auto [code_point, size] = text::character_at(line, at);
    if (code_point == '\t') {
      result += ' ';
    } else if (is_invisible(code_point)) {
      result += fmt::format("U+{:04X}", static_cast<unsigned>(code_point));
    } else {
      // A trigraph for a backslash at the end would continue the comment in the next line.
      if (ends_trigraph(result, code_point)) result += ' ';
      result += line.substr(at, size);
    }
    at += size;
  }
  while (result.ends_with(' ')) result.pop_back();
  if (result.ends_with('\\')) result += '.';
  return result;
}

std::string base(const declaration::field_type& type, std::string_view qualifier) {
  switch (type.base) {
    case base_type::boolean:
      return "bool";
    case base_type::int16:
      return "std::int16_t";
    case base_type::int32:
      return "std::int32_t";
    case base_type::int64:
      return "std::int64_t";
    case base_type::float32:
      return "float";
    case base_type::float64:
      return "double";
    case base_type::numeric:
      return "quern::numeric";
    case base_type::text:
      return "std::string";
    case base_type::bytes:
      return "std::vector<std::byte>";
    case base_type::uuid:
      return "quern::uuid";
    case base_type::date:
      return "quern::date";
    case base_type::timestamp:
      return "quern::timestamp";
    case base_type::interval:
      return "quern::interval";
    case base_type::jsonb:
      return "quern::json";
    case base_type::enumeration:
      return fmt::format("{}::{}", qualifier, type.enumeration);
  }
  assert(false);
  return {};
}

std::string floating(double value, base_type base) {
  auto text = base == base_type::float32 ? fmt::format("{}", static_cast<float>(value)) : fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  if (base == base_type::float32) text += 'F';
  return text;
}

/// A default that the declaration spells as text.
std::string from_text(const std::string& written, const declaration::field_type& type, std::string_view qualifier) {
  switch (type.base) {
    case base_type::enumeration:
      return fmt::format("{}::{}::{}", qualifier, type.enumeration, written);
    case base_type::date: {
      const auto days = declaration::read_date(written)->time_since_epoch().count();
      return fmt::format("quern::date{{std::chrono::days{{{}}}}}", days);
    }
    case base_type::timestamp: {
      const auto time = declaration::read_timestamp(written)->time_since_epoch().count();
      return fmt::format("quern::timestamp{{std::chrono::microseconds{{{}}}}}", time);
    }
    case base_type::interval: {
      const auto parts = *declaration::read_interval(written);
      return fmt::format("quern::interval{{{}, {}, std::chrono::microseconds{{{}}}}}", parts.months, parts.days,
                         parts.microseconds);
    }
    case base_type::numeric:
    case base_type::uuid:
      return fmt::format("{}{{\"{}\"}}", base(type, qualifier), escaped(written));
    default:
      return fmt::format("\"{}\"", escaped(written));
  }
}

std::string default_text(const declaration::value& value, const declaration::field_type& type,
                         std::string_view qualifier) {
  return std::visit(
      [&](const auto& held) -> std::string {
        using held_type = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<held_type, bool>) {
          return held ? "true" : "false";
        } else if constexpr (std::is_same_v<held_type, std::int64_t>) {
          const bool is_floating = type.base == base_type::float32 || type.base == base_type::float64;
          return is_floating ? floating(static_cast<double>(held), type.base) : integer(held);
        } else if constexpr (std::is_same_v<held_type, double>) {
          return floating(held, type.base);
        } else if constexpr (std::is_same_v<held_type, declaration::empty_array>) {
          return "";
        } else {
          return from_text(held, type, qualifier);
        }
      },
      value);
}

}  // namespace

std::string integer(std::int64_t value) {
  // The literal 9223372036854775808, without its sign, fits no signed type.
  if (value == std::numeric_limits<std::int64_t>::min()) return fmt::format("{} - 1", value + 1);
  return fmt::to_string(value);
}

std::string escaped(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto [code_point, size] = text::character_at(text, at);
    const auto bytes = text.substr(at, size);
    if (code_point == '"' || code_point == '\\') {
      result += '\\';
      result += bytes;
    } else if (code_point == '\n') {
      result += "\\n";
    } else if (is_invisible(code_point) || (code_point == 0xfffd && size == 1)) {
      result += octal_bytes(bytes);
    } else {
      if (ends_trigraph(result, code_point)) result.insert(result.size() - 1, 1, '\\');
      result += bytes;
    }
    at += size;
  }
  return result;
}

std::vector<std::string> comment_lines(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    result.push_back(comment_line(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!result.empty() && result.back().empty()) result.pop_back();
  return result;
}

std::string qualifier(const declaration::project& project) {
  const std::string_view name{project.cpp_namespace};
  const auto first = name.substr(0, name.find(':'));
  const auto has_name = [&](const auto& declared) { return declared.name == first; };
  const bool is_hidden = first != name || std::any_of(project.queues.begin(), project.queues.end(), has_name) ||
                         std::any_of(project.enumerations.begin(), project.enumerations.end(), has_name);
  return fmt::format("{}{}", is_hidden ? "::" : "", name);
}

std::string type(const declaration::field_type& type, std::string_view qualifier) {
  auto result = base(type, qualifier);
  if (type.has_optional_elements) result = fmt::format("std::optional<{}>", result);
  if (type.is_array) result = fmt::format("std::vector<{}>", result);
  if (type.is_optional) result = fmt::format("std::optional<{}>", result);
  return result;
}

std::string initializer(const declaration::field& field, std::string_view qualifier) {
  if (!field.default_value) {
    // An enumeration without default starts at its first value, which is what {} gives.
    return "{}";
  }
  if (std::holds_alternative<declaration::empty_array>(*field.default_value)) {
    return field.type.is_optional ? " = " +
                                        type({field.type.base, 0, 0, field.type.enumeration, true,
                                              field.type.has_optional_elements, false},
                                             qualifier) +
                                        "{}"
                                  : "{}";
  }
  return " = " + default_text(*field.default_value, field.type, qualifier);
}

std::vector<std::string> headers(const std::vector<declaration::field>& fields) {
  std::set<std::string> result{"cstdint", "quern/quern.hpp", "string_view"};
  if (!fields.empty()) result.insert("tuple");
  for (const auto& field : fields) {
    const auto& type = field.type;
    if (type.base == base_type::text) result.insert("string");
    if (type.base == base_type::bytes) result.insert({"cstddef", "vector"});
    if (type.is_array) result.insert("vector");
    if (type.is_optional || type.has_optional_elements) result.insert("optional");
    const bool is_time =
        type.base == base_type::date || type.base == base_type::timestamp || type.base == base_type::interval;
    if (is_time && field.default_value) result.insert("chrono");
  }
  return {result.begin(), result.end()};
}

std::vector<std::string> constraint_lines(const declaration::field& field) {
  const auto& [min, max, max_length, pattern] = field.constraints;
  const auto spelled = [&](const declaration::value& value) {
    return std::visit(
        [](const auto& held) -> std::string {
          if constexpr (std::is_same_v<std::decay_t<decltype(held)>, declaration::empty_array>) {
            return {};
          } else {
            return fmt::format("{}", held);
          }
        },
        value);
  };
  std::vector<std::string> result;
  if (min && max) {
    result.push_back(fmt::format("From {} to {}.", spelled(*min), spelled(*max)));
  } else if (min) {
    result.push_back(fmt::format("At least {}.", spelled(*min)));
  } else if (max) {
    result.push_back(fmt::format("At most {}.", spelled(*max)));
  }
  if (max_length) {
    const auto* unit = field.type.is_array ? "element" : field.type.base == base_type::bytes ? "byte" : "character";
    result.push_back(fmt::format("At most {} {}{}.", *max_length, unit, *max_length == 1 ? "" : "s"));
  }
  if (pattern) result.push_back(comment_line(fmt::format("Matches {}", *pattern)));
  return result;
}

}  // namespace render::cpp
