#include "declaration/payload_json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "declaration/codes.hpp"
#include "declaration/keys.hpp"
#include "declaration/types.hpp"
#include "declaration/value_limits.hpp"
#include "declaration/values.hpp"
#include "text/excerpt.hpp"
#include "text/suggestion.hpp"

namespace declaration {
namespace {

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string braced(const std::vector<std::string>& members) {
  return fmt::format("{{{}}}", fmt::join(members, ", "));
}

std::string bracketed(const std::vector<std::string>& items) {
  return fmt::format("[{}]", fmt::join(items, ", "));
}

/// Whatever TOML says that JSON can say too.
class any_speller {
 public:
  explicit any_speller(report& problems) : problems_{problems} {}

  std::string spell(const std::string& key, const node& from) {
    switch (from.kind) {
      case node_kind::table:
        return table(from);
      case node_kind::array:
        return array(key, from);
      case node_kind::string:
        return text(key, from);
      case node_kind::integer:
        return std::to_string(from.integer);
      case node_kind::floating:
        return number(key, from);
      case node_kind::boolean:
        return from.boolean ? "true" : "false";
      case node_kind::date_time:
        break;
    }
    problems_.error(code::wrong_type, from.where, fmt::format("'{}' is a date or time, which JSON has not", key)).help =
        "write it as a string";
    return {};
  }

  std::string table(const node& from) {
    std::vector<std::string> members;
    for (const auto& each : from.entries) {
      check_nul(each.key, each.key, each.where);
      members.push_back(fmt::format("{}: {}", quoted(each.key), spell(each.key, each.value)));
    }
    return braced(members);
  }

 private:
  std::string array(const std::string& key, const node& from) {
    std::vector<std::string> items;
    for (const auto& item : from.items) items.push_back(spell(key, item));
    return bracketed(items);
  }

  std::string text(const std::string& key, const node& from) {
    check_nul(key, from.text, from.where);
    return quoted(from.text);
  }

  std::string number(const std::string& key, const node& from) {
    if (!std::isfinite(from.floating))
      problems_.error(code::out_of_range, from.where, fmt::format("'{}': JSON has no infinities and no nan", key));
    return fmt::format("{}", from.floating);
  }

  void check_nul(const std::string& key, std::string_view text, const text::span& where) {
    if (text.find('\0') == std::string_view::npos) return;
    problems_.error(code::nul_character, where,
                    fmt::format("'{}' holds a NUL character, which PostgreSQL cannot store", text::clipped(key)));
  }

  report& problems_;
};

struct value_speller {
  const field_type& type;

  std::string operator()(bool v) const { return v ? "true" : "false"; }

  std::string operator()(std::int64_t v) const { return std::to_string(v); }

  std::string operator()(double v) const { return fmt::format("{}", v); }

  std::string operator()(const std::string& v) const { return type.base == base_type::numeric ? v : quoted(v); }

  std::string operator()(const empty_array&) const { return "[]"; }
};

class payload_reader {
 public:
  payload_reader(const queue& of, const entry* payload, const known_enumerations& known, report& problems)
      : of_{of}, payload_{payload}, known_{known}, problems_{problems} {}

  std::string read(const entry& from) {
    std::vector<std::string> members;
    for (const auto& each : from.value.entries) {
      const auto has_name = [&](const field& one) { return one.name == each.key; };
      const auto field = std::ranges::find_if(of_.payload, has_name);
      if (field == of_.payload.end())
        refuse_unknown(each);
      else
        members.push_back(fmt::format("{}: {}", quoted(each.key), spell(each, *field)));
    }
    std::vector<std::string_view> missing;
    for (const auto name : required_fields(of_))
      if (find_entry(from.value, name) == nullptr) missing.push_back(name);
    if (!missing.empty()) {
      problems_.error(code::missing_key, from.where,
                      fmt::format("the payload has no '{}', which {} '{}' needs", fmt::join(missing, "', '"),
                                  of_.stream ? "the stream" : "the queue", of_.name));
    }
    return braced(members);
  }

 private:
  void refuse_unknown(const entry& from) {
    const bool is_reported = payload_ == nullptr || payload_->value.kind != node_kind::table ||
                             find_entry(payload_->value, from.key) != nullptr;
    if (is_reported) return;
    auto& problem = problems_.error(code::unknown_field, from.where,
                                    fmt::format("there is no field '{}' in the payload of the {} '{}'",
                                                text::clipped(from.key), of_.stream ? "stream" : "queue", of_.name));
    std::vector<std::string_view> names;
    for (const auto& field : of_.payload) names.push_back(field.name);
    const auto better = text::nearest_name(from.key, names);
    problem.help =
        better ? fmt::format("did you mean '{}'?", *better) : fmt::format("it has {}", fmt::join(names, ", "));
  }

  std::string spell(const entry& from, const field& of) {
    if (!of.type.is_array) return spell_one(from, of);
    if (!check_kind(from, node_kind::array, "an array of " + declaration::spell(element_of(of).type), problems_))
      return {};
    const auto& most = of.constraints.max_length;
    if (most && from.value.items.size() > static_cast<std::size_t>(*most)) {
      problems_.error(
          code::violated_constraint, from.value.where,
          fmt::format("'{}' has {} elements; 'max_length' is {}", from.key, from.value.items.size(), *most));
    }
    std::vector<std::string> items;
    for (const auto& item : from.value.items) items.push_back(spell_one({from.key, item.where, item}, element_of(of)));
    return bracketed(items);
  }

  /// What limits an array does not limit its elements.
  static field element_of(const field& of) {
    field element = of;
    element.type.is_array = false;
    element.type.has_optional_elements = false;
    element.type.is_optional = false;
    element.constraints = {};
    return element;
  }

  std::string spell_one(const entry& from, const field& of) {
    if (of.type.base == base_type::jsonb) return any_speller{problems_}.spell(from.key, from.value);
    if (of.type.base == base_type::bytes) return spell_bytes(from, of);
    const auto read = read_value(from, of.type, problems_);
    if (!read || !is_allowed(*read, of, from, "value", known_, problems_)) return {};
    return std::visit(value_speller{of.type}, *read);
  }

  std::string spell_bytes(const entry& from, const field& of) {
    constexpr auto form = "a string of hexadecimal digits such as '\\x0aff'";
    if (!check_kind(from, node_kind::string, form, problems_)) return {};
    const auto& written = from.value.text;
    const bool is_hex = written.starts_with("\\x") && written.size() % 2 == 0 &&
                        written.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string::npos;
    if (!is_hex) {
      problems_.error(code::invalid_value, from.value.where, fmt::format("'{}' must be {}", from.key, form)).help =
          "in single quotes, where TOML takes a backslash as it is";
      return {};
    }
    const auto& most = of.constraints.max_length;
    if (most && written.size() / 2 - 1 > static_cast<std::size_t>(*most)) {
      problems_.error(code::violated_constraint, from.value.where,
                      fmt::format("'{}' has {} bytes; 'max_length' is {}", from.key, written.size() / 2 - 1, *most));
    }
    return quoted(written);
  }

  const queue& of_;
  const entry* payload_;
  const known_enumerations& known_;
  report& problems_;
};

}  // namespace

std::optional<std::string> read_payload_json(const entry& from, const queue& of, const entry* payload,
                                             const known_enumerations& known, report& problems) {
  if (!check_kind(from, node_kind::table, "a table: { type = \"daily\" }", problems)) return std::nullopt;
  const auto before = problems.count();
  auto result = of.is_schemaless ? any_speller{problems}.table(from.value)
                                 : payload_reader{of, payload, known, problems}.read(from);
  if (problems.count() > before) return std::nullopt;
  return result;
}

std::vector<std::string_view> required_fields(const queue& of) {
  std::vector<std::string_view> result;
  for (const auto& field : of.payload)
    if (!field.type.is_optional && !field.default_value) result.push_back(field.name);
  return result;
}

}  // namespace declaration
