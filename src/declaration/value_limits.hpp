#pragma once

#include <string_view>

#include "declaration/model.hpp"
#include "declaration/read_parts.hpp"
#include "declaration/report.hpp"
#include "declaration/tree.hpp"

namespace declaration {

/// Whether a value that read_value() gave for the field keeps its constraints and is one of its enumeration; `what` is
/// a word for it ("default"). Reports `violated_constraint` or `unknown_value`.
bool is_allowed(const value& read, const field& of, const entry& from, std::string_view what,
                const known_enumerations& known, report& problems);

}  // namespace declaration
