#pragma once

#include <optional>
#include <string_view>

#include "declaration/report.hpp"
#include "declaration/tree.hpp"
#include "text/source.hpp"

namespace declaration {

/// The document as a tree, or nothing when the report says why. All mistakes of form are reported that can be told
/// apart: after each one the statement is passed over and reading goes on.
std::optional<node> parse_toml(std::string_view content, const text::line_index& lines, report& problems);

}  // namespace declaration
