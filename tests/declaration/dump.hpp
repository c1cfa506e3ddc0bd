#pragma once

#include <string>

#include "declaration/model.hpp"

namespace test {

/// A model as canonical text: every value of it, one thing a line.
std::string dump(const declaration::project& project);

}  // namespace test
