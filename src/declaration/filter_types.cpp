#include "declaration/filter_types.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "declaration/codes.hpp"
#include "declaration/report.hpp"
#include "declaration/types.hpp"
#include "declaration/values.hpp"
#include "text/excerpt.hpp"
#include "text/suggestion.hpp"

namespace declaration {
namespace {

field_type element_of(field_type type) {
  type.is_array = false;
  return type;
}

filter_problem problem_at(const filter_node& node, std::string_view code, std::string message, std::string help = {}) {
  return {code, std::move(message), std::move(help), node.offset, 0};
}

const enumeration* find_enumeration(const filter_scope& scope, const std::string& name) {
  const auto found = std::find_if(scope.enumerations.begin(), scope.enumerations.end(),
                                  [&](const enumeration& one) { return one.name == name; });
  return found == scope.enumerations.end() ? nullptr : &*found;
}

std::optional<filter_problem> fit_label(const filter_node& literal, const field_type& to, const filter_scope& scope) {
  const auto* known = find_enumeration(scope, to.enumeration);
  // An enumeration of which something is wrong has been reported.
  if (known == nullptr || known->values.empty()) return {};
  const auto& values = known->values;
  if (std::find(values.begin(), values.end(), literal.text) != values.end()) return {};
  const std::vector<std::string_view> names(values.begin(), values.end());
  const auto better = text::nearest_name(literal.text, names);
  return problem_at(
      literal, code::unknown_value,
      fmt::format("'{}' is no value of the enum '{}'", text::clipped(literal.text), to.enumeration),
      better ? fmt::format("did you mean '{}'?", *better) : fmt::format("its values: {}", fmt::join(values, ", ")));
}

/// Two hexadecimal digits a byte, as PostgreSQL writes bytea.
bool is_hexadecimal(std::string_view written) {
  return written.starts_with("\\x") && written.size() % 2 == 0 &&
         std::all_of(written.begin() + 2, written.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::optional<filter_problem> fit_value(filter_node& literal, const field_type& to) {
  entry from{"where", {}, {}};
  from.value.kind = node_kind::string;
  from.value.text = literal.text;
  report problems;
  const auto read = read_value(from, element_of(to), problems);
  if (!read) {
    const auto why = problems.take().front().message;
    const auto form = why.find(" must be ");
    const bool is_bare = is_number(to) || to.base == base_type::boolean;
    return problem_at(literal, code::wrong_type,
                      fmt::format("'{}' stands where {} is needed", text::clipped(literal.text), words_of(to)),
                      is_bare                     ? "it is written without quotes"
                      : form == std::string::npos ? why
                                                  : "it" + why.substr(form));
  }
  literal.text = std::get<std::string>(*read);
  return {};
}

}  // namespace

bool is_number(const field_type& type) {
  if (type.is_array) return false;
  switch (type.base) {
    case base_type::int16:
    case base_type::int32:
    case base_type::int64:
    case base_type::float32:
    case base_type::float64:
    case base_type::numeric:
      return true;
    default:
      return false;
  }
}

bool is_same_kind(const field_type& a, const field_type& b) {
  if (a.is_array != b.is_array) return false;
  if (is_number(a) && is_number(b)) return true;
  return a.base == b.base && a.enumeration == b.enumeration;
}

std::string words_of(const field_type& type) {
  field_type plain{.base = type.base, .enumeration = type.enumeration, .is_array = type.is_array};
  return fmt::format("{} {}", type.base == base_type::enumeration ? "the enum" : "type", spell(plain));
}

bool can_cast(const field_type& from, const field_type& to) {
  if (from.is_array || to.is_array) return false;
  if (is_same_kind(from, to)) return true;
  switch (to.base) {
    case base_type::text:
      return is_number(from) || from.base == base_type::boolean || from.base == base_type::uuid ||
             from.base == base_type::enumeration || from.base == base_type::jsonb;
    case base_type::boolean:
    case base_type::uuid:
      return from.base == base_type::text;
    default:
      return is_number(to) && from.base == base_type::text;
  }
}

std::optional<filter_problem> fit_literal(filter_node& literal, const field_type& to, const filter_scope& scope) {
  if (to.is_array)
    return problem_at(literal, code::wrong_type,
                      fmt::format("'{}' is compared with an array", text::clipped(literal.text)),
                      "an array is written as array['a', 'b']; 'a' = any (field) looks into one");
  switch (to.base) {
    case base_type::text:
      return {};
    case base_type::enumeration:
      return fit_label(literal, to, scope);
    case base_type::bytes:
      if (is_hexadecimal(literal.text)) return {};
      return problem_at(literal, code::invalid_value,
                        "bytes are written as '\\x' with two hexadecimal digits for each");
    case base_type::jsonb:
      if (nlohmann::json::accept(literal.text) && literal.text.find("\\u0000") == std::string::npos) return {};
      return problem_at(literal, code::invalid_value, fmt::format("'{}' is no JSON", text::clipped(literal.text)),
                        "->> gives a text, which is compared as it is; a JSON string has double quotes: '\"signup\"'");
    default:
      return fit_value(literal, to);
  }
}

std::optional<filter_problem> fit_number(const filter_node& number, const field_type& to) {
  entry from{"where", {}, {}};
  from.value.kind = node_kind::floating;
  from.value.text = number.text;
  from.value.floating = std::strtod(number.text.c_str(), nullptr);
  if (number.text.find_first_of(".eE") == std::string::npos && number.text.size() < 19) {
    from.value.kind = node_kind::integer;
    from.value.integer = std::strtoll(number.text.c_str(), nullptr, 10);
  }
  report problems;
  if (read_value(from, to, problems)) return {};
  const auto why = problems.take().front();
  return problem_at(number, why.code == code::out_of_range ? code::out_of_range : code::wrong_type,
                    fmt::format("{} is no value of {}", number.text, words_of(to)));
}

bool is_plain_number(const std::string& written) {
  const bool has_digits_only = written.find_first_not_of("0123456789.eE+-") == std::string::npos;
  const double number = std::strtod(written.c_str(), nullptr);
  const bool is_zero = written.find_first_of("123456789") >= written.find_first_of("eE");
  return has_digits_only && written.size() <= 300 && std::isfinite(number) && (number != 0 || is_zero);
}

std::string trouble_of_like(std::string_view pattern) {
  std::size_t escapes = 0;
  while (escapes < pattern.size() && pattern[pattern.size() - 1 - escapes] == '\\') ++escapes;
  return escapes % 2 == 0 ? "" : "a backslash escapes what follows it, and nothing does";
}

std::optional<filter_problem> check_enumeration(const filter_node& cast, const filter_scope& scope) {
  if (cast.type.base != base_type::enumeration) return {};
  std::vector<std::string_view> names;
  for (const auto& one : scope.enumerations) names.push_back(one.name);
  report problems;
  if (parse_type(cast.type.enumeration, {}, names, problems)) return {};
  const auto why = problems.take().front();
  return problem_at(cast, code::unknown_type, why.message, why.help);
}

}  // namespace declaration
