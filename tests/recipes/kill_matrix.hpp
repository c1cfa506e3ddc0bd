#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "recipes/recipe.hpp"

namespace test {

/// What came of killing runners at every point of every step of a recipe.
struct kill_report {
  std::vector<std::string> problems{};  // in sentences
  std::size_t steps = 0;                // the reverses too
  std::size_t deaths = 0;
};

/// Migrates a recipe, and takes it back unless it is final; at each point of each step the runner dies: its session is
/// ended by the server, or its process is killed while the server goes on. After each death the database is as it was
/// before the step or as it is after it, as the ledger says, and the next runner goes on; at the end all is as if
/// nobody had died, and the messages that were there before are handed out.
kill_report kill_everywhere(const recipe& what);

}  // namespace test
