#pragma once

#include <optional>
#include <vector>

#include "declaration/model.hpp"
#include "text/diagnostic.hpp"
#include "text/source.hpp"

namespace declaration {

/// What was asked for, when nothing is wrong with it; otherwise everything that is wrong, sorted by position.
struct read_result {
  std::optional<project> declared;
  std::vector<text::diagnostic> problems;
};

/// Reads a declaration. Any bytes may be given; a larger text than `text::largest_source` is refused.
read_result read(const text::source& from);

}  // namespace declaration
