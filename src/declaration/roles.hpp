#pragma once

#include <string>
#include <vector>

#include "declaration/report.hpp"
#include "declaration/tree.hpp"

namespace declaration {

/// A list of role names as PostgreSQL could have them, in the order in which they are written. Reports `invalid_role`
/// and `duplicate_value`.
std::vector<std::string> read_roles(const entry& from, report& problems);

}  // namespace declaration
