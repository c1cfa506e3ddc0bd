#pragma once

#include <span>
#include <string>
#include <string_view>

#include "declaration/model.hpp"
#include "declaration/report.hpp"

namespace declaration {

/// The limits of PostgreSQL's numeric(p,s) that hold for every supported version.
inline constexpr int highest_precision = 1000;

/// Every type's name without arguments, as it stands in a declaration.
std::span<const std::string_view> base_type_names();

/// The name of a base type; empty for an enumeration, which has its own.
std::string_view name_of(base_type type);

/// As it stands in a declaration: "numeric(10,2)[]?".
std::string spell(const field_type& type);

/// Reads a type. Names of enumerations are taken from the list. Reports `unknown_type` or `invalid_type`; nothing then.
std::optional<field_type> parse_type(std::string_view written, const text::span& where,
                                     std::span<const std::string_view> enumerations, report& problems);

}  // namespace declaration
