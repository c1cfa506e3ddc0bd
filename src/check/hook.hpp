#pragma once

#include <cstddef>
#include <vector>

#include "check/sql_names.hpp"
#include "text/diagnostic.hpp"
#include "text/source.hpp"

namespace check {

/// In bytes. A hook that is larger is not read.
inline constexpr std::size_t largest_hook = std::size_t{1024} * 1024;

/// What is said of such a one.
text::diagnostic hook_too_large();

/// What is dangerous or wrong in a hook of at most that size, by position. A comment `-- quern:allow CODE reason` on
/// the line before a statement takes findings of that code away from it.
std::vector<text::diagnostic> check_hook(const text::source& file, const project_objects& ours);

}  // namespace check
