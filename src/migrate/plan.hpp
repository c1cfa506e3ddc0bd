#pragma once

#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "migrate/runner.hpp"

namespace migrate {

/// What is to be done, read from the database.
struct plan {
  std::vector<pending_migration> pending;
  std::vector<std::string> missing_roles;
};

/// Reads the ledger and says what `how` asks for. Throws error when that cannot be done: history, target, malformed
/// steps, a server that is too old.
plan make_plan(quern::connection& db, const directory& files, const request& how);

/// Throws error when roles are missing and are not to be created, or the server takes no changes.
void check_server(quern::connection& db, const plan& what, const request& how);

}  // namespace migrate
