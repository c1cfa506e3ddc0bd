#include "check/server_samples.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "contract/restore.hpp"
#include "text/utf8.hpp"

namespace check {
namespace {

using declaration::base_type;
using texts = std::vector<std::string>;

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump();
}

/// `count` times the text.
std::string repeated(std::string_view text, std::int64_t count) {
  std::string made;
  for (std::int64_t i = 0; i < count; ++i) made += text;
  return made;
}

/// Longer ones only take time.
constexpr std::int64_t longest_text = 10'000;
constexpr std::int64_t longest_array = 100;

bool is_within(double value, const contract::field& field) {
  return (!field.min || std::atof(field.min->c_str()) <= value) &&
         (!field.max || std::atof(field.max->c_str()) >= value);
}

/// The first is typical: a plain one if the limits let it, else a limit.
texts with_limits(const contract::field& field, const std::string& plain, const std::string& low,
                  const std::string& high) {
  texts made;
  if (is_within(std::atof(plain.c_str()), field)) made.push_back(plain);
  made.push_back(field.min.value_or(low));
  made.push_back(field.max.value_or(high));
  return made;
}

texts numbers(const contract::field& field, const declaration::field_type& type) {
  switch (type.base) {
    case base_type::int16:
      return with_limits(field, "7", "-32768", "32767");
    case base_type::int32:
      return with_limits(field, "7", "-2147483648", "2147483647");
    case base_type::int64:
      return with_limits(field, "7", "-9223372036854775808", "9223372036854775807");
    case base_type::float32:
      return with_limits(field, "1.5", "-1e30", "1e30");
    case base_type::float64:
      return with_limits(field, "1.5", "-1e300", "1e300");
    default:
      break;
  }
  if (type.precision == 0) return with_limits(field, "7", "-12345678901234567890.5", "12345678901234567890.5");
  std::string most = repeated("9", type.precision - type.scale);
  if (most.empty()) most = "0";
  if (type.scale > 0) most += "." + repeated("9", type.scale);
  return with_limits(field, type.precision > type.scale ? "7" : "0", "-" + most, most);
}

texts limited(const contract::field& field, texts values) {
  texts made;
  if (!field.min && !field.max) return values;
  if (field.min) made.push_back(*field.min);
  if (field.max) made.push_back(*field.max);
  return made;
}

constexpr std::array likely_texts{"a",
                                  "abc",
                                  "A",
                                  "ABC",
                                  "A1",
                                  "AB-1",
                                  "ABC-123",
                                  "abc_1",
                                  "a-b",
                                  "1",
                                  "12",
                                  "123",
                                  "1234",
                                  "12345",
                                  "123456",
                                  "0123456789",
                                  "a@example.org",
                                  "+4912345678",
                                  "DE",
                                  "de",
                                  "de_DE",
                                  "de-DE",
                                  "EUR",
                                  "2026-01-02",
                                  "12:30:00",
                                  "1.2.3",
                                  "/a/b",
                                  "x.y",
                                  "a b",
                                  "#a1b2c3",
                                  "0a1b2c",
                                  "v1",
                                  "v1.2",
                                  "192.0.2.1",
                                  "DE89370400440532013000",
                                  "https://example.org/a",
                                  "00000000-0000-4000-8000-000000000001",
                                  "example.org",
                                  "",
                                  "aaaaaaaaaaaaaaaa"};

texts plain_texts(const contract::field& field, const pattern_match& fits) {
  const std::int64_t most = std::min(field.max_length.value_or(longest_text), longest_text);
  texts made;
  if (!field.pattern) {
    made.push_back(std::string{"Text"}.substr(0, static_cast<std::size_t>(std::min<std::int64_t>(most, 4))));
    made.emplace_back();
    made.push_back(repeated("ä", most));
    return made;
  }
  texts candidates{field.default_value.value_or("")};
  candidates.insert(candidates.end(), likely_texts.begin(), likely_texts.end());
  for (std::string& one : candidates) {
    if (made.size() == 3) break;
    if (static_cast<std::int64_t>(one.size()) <= most && std::ranges::find(made, one) == made.end() &&
        fits(one, *field.pattern))
      made.push_back(std::move(one));
  }
  return made;
}

texts elements(const contract::field& field, const declaration::field_type& type, const pattern_match& fits) {
  const auto all_quoted = [](texts values) {
    std::ranges::transform(values, values.begin(), quoted);
    return values;
  };
  switch (type.base) {
    case base_type::boolean:
      return {"true", "false"};
    case base_type::text:
      return all_quoted(plain_texts(field, fits));
    case base_type::bytes:
      return {R"("\\x01ff")", R"("\\x")",
              fmt::format(R"("\\x{}")", repeated("ab", std::min<std::int64_t>(field.max_length.value_or(100), 1000)))};
    case base_type::uuid:
      return {R"("00000000-0000-4000-8000-000000000001")", R"("ffffffff-ffff-ffff-ffff-ffffffffffff")"};
    case base_type::date:
      return all_quoted(limited(field, {"2026-01-02", "0001-01-01", "9999-12-31"}));
    case base_type::timestamp:
      return all_quoted(limited(field, {"2026-01-02T03:04:05.678901+00:00", "1970-01-01T00:00:00+00:00"}));
    case base_type::interval:
      return all_quoted(limited(field, {"1 day 02:03:04", "00:00:00"}));
    case base_type::jsonb:
      return {R"({"a": [1, "x"]})", "[]", R"("text")", "0"};
    case base_type::enumeration:
      return all_quoted(field.values);
    default:
      return numbers(field, type);
  }
}

/// Those of a field as JSON; a constraint of an array is one of its length.
texts values_of(const contract::field& field, const declaration::field_type& type, const pattern_match& fits) {
  if (!type.is_array) return elements(field, type, fits);
  contract::field element = field;
  element.max_length.reset();
  element.default_value.reset();
  texts all = elements(element, type, fits);
  if (all.empty()) return {"[]"};
  const std::string first = all.front();
  if (type.has_optional_elements) all.emplace_back("null");
  const auto most = static_cast<std::size_t>(std::min(field.max_length.value_or(longest_array), longest_array));
  // Long texts many times over say no more.
  const texts many(std::min<std::size_t>(most, longest_array), first);
  all.resize(std::min(all.size(), most));
  return {fmt::format("[{}]", most == 0 ? "" : first), "[]", fmt::format("[{}]", fmt::join(all, ", ")),
          fmt::format("[{}]", fmt::join(many, ", "))};
}

struct field_samples {
  const contract::field* field = nullptr;
  texts values;
  bool may_be_missing = false;
};

sample made_of(const std::vector<field_samples>& fields, std::string words, std::size_t which, bool is_minimal) {
  sample made{std::move(words), {}};
  for (const field_samples& one : fields) {
    if (one.values.empty() || (is_minimal && one.may_be_missing)) continue;
    made.fields.emplace(one.field->name, one.values[which % one.values.size()]);
  }
  return made;
}

std::string without_zeros(const std::string& number) {
  if (number.empty() || number.find_first_not_of("-0123456789.") != std::string::npos ||
      number.find('.') == std::string::npos)
    return number;
  std::string made = number.substr(0, number.find_last_not_of('0') + 1);
  if (made.back() == '.') made.pop_back();
  return made;
}

std::string label_problem(const contract::field& field, const nlohmann::json& value) {
  if (field.values.empty() || value.is_null()) return {};
  if (std::ranges::find(field.values, value.get<std::string>()) != field.values.end()) return {};
  return fmt::format("\"{}\" is no value that the contract knows", value.get<std::string>());
}

std::string length_problem(const contract::field& field, const declaration::field_type& type,
                           const nlohmann::json& value) {
  if (!field.max_length) return {};
  std::size_t length = 0;
  if (type.is_array) {
    length = value.size();
  } else if (type.base == base_type::bytes) {
    length = (value.get<std::string>().size() - 2) / 2;
  } else {
    length = static_cast<std::size_t>(
        std::ranges::count_if(value.get<std::string>(), [](char c) { return (c & 0xc0) != 0x80; }));
  }
  if (length <= static_cast<std::size_t>(*field.max_length)) return {};
  return fmt::format("it is {} long, of at most {}", length, *field.max_length);
}

}  // namespace

std::string spell(const sample& one, bool is_schemaless) {
  if (is_schemaless) return one.fields.begin()->second;
  texts pairs;
  for (const auto& [name, value] : one.fields) pairs.push_back(fmt::format("{}: {}", quoted(name), value));
  return fmt::format("{{{}}}", fmt::join(pairs, ", "));
}

std::vector<sample> samples_of(const contract::payload_contract& of,
                               const std::vector<contract::locked_enumeration>& enumerations,
                               const pattern_match& fits) {
  std::vector<field_samples> fields;
  std::size_t most = 1;
  for (const contract::field& field : of.fields) {
    const auto declared = contract::restore(field, enumerations);
    field_samples one{&field, values_of(field, declared.type, fits), false};
    one.may_be_missing = declared.type.is_optional || declared.default_value.has_value();
    if (one.values.empty() && !one.may_be_missing) return {};
    most = std::max(most, one.values.size());
    fields.push_back(std::move(one));
  }
  std::vector<sample> made{made_of(fields, "typical", 0, false)};
  if (!of.is_schemaless) made.push_back(made_of(fields, "minimal", 0, true));
  for (std::size_t i = 1; i < most; ++i) made.push_back(made_of(fields, fmt::format("extreme {}", i), i, false));
  return made;
}

bool is_same_value(const std::string& a, const std::string& b) {
  return without_zeros(a) == without_zeros(b);
}

bool keeps_spelling(const contract::field& field, const std::vector<contract::locked_enumeration>& enumerations) {
  const auto type = contract::restore(field, enumerations).type;
  switch (type.base) {
    case base_type::float32:
    case base_type::float64:
    case base_type::timestamp:
    case base_type::interval:
      return false;
    case base_type::numeric:
      return !type.is_array;
    default:
      return true;
  }
}

std::string value_problem(const contract::field& field, const std::vector<contract::locked_enumeration>& enumerations,
                          const std::optional<std::string>& json) {
  const auto declared = contract::restore(field, enumerations);
  if (!json || *json == "null") {
    const bool may_be_null = declared.type.is_optional || declared.type.base == base_type::jsonb;
    return may_be_null ? "" : "it has no value";
  }
  if (declared.type.base == base_type::jsonb) return {};
  const auto value = nlohmann::json::parse(*json);
  if (value.is_array() != declared.type.is_array) return fmt::format("{} is no value of its type", *json);
  if (auto words = length_problem(field, declared.type, value); !words.empty()) return words;
  if (!declared.type.is_array) {
    if (value.is_number() && !is_within(value.get<double>(), field))
      return fmt::format("{} is beyond its limits", *json);
    return label_problem(field, value);
  }
  for (const auto& each : value)
    if (auto words = label_problem(field, each); !words.empty()) return words;
  return {};
}

}  // namespace check
