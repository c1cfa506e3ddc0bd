#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "declaration/codes.hpp"
#include "declaration/filter.hpp"
#include "declaration/filter_types.hpp"
#include "declaration/pattern.hpp"
#include "declaration/report.hpp"
#include "declaration/types.hpp"
#include "text/excerpt.hpp"
#include "text/suggestion.hpp"

namespace declaration {
namespace {

using state = filter_type::state;

const field_type boolean{.base = base_type::boolean};
const field_type plain_text{.base = base_type::text};
const field_type whole{.base = base_type::int32};

filter_type known(field_type type, bool has_field) {
  type.is_optional = false;
  return {state::known, std::move(type), has_field};
}

class filter_checker {
 public:
  explicit filter_checker(const filter_scope& scope) : scope_{scope} {}

  std::vector<filter_problem> run(filter_node& root) {
    const auto type = condition(root);
    if (problems_.empty() && !type.is_wrong() && !type.has_field)
      refuse(root, code::invalid_filter, "the filter names no field: it says the same of every event",
             "leave it away to receive every event");
    return std::move(problems_);
  }

 private:
  filter_type refuse(const filter_node& where, std::string_view code, std::string message, std::string help = {}) {
    problems_.push_back({code, std::move(message), std::move(help), where.offset, 0});
    return {};
  }

  filter_type refuse(filter_problem problem) {
    problems_.push_back(std::move(problem));
    return {};
  }

  /// The type of a part; wrong when something in it was reported.
  filter_type check(filter_node& node) {
    switch (node.kind) {
      case filter_kind::field:
        return field_of(node);
      case filter_kind::literal:
        return {state::literal};
      case filter_kind::number:
        return number(node);
      case filter_kind::truth:
        return known(boolean, false);
      case filter_kind::null:
        return {state::null};
      case filter_kind::logic:
      case filter_kind::negation:
        return logic(node);
      case filter_kind::test:
        return test(node);
      case filter_kind::infix:
        return infix(node);
      case filter_kind::sign:
        return sign(node);
      case filter_kind::list:
      case filter_kind::between:
        return comparison(node, node.kind == filter_kind::between);
      case filter_kind::quantity:
        return quantity(node);
      case filter_kind::array:
        return array(node);
      case filter_kind::call:
        return call(node);
      case filter_kind::cast:
        return cast(node);
    }
    return {};
  }

  filter_type field_of(filter_node& node) {
    const auto& all = scope_.fields;
    const auto found = std::find_if(all.begin(), all.end(), [&](const field& one) { return one.name == node.text; });
    if (found != all.end()) return known(found->type, true);
    if (scope_.is_reported(node.text)) return {};
    std::vector<std::string_view> names;
    for (const auto& one : all) names.push_back(one.name);
    const auto better = text::nearest_name(node.text, names);
    return refuse(node, code::unknown_field,
                  fmt::format("there is no field '{}' in the payload", text::clipped(node.text)),
                  better ? fmt::format("did you mean '{}'?", *better) : "");
  }

  filter_type number(const filter_node& node) {
    if (is_plain_number(node.text)) return known({.base = base_type::numeric}, false);
    return refuse(node, code::out_of_range,
                  fmt::format("the number {} is not possible here", text::clipped(node.text)));
  }

  /// A part that has to be true or false.
  filter_type condition(filter_node& node) {
    auto type = check(node);
    if (type.is == state::null) return known(boolean, false);
    if (type.is_wrong()) return type;
    if (type.is == state::literal)
      return refuse(node, code::wrong_type,
                    fmt::format("'{}' is no condition, which is true or false", text::clipped(node.text)));
    if (is_same_kind(type.type, boolean)) return type;
    return refuse(node, code::wrong_type,
                  fmt::format("this is of {}: a condition is true or false", words_of(type.type)));
  }

  filter_type logic(filter_node& node) {
    filter_type made = known(boolean, false);
    for (auto& part : node.parts) {
      const auto type = condition(part);
      if (type.is_wrong()) made.is = state::wrong;
      made.has_field = made.has_field || type.has_field;
    }
    return made;
  }

  filter_type test(filter_node& node) {
    const bool is_of_null = node.text.ends_with("null");
    const auto type = is_of_null ? check(node.parts[0]) : condition(node.parts[0]);
    return type.is_wrong() ? type : known(boolean, type.has_field);
  }

  /// The type that all parts have or take; a literal becomes one of it.
  filter_type common(filter_node& node, std::size_t from = 0) {
    std::vector<filter_type> types;
    filter_type made{state::literal};
    bool is_wrong = false;
    for (auto i = from; i < node.parts.size(); ++i) {
      types.push_back(check(node.parts[i]));
      is_wrong = is_wrong || types.back().is_wrong();
      const bool has_field = made.has_field || types.back().has_field;
      // Of numbers that of a field: a literal fits them all.
      if (types.back().is_known() && (!made.is_known() || (!made.has_field && types.back().has_field)))
        made = types.back();
      made.has_field = has_field;
    }
    if (is_wrong) return {};
    if (!made.is_known()) made.type = plain_text;
    made.is = state::known;
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (!fit(node.parts[from + i], types[i], made.type)) return {};
    }
    return made;
  }

  bool fit(filter_node& part, const filter_type& type, const field_type& to) {
    if (type.is == state::null) return true;
    if (type.is == state::literal) {
      const auto problem = fit_literal(part, to, scope_);
      if (problem) refuse(*problem);
      return !problem;
    }
    if (part.kind == filter_kind::array && to.is_array) return fit_array(part, to);
    if (is_same_kind(type.type, to)) return true;
    refuse(part, code::wrong_type,
           fmt::format("this is of {}, and is compared with {}", words_of(type.type), words_of(to)),
           part.kind == filter_kind::number && to.base == base_type::text ? "a text is written in quotes"
           : can_cast(type.type, to) ? fmt::format("a cast makes one of it: ::{}", spell(field_type{.base = to.base}))
                                     : "");
    return false;
  }

  /// PostgreSQL takes an array of literals for one of texts or of numbers of its own choice.
  bool fit_array(filter_node& part, const field_type& to) {
    auto element = to;
    element.is_array = false;
    for (auto& one : part.parts) {
      const auto type = check(one);
      if (type.is_wrong() || !fit(one, type, element)) return false;
      if (one.kind != filter_kind::number) continue;
      if (const auto problem = fit_number(one, element)) return refuse(*problem), false;
    }
    wrap(part, to);
    return true;
  }

  static void wrap(filter_node& part, const field_type& to) {
    if (to.base == base_type::text) return;
    filter_node made;
    made.kind = filter_kind::cast;
    made.type = {.base = to.base, .enumeration = to.enumeration, .is_array = true};
    made.offset = part.offset;
    made.parts.push_back(std::exchange(part, {}));
    part = std::move(made);
  }

  filter_type comparison(filter_node& node, bool needs_order) {
    const auto type = common(node);
    if (type.is_wrong()) return {};
    if (needs_order && (type.type.is_array || type.type.base == base_type::jsonb))
      return refuse(node, code::wrong_type, fmt::format("values of {} have no order", words_of(type.type)));
    return known(boolean, type.has_field);
  }

  filter_type infix(filter_node& node) {
    const auto& sign = node.text;
    if (sign == "=" || sign == "<>" || sign.starts_with("is ")) return comparison(node, false);
    if (sign == "<" || sign == "<=" || sign == ">" || sign == ">=") return comparison(node, true);
    if (sign.find("like") != std::string::npos || sign.find('~') != std::string::npos) return match(node);
    if (sign == "@>" || sign == "<@" || sign == "&&") return containment(node);
    if (sign == "->" || sign == "->>" || sign == "?") return json_path(node);
    return arithmetic(node);
  }

  filter_type match(filter_node& node) {
    auto type = check(node.parts[0]);
    auto& pattern = node.parts[1];
    if (pattern.kind != filter_kind::literal)
      return refuse(node, code::invalid_filter, fmt::format("the pattern behind '{}' is written in quotes", node.text));
    const auto trouble =
        node.text.find('~') != std::string::npos ? find_pattern_problem(pattern.text) : trouble_of_like(pattern.text);
    if (!trouble.empty())
      refuse(pattern, code::invalid_pattern, fmt::format("this pattern is not possible: {}", trouble));
    if (type.is_wrong()) return type;
    if (!type.is_known() || !is_same_kind(type.type, plain_text))
      return refuse(node, code::wrong_type, fmt::format("'{}' looks into a text, which this is not", node.text),
                    type.is_known() && can_cast(type.type, plain_text) ? "a cast makes one of it: ::text" : "");
    return known(boolean, type.has_field);
  }

  filter_type containment(filter_node& node) {
    const auto type = common(node);
    if (type.is_wrong()) return {};
    const bool is_json = !type.type.is_array && type.type.base == base_type::jsonb && node.text != "&&";
    if (is_json || type.type.is_array) return known(boolean, type.has_field);
    return refuse(node, code::wrong_type,
                  fmt::format("'{}' compares {}, not values of {}", node.text,
                              node.text == "&&" ? "arrays" : "arrays and jsonb", words_of(type.type)));
  }

  filter_type json_path(filter_node& node) {
    const auto left = check(node.parts[0]);
    auto& step = node.parts[1];
    const auto right = check(step);
    if (left.is_wrong() || right.is_wrong()) return {};
    if (!left.is_known() || !is_same_kind(left.type, {.base = base_type::jsonb}))
      return refuse(node, code::wrong_type, fmt::format("'{}' looks into jsonb, which this is not", node.text));
    const bool is_place = node.text != "?" && step.kind == filter_kind::number && !fit_number(step, whole);
    const bool is_key = right.is == state::literal || (right.is_known() && is_same_kind(right.type, plain_text));
    if (!is_place && !is_key)
      return refuse(step, code::wrong_type, fmt::format("behind '{}' stands a key in quotes or a number", node.text));
    if (node.text == "?") return known(boolean, left.has_field);
    return known({.base = node.text == "->" ? base_type::jsonb : base_type::text}, left.has_field || right.has_field);
  }

  /// What is the same for all events PostgreSQL works out before it looks at any: an error there would be one for all.
  filter_type arithmetic(filter_node& node) {
    const auto left = check(node.parts[0]);
    const auto right = check(node.parts[1]);
    if (left.is_wrong() || right.is_wrong()) return {};
    if (!left.is_known() || !right.is_known() || !is_number(left.type) || !is_number(right.type))
      return refuse(node, code::wrong_type, fmt::format("'{}' calculates with numbers alone", node.text));
    if (!left.has_field && !right.has_field)
      return refuse(node, code::invalid_filter, "this is the same for every event", "write its result");
    if (node.text == "/" || node.text == "%") {
      const auto& by = node.parts[1];
      if (by.kind != filter_kind::number || by.text.find_first_of("123456789") == std::string::npos)
        return refuse(by, code::invalid_filter, "what is divided by is a number other than 0",
                      "an event for which it were 0 could not be judged, and nothing behind it received");
    }
    const auto is_floating = [](const filter_type& one) {
      return one.type.base == base_type::float32 || one.type.base == base_type::float64;
    };
    if (node.text == "%" && is_floating(left))
      return refuse(node, code::wrong_type, "'%' is for whole and decimal numbers");
    const auto& wider = is_floating(left) || right.type.base != base_type::numeric ? left : right;
    return known(is_floating(right) ? right.type : wider.type, true);
  }

  filter_type sign(filter_node& node) {
    auto type = check(node.parts[0]);
    if (type.is_wrong()) return type;
    if (!type.is_known() || !is_number(type.type))
      return refuse(node, code::wrong_type, fmt::format("'{}' stands before numbers alone", node.text));
    if (!type.has_field)
      return refuse(node, code::invalid_filter, "this is the same for every event", "write its result");
    return type;
  }

  filter_type quantity(filter_node& node) {
    auto& right = node.parts[1];
    const auto left = check(node.parts[0]);
    const auto list = check(right);
    if (left.is_wrong() || list.is_wrong()) return {};
    const auto word = node.text.substr(node.text.find(' ') + 1);
    if (!list.is_known() || !list.type.is_array)
      return refuse(right, code::wrong_type, fmt::format("behind '{}' stands an array", word));
    const bool is_order = node.text[0] == '>' || (node.text[0] == '<' && node.text[1] != '>');
    auto element = list.type;
    element.is_array = false;
    if (is_order && element.base == base_type::jsonb)
      return refuse(node, code::wrong_type, fmt::format("values of {} have no order", words_of(element)));
    if (right.kind == filter_kind::array && left.is_known()) {
      auto wanted = left.type;
      wanted.is_array = true;
      const bool is_free = is_number(left.type) || left.type.is_array;
      if (!is_free && !fit_array(right, wanted)) return {};
      if (!is_free) element = left.type;
    }
    if (!fit(node.parts[0], left, element)) return {};
    return known(boolean, left.has_field || list.has_field);
  }

  filter_type array(filter_node& node) {
    auto type = common(node);
    if (type.is_wrong()) return {};
    if (type.type.is_array) return refuse(node, code::invalid_filter, "an array of arrays is not allowed in a filter");
    type.type.is_array = true;
    return type;
  }

  filter_type call(filter_node& node) {
    const auto& name = node.text;
    if (name == "coalesce" || name == "greatest" || name == "least" || name == "nullif") {
      auto type = common(node);
      if (type.is_known() && name != "coalesce" && type.type.base == base_type::jsonb)
        return refuse(node, code::wrong_type, fmt::format("'{}' compares no values of jsonb", name));
      return type;
    }
    const bool has_count = name == "left" || name == "right";
    if (node.parts.size() != (has_count ? 2 : 1))
      return refuse(node, code::invalid_filter,
                    fmt::format("'{}' takes {}", name, has_count ? "a text and a number" : "one argument"));
    if (has_count && (node.parts[1].kind != filter_kind::number || fit_number(node.parts[1], whole)))
      return refuse(node.parts[1], code::wrong_type, fmt::format("'{}' takes a whole number", name));
    return call_of_one(node);
  }

  filter_type call_of_one(filter_node& node) {
    const auto& name = node.text;
    auto type = check(node.parts[0]);
    if (type.is_wrong()) return type;
    const auto takes = [&](bool fits, std::string_view what, field_type result) {
      if (type.is_known() && fits && type.has_field) return known(std::move(result), true);
      return refuse(node, code::wrong_type, fmt::format("'{}' takes {}", name, what));
    };
    const auto& of = type.type;
    if (name == "cardinality") return takes(of.is_array, "an array", whole);
    if (name == "jsonb_typeof")
      return takes(is_same_kind(of, {.base = base_type::jsonb}), "a field of type jsonb", plain_text);
    if (name == "abs" || name == "ceil" || name == "floor" || name == "round")
      return takes(is_number(of), "a field that is a number", of);
    return takes(is_same_kind(of, plain_text), "a field of type text", name == "length" ? whole : plain_text);
  }

  filter_type cast(filter_node& node) {
    if (const auto problem = check_enumeration(node, scope_)) return refuse(*problem);
    auto& part = node.parts[0];
    auto type = check(part);
    if (type.is_wrong()) return type;
    auto to = node.type;
    to.is_optional = false;
    if (type.is == state::null) return known(to, false);
    if (type.is == state::literal) return fit(part, type, to) ? known(to, false) : filter_type{};
    if (part.kind == filter_kind::array && to.is_array) return cast_of_array(node, type);
    if (part.kind == filter_kind::number && is_number(to)) {
      if (const auto problem = fit_number(part, to)) return refuse(*problem);
      return known(to, false);
    }
    if (type.has_field && can_cast(type.type, to)) return known(to, true);
    return refuse(node, code::wrong_type,
                  fmt::format("a value of {} cannot be cast to {} in a filter", words_of(type.type), words_of(to)));
  }

  filter_type cast_of_array(filter_node& node, const filter_type& type) {
    auto& part = node.parts[0];
    const auto to = node.type;
    if (!fit_array(part, to)) return {};
    // That has put a cast around it.
    if (part.kind == filter_kind::cast) part = std::move(filter_node{part}.parts[0]);
    return known(to, type.has_field);
  }

  const filter_scope& scope_;
  std::vector<filter_problem> problems_;
};

}  // namespace

std::vector<filter_problem> check_filter(filter_node& root, const filter_scope& scope) {
  return filter_checker{scope}.run(root);
}

}  // namespace declaration
