#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "declaration/codes.hpp"
#include "declaration/generated_names.hpp"
#include "declaration/keys.hpp"
#include "declaration/names.hpp"
#include "declaration/pattern.hpp"
#include "declaration/read_parts.hpp"
#include "declaration/types.hpp"
#include "declaration/value_limits.hpp"
#include "declaration/values.hpp"
#include "text/excerpt.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

constexpr std::array field_keys{"type"sv,       "default"sv, "min"sv, "max"sv,
                                "max_length"sv, "pattern"sv, "doc"sv, "renamed_from"sv};

// A value of PostgreSQL has at most 1 GB.
constexpr std::int64_t most_characters = 1'000'000'000;

class field_reader {
 public:
  field_reader(const entry& from, std::string_view queue, const known_enumerations& known, report& problems)
      : from_(from), queue_(queue), known_(known), problems_(problems) {}

  std::optional<field> read() {
    result_.name = from_.key;
    result_.where = from_.where;
    const bool has_name = check_name(from_.key, name_role::field, from_.where, problems_);
    if (!read_type()) return std::nullopt;
    if (from_.value.kind == node_kind::table) {
      read_doc();
      read_renaming();
      read_constraints();
      read_default();
    }
    if (has_name) {
      check_struct_name();
      check_constraint_names();
    }
    return std::move(result_);
  }

 private:
  const entry* find(std::string_view key) const { return find_entry(from_.value, key); }

  bool read_type() {
    if (from_.value.kind == node_kind::string) return parse(from_.value);
    if (!check_kind(from_, node_kind::table, "a type such as \"text\", or a table { type = \"text\", ... }",
                    problems_)) {
      return false;
    }
    check_keys(from_.value, {field_keys, {}}, fmt::format("the field '{}'", text::clipped(from_.key)), problems_);
    const auto* type = find("type");
    if (type == nullptr) {
      problems_.error(code::missing_key, from_.where,
                      fmt::format("the field '{}' has no 'type'", text::clipped(from_.key)));
      return false;
    }
    if (!check_kind(*type, node_kind::string, "a type such as \"text\"", problems_)) return false;
    return parse(type->value);
  }

  bool parse(const node& written) {
    const auto type = parse_type(written.text, written.where, known_.names, problems_);
    if (type) result_.type = *type;
    return type.has_value();
  }

  void read_doc() {
    if (const auto* doc = find("doc")) result_.doc = read_text(*doc, "a string", problems_).value_or("");
  }

  void read_renaming() {
    const auto* from = find("renamed_from");
    if (from == nullptr) return;
    const auto before = read_text(*from, "the former name as a string", problems_);
    if (!before) return;
    // What a schemaless queue held is a field without having been declared.
    if (*before != "payload" && !check_name(*before, name_role::field, from->value.where, problems_)) return;
    if (*before != result_.name) {
      result_.renamed_from = *before;
      return;
    }
    problems_.error(code::useless_key, from->value.where,
                    fmt::format("'renamed_from' has no effect: '{}' is the name of the field", *before));
  }

  void misplaced(const entry& constraint, std::string_view possible) {
    problems_.error(
        code::misplaced_constraint, constraint.where,
        fmt::format("'{}' is not possible for type {}: it limits {}", constraint.key, spell(result_.type), possible));
  }

  void read_constraints() {
    result_.constraints.min = read_limit("min");
    result_.constraints.max = read_limit("max");
    const auto& [min, max, max_length, pattern] = result_.constraints;
    if (min && max && compare_values(*min, *max, result_.type) > 0) {
      problems_.error(
          code::empty_range, find("min")->value.where,
          fmt::format("'min' ({}) is larger than 'max' ({})", spell(*min, result_.type), spell(*max, result_.type)));
      result_.constraints.min.reset();
    }
    read_max_length();
    read_pattern();
  }

  std::optional<value> read_limit(std::string_view key) {
    const auto* limit = find(key);
    if (limit == nullptr) return std::nullopt;
    if (has_order(result_.type)) return read_value(*limit, result_.type, problems_);
    misplaced(*limit, "numbers, dates, timestamps and intervals");
    return std::nullopt;
  }

  void read_max_length() {
    const auto* limit = find("max_length");
    if (limit == nullptr) return;
    const auto& type = result_.type;
    if (type.is_array || type.base == base_type::text || type.base == base_type::bytes) {
      result_.constraints.max_length = read_whole(*limit, 1, most_characters, problems_);
    } else {
      misplaced(*limit, "text, bytes and arrays");
    }
  }

  void read_pattern() {
    const auto* from = find("pattern");
    if (from == nullptr) return;
    if (result_.type.base != base_type::text || result_.type.is_array) return misplaced(*from, "text");
    auto written = read_text(*from, "a regular expression as a string", problems_);
    if (!written) return;
    if (const auto reason = find_pattern_problem(*written); !reason.empty()) {
      auto& problem = problems_.error(code::invalid_pattern, from->value.where,
                                      fmt::format("this pattern cannot be used: {}", reason));
      problem.help = "in TOML a pattern is best written in single quotes: '^[a-z]+$'";
      return;
    }
    result_.constraints.pattern = std::move(written);
  }

  void read_default() {
    const auto* from = find("default");
    if (from == nullptr) return;
    const auto& type = result_.type;
    std::optional<value> read;
    if (type.is_array) {
      read = read_empty_array(*from);
    } else if (type.base == base_type::bytes || type.base == base_type::jsonb) {
      auto& problem = problems_.error(code::not_built_yet, from->where,
                                      fmt::format("a default of type {} is not built yet", spell(type)));
      problem.help = "it is refused rather than ignored";
    } else {
      read = read_value(*from, type, problems_);
    }
    if (read && is_allowed(*read, result_, *from, "default", known_, problems_))
      result_.default_value = std::move(read);
  }

  std::optional<value> read_empty_array(const entry& from) {
    if (!check_kind(from, node_kind::array, "[]", problems_)) return std::nullopt;
    if (from.value.items.empty()) return value(empty_array{});
    auto& problem =
        problems_.error(code::not_built_yet, from.value.where, "a default of an array with elements is not built yet");
    problem.help = "the empty array is possible: default = []";
    return std::nullopt;
  }

  /// A member of a C++ struct cannot have the name of its struct: email_v1 of the queue email.
  void check_struct_name() {
    std::string_view version = result_.name;
    if (!version.starts_with(queue_)) return;
    version.remove_prefix(queue_.size());
    if (!version.starts_with("_v") || version.size() == 2) return;
    if (version.find_first_not_of("0123456789", 2) != std::string_view::npos) return;
    problems_.error(code::reserved_name, from_.where,
                    fmt::format("the field name '{}' is reserved: structs of the queue '{}' have such names in C++",
                                result_.name, queue_));
  }

  void check_constraint_names() {
    const auto& [min, max, max_length, pattern] = result_.constraints;
    check_constraint_name(min.has_value(), constraint_kind::min);
    check_constraint_name(max.has_value(), constraint_kind::max);
    check_constraint_name(max_length.has_value(), constraint_kind::max_length);
    check_constraint_name(pattern.has_value(), constraint_kind::pattern);
  }

  void check_constraint_name(bool exists, constraint_kind kind) {
    if (!exists) return;
    const auto name = constraint_name(queue_, result_.name, kind);
    if (name.size() <= longest_identifier) return;
    auto& problem = problems_.error(code::name_too_long, from_.where,
                                    fmt::format("the constraint '{}' would have a name of {} bytes; {} are the most",
                                                name, name.size(), longest_identifier));
    problem.help = fmt::format("shorten the name of the queue or of the field by {}", name.size() - longest_identifier);
  }

  const entry& from_;
  std::string_view queue_;
  const known_enumerations& known_;
  report& problems_;
  field result_;
};

}  // namespace

std::optional<field> read_field(const entry& from, std::string_view queue, const known_enumerations& known,
                                report& problems) {
  return field_reader(from, queue, known, problems).read();
}

}  // namespace declaration
