#pragma once

#include <chrono>
#include <optional>

#include "check/base.hpp"
#include "check/finding.hpp"
#include "check/project.hpp"

namespace check {

/// Looks at everything that can be seen without a server; a base adds the check of the history. `today` is what
/// accepted breaks are held against. Throws std::runtime_error with words for the user when the disk fails it.
report check_project(const places& where, const std::optional<base>& against, std::chrono::sys_days today);

}  // namespace check
