#pragma once

#include <string>

#include "declaration/model.hpp"
#include "text/diagnostic.hpp"
#include "text/source.hpp"

namespace test {

/// What a model that was accepted must never be; empty when all rules of the declaration hold.
std::string broken_rule(const declaration::project& project);

/// The same for a diagnostic: its places lie inside the source, and it says something.
std::string broken_rule(const text::diagnostic& problem, const text::line_index& lines);

}  // namespace test
