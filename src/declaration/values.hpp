#pragma once

#include <compare>
#include <optional>
#include <string>

#include "declaration/model.hpp"
#include "declaration/report.hpp"
#include "declaration/tree.hpp"

namespace declaration {

/// min and max are possible for a type: numbers, dates, timestamps and intervals that are no arrays.
bool has_order(const field_type& type);

/// Reads a value of a type's base as the model keeps it, checked for form and range; enumerations are checked by the
/// caller. Reports `wrong_type`, `invalid_value`, `out_of_range` or `nul_character`; nothing then.
std::optional<value> read_value(const entry& from, const field_type& type, report& problems);

/// Compares two values of a type that has an order.
std::strong_ordering compare_values(const value& a, const value& b, const field_type& type);

/// A value as it would stand in a declaration, shortened when it is long; for messages.
std::string spell(const value& v, const field_type& type);

}  // namespace declaration
