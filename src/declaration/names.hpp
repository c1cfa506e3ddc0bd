#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "declaration/report.hpp"

namespace declaration {

/// NAMEDATALEN - 1 of PostgreSQL, in bytes.
inline constexpr std::size_t longest_identifier = 63;

/// What a name is given to: it decides which names are taken.
enum class name_role {
  project,
  schema,
  cpp_namespace,
  enumeration,
  enumeration_value,
  queue,
  stream,
  stream_consumer,
  schedule,
  field
};

/// Lower-case ASCII letters, digits and single underscores, with a letter first and no underscore last.
bool is_snake_case(std::string_view name);

/// Keywords and alternative tokens of C++20, and macros that compilers and libc define.
bool is_cpp_keyword(std::string_view name);

/// The nearest snake_case name ("OrderId" → "order_id"); empty when there is none.
std::string snake_case_of(std::string_view name);

/// Reports `invalid_name`, `reserved_name` or `name_too_long`; false when it did.
bool check_name(std::string_view name, name_role role, const text::span& where, report& problems);

}  // namespace declaration
