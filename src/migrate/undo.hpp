#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/history.hpp"
#include "migrate/workbench.hpp"

namespace migrate {

/// Throws error, naming every step of these migrations that cannot be undone.
void check_reversible(const std::vector<applied_migration>& all);

/// What lines other than core were given after core/<number>, the first of each line.
std::vector<applied_migration> applied_after_core(const std::vector<applied_migration>& applied, int number);

/// The jobs that undo a migration, from its last step to its first. Throws quern::error.
struct undo_step {
  applied_step row;
  job what;
};
std::vector<undo_step> undo_steps(quern::connection& db, std::string_view schema, const applied_migration& one);

}  // namespace migrate
