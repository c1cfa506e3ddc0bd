#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "declaration/model.hpp"

/// Which events a consumer of a stream wants: an expression of SQL over the fields of the payload, of which only what
/// is listed here is allowed. It is never passed on as it was written: it is read into a tree, and spelled anew.
namespace declaration {

enum class filter_kind {
  field,    // text: its name
  literal,  // 'text'
  number,   // 12, -1.5
  truth,    // true, false
  null,
  logic,     // text: and, or; two parts or more
  negation,  // not
  test,      // text: is null, is not true …; behind its one part
  infix,     // text: =, like, is distinct from, ->> …; two parts
  sign,      // text: + or -; before its one part
  list,      // text: in, not in; what is looked for, then the items
  between,   // text: between, not between …; a value and its limits
  quantity,  // text: = any, <> all …; a value and an array
  array,     // its elements
  call,      // text: the function
  cast       // to `type`
};

struct filter_node {
  filter_kind kind = filter_kind::null;
  std::string text{};
  std::vector<filter_node> parts{};
  field_type type{};
  bool is_quoted = false;  // a field that was written in double quotes
  std::size_t offset = 0;  // where it was written: of an infix the operator, in bytes
};

/// What is wrong with a filter: the bytes from `offset` on.
struct filter_problem {
  std::string_view code;
  std::string message;
  std::string help;
  std::size_t offset = 0;
  std::size_t size = 0;
};

struct parsed_filter {
  std::optional<filter_node> root;  // nothing when there are problems
  std::vector<filter_problem> problems;
};

/// Reads an expression. Whether fields and types fit is for check_filter().
parsed_filter parse_filter(const std::string& written);

/// What the check needs to know of the payload.
struct filter_scope {
  std::span<const field> fields;
  std::span<const enumeration> enumerations;
  std::function<bool(std::string_view)> is_reported;  // a field of which something is wrong
};

/// Whether it is a condition over these fields that PostgreSQL can evaluate. Literals become what their fields take.
std::vector<filter_problem> check_filter(filter_node& root, const filter_scope& scope);

/// How the parts are spelled that differ between the declaration and SQL.
struct filter_spelling {
  std::function<std::string(const filter_node& field)> field;
  std::function<std::string(std::string_view text)> literal;
  std::function<std::string(const field_type& type)> type;
};

std::string spell_filter(const filter_node& root, const filter_spelling& with);

/// As it would stand in a declaration; reading it gives the same tree.
std::string spell_filter(const filter_node& root);

}  // namespace declaration
