#pragma once

#include "declaration/model.hpp"
#include "declaration/report.hpp"

namespace declaration {

/// Reports `name_collision` where two parts of a project would generate the same name, in SQL or in C++; of two parts
/// once.
void check_collisions(const project& declared, report& problems);

}  // namespace declaration
