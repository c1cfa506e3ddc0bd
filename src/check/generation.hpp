#pragma once

#include "check/project.hpp"
#include "check/sql_names.hpp"

namespace check {

/// Generates from the declaration and the lock in memory, and reports what of it is not on the disk, and what in the
/// declaration no migration could bring about. Gives the names of what quern creates in the database; without a
/// declaration and a lock that read there are none.
project_objects check_generated(const project& of, report& found);

}  // namespace check
