#include "invariants.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <variant>

#include "declaration/codes.hpp"
#include "declaration/duration.hpp"
#include "declaration/filter.hpp"
#include "declaration/generated_names.hpp"
#include "declaration/literals.hpp"
#include "declaration/names.hpp"
#include "declaration/pattern.hpp"
#include "declaration/values.hpp"
#include "text/file.hpp"
#include "text/utf8.hpp"

namespace test {
namespace {

using declaration::base_type;
using declaration::compare_values;
using declaration::constraint_kind;
using declaration::constraint_name;
using declaration::empty_array;
using declaration::enumeration;
using declaration::field;
using declaration::field_type;
using declaration::find_pattern_problem;
using declaration::has_order;
using declaration::highest_version;
using declaration::is_cpp_keyword;
using declaration::is_snake_case;
using declaration::longest_duration;
using declaration::longest_identifier;
using declaration::longest_queue_suffix;
using declaration::project;
using declaration::queue;
using declaration::read_date;
using declaration::read_interval;
using declaration::read_numeric;
using declaration::read_timestamp;
using declaration::read_uuid;
using declaration::spell_interval;
using declaration::spell_timestamp;
using declaration::value;

bool is_name(std::string_view name, std::size_t most = longest_identifier) {
  return is_snake_case(name) && name.size() <= most;
}

bool is_text(std::string_view content) {
  return content.find('\0') == std::string_view::npos && !text::find_invalid_utf8(content);
}

template <typename Items>
bool are_unique(const Items& items) {
  std::set<std::string> seen;
  return std::all_of(items.begin(), items.end(), [&](const auto& item) {
    if constexpr (requires { item.name; }) {
      return seen.insert(item.name).second;
    } else {
      return seen.insert(item).second;
    }
  });
}

bool is_number_of(const value& v, std::int64_t min, std::int64_t max) {
  const auto* number = std::get_if<std::int64_t>(&v);
  return number != nullptr && *number >= min && *number <= max;
}

bool has_form(const value& v, const field_type& type, const project& in) {
  if (type.is_array) return std::holds_alternative<empty_array>(v);
  const auto* written = std::get_if<std::string>(&v);
  switch (type.base) {
    case base_type::boolean:
      return std::holds_alternative<bool>(v);
    case base_type::int16:
      return is_number_of(v, INT16_MIN, INT16_MAX);
    case base_type::int32:
      return is_number_of(v, INT32_MIN, INT32_MAX);
    case base_type::int64:
      return std::holds_alternative<std::int64_t>(v);
    case base_type::float32:
    case base_type::float64:
      return std::holds_alternative<double>(v) && std::get<double>(v) - std::get<double>(v) == 0;
    case base_type::numeric:
      return written != nullptr && read_numeric(*written) == *written;
    case base_type::text:
      return written != nullptr && is_text(*written);
    case base_type::uuid:
      return written != nullptr && read_uuid(*written) == *written;
    case base_type::date:
      return written != nullptr && read_date(*written) && written->size() == 10;
    case base_type::timestamp:
      return written != nullptr && read_timestamp(*written) && spell_timestamp(*read_timestamp(*written)) == *written;
    case base_type::interval:
      return written != nullptr && read_interval(*written) && spell_interval(*read_interval(*written)) == *written;
    case base_type::enumeration:
      return written != nullptr &&
             std::any_of(in.enumerations.begin(), in.enumerations.end(), [&](const enumeration& e) {
               return e.name == type.enumeration && std::count(e.values.begin(), e.values.end(), *written) == 1;
             });
    case base_type::bytes:
    case base_type::jsonb:
      return false;
  }
  return false;
}

std::string broken_value(const field& f, const project& in) {
  const auto& [min, max, max_length, pattern] = f.constraints;
  const auto is_bad = [&](const std::optional<value>& v) { return v && !has_form(*v, f.type, in); };
  if (is_bad(f.default_value) || is_bad(min) || is_bad(max)) return "a value is not of its type: " + f.name;
  if ((min || max) && !has_order(f.type)) return "min or max of a type without order: " + f.name;
  if (min && max && compare_values(*min, *max, f.type) > 0) return "min is larger than max: " + f.name;
  if (f.default_value && min && compare_values(*f.default_value, *min, f.type) < 0) return "the default is too small";
  if (f.default_value && max && compare_values(*f.default_value, *max, f.type) > 0) return "the default is too large";
  if (max_length && *max_length < 1) return "max_length is not positive";
  if (pattern && (f.type.base != base_type::text || f.type.is_array || !find_pattern_problem(*pattern).empty())) {
    return "a pattern that cannot be used: " + f.name;
  }
  return {};
}

std::string broken_field(const field& f, const queue& q, const project& in) {
  if (!is_name(f.name, longest_identifier - 2)) return "the name of a field: " + f.name;
  if (is_cpp_keyword(f.name)) return "a field is a keyword: " + f.name;
  if (!f.renamed_from.empty() && (!is_name(f.renamed_from) || f.renamed_from == f.name))
    return "a former name: " + f.name;
  if (!is_text(f.doc)) return "the doc of a field";
  for (const auto kind :
       {constraint_kind::min, constraint_kind::max, constraint_kind::max_length, constraint_kind::pattern}) {
    const bool exists = (kind == constraint_kind::min && f.constraints.min) ||
                        (kind == constraint_kind::max && f.constraints.max) ||
                        (kind == constraint_kind::max_length && f.constraints.max_length) ||
                        (kind == constraint_kind::pattern && f.constraints.pattern);
    if (exists && constraint_name(q.name, f.name, kind).size() > longest_identifier) return "the name of a constraint";
  }
  return broken_value(f, in);
}

/// What is said of the contracts before.
std::string broken_past(const queue& q, const project& in) {
  if (!are_unique(q.removed)) return "removed fields";
  for (const auto& f : q.removed) {
    if (auto broken = broken_field(f, q, in); !broken.empty()) return broken;
    const auto is_it = [&](const field& other) { return other.name == f.name; };
    if (std::any_of(q.payload.begin(), q.payload.end(), is_it)) return "a removed field is in the payload: " + f.name;
    if (!f.default_value && !f.type.is_optional) return "a removed field without a default: " + f.name;
    if (!f.renamed_from.empty()) return "a removed field was renamed: " + f.name;
  }
  if (!q.breaks) return {};
  if (q.breaks->version < 2 || q.breaks->version > highest_version) return "the version of a break";
  if (q.breaks->reason.empty() || !is_text(q.breaks->reason)) return "the reason of a break";
  if (!read_date(q.breaks->until) || q.breaks->until.size() != 10) return "the end of a break";
  return {};
}

std::string broken_queue(const queue& q, const project& in) {
  if (!is_name(q.name) || q.name.size() + longest_queue_suffix() > longest_identifier) return "the name of a queue";
  if (in.schema.size() + 1 + q.name.size() > longest_identifier) return "the name of a channel";
  if (q.lease < 1'000'000 || q.lease > longest_duration) return "a lease";
  if (q.sunset < 1'000'000 || q.sunset > longest_duration) return "a sunset";
  if (q.retry.initial < 1 || q.retry.max < q.retry.initial || q.retry.max > longest_duration) return "delays";
  if (q.retry.max_attempts < 1 || !(q.retry.jitter >= 0 && q.retry.jitter <= 1)) return "attempts or jitter";
  if (q.is_log && (q.stream || q.priorities > 0 || q.unique || q.order || q.concurrency > 0 || q.rate))
    return "what a log cannot do";
  if (q.is_schemaless != q.payload.empty()) return "a payload";
  if (q.payload.size() > 99 || !are_unique(q.payload)) return "fields";
  for (const auto* roles : {&q.grants.produce, &q.grants.consume, &q.grants.operate}) {
    if (!are_unique(*roles)) return "roles";
    for (const auto& role : *roles) {
      if (role.empty() || role.size() > longest_identifier || role.find('\n') != std::string::npos) return "a role";
    }
  }
  for (const auto& f : q.payload) {
    if (auto broken = broken_field(f, q, in); !broken.empty()) return broken;
  }
  return broken_past(q, in);
}

/// What is read again out of a lock.
bool is_filter(const std::string& filter) {
  if (filter.empty()) return true;
  const auto read = declaration::parse_filter(filter).root;
  return read && spell_filter(*read) == filter;
}

bool is_inside(const text::position& p, const text::line_index& lines) {
  if (p.line == 0) return p.column == 0;
  // One behind the last byte of the line, or of its CR.
  return p.line <= lines.line_count() && p.column >= 1 && p.column <= lines.line(p.line).size() + 2;
}

bool is_inside(const text::span& s, const text::line_index& lines) {
  return is_inside(s.begin, lines) && s.begin <= s.end && s.end.line <= lines.line_count();
}

}  // namespace

std::string broken_rule(const project& in) {
  if (!is_name(in.name) || !is_name(in.schema) || in.cpp_namespace.empty()) return "the names of the project";
  if (in.postgres < 14 || in.postgres > 18) return "the version of PostgreSQL";
  if (in.enumerations.empty() && in.queues.empty() && in.removed_queues.empty()) return "nothing is declared";
  if (!are_unique(in.enumerations) || !are_unique(in.queues)) return "a name stands twice";
  for (const auto& e : in.enumerations) {
    if (!is_name(e.name) || e.values.empty() || !are_unique(e.values)) return "an enum: " + e.name;
    if (!std::all_of(e.values.begin(), e.values.end(),
                     [](const auto& v) { return is_name(v) && !is_cpp_keyword(v); })) {
      return "a value of the enum " + e.name;
    }
  }
  for (const auto& q : in.queues) {
    for (const auto& consumer : q.stream ? q.stream->consumers : std::vector<declaration::stream_consumer>{})
      if (!is_filter(consumer.filter)) return "a filter: " + consumer.filter;
    if (auto broken = broken_queue(q, in); !broken.empty()) return q.name + ": " + broken;
  }
  for (const auto& removed : in.removed_queues) {
    const auto is_it = [&](const queue& q) { return q.name == removed.name; };
    if (std::any_of(in.queues.begin(), in.queues.end(), is_it)) return "a removed queue is declared: " + removed.name;
  }
  if (!are_unique(in.removed_queues)) return "removed queues";
  return {};
}

std::string broken_rule(const text::diagnostic& problem, const text::line_index& lines) {
  if (std::find(declaration::code::all.begin(), declaration::code::all.end(), problem.code) ==
      declaration::code::all.end())
    return "the code " + problem.code;
  if (problem.message.empty()) return "no message";
  if (!is_inside(problem.where, lines)) return "a place outside of the source: " + problem.message;
  for (const auto& note : problem.notes) {
    if (!is_inside(note.where, lines) || note.message.empty())
      return "a note outside of the source: " + problem.message;
  }
  return {};
}

}  // namespace test
