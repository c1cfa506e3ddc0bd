#pragma once

#include "check/base.hpp"
#include "check/project.hpp"

namespace check {

/// Holds the project's lock and hooks against the base: nothing that the base has may be changed, removed or reordered,
/// and what is new stands at the end of its line.
void check_history(const project& of, const base& against, report& found);

}  // namespace check
