#pragma once

#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "migrate/runner.hpp"

namespace migrate {

/// What is to be done, read from the database.
struct plan {
  std::vector<applied_migration> stale_drafts;  // to be taken back first, in this order
  std::vector<const migration*> released;       // applied as drafts, and released as they are
  std::vector<pending_migration> pending;
  std::vector<std::string> missing_roles;

  bool is_empty() const { return stale_drafts.empty() && released.empty() && pending.empty(); }
};

/// Reads the ledger and says what `how` asks for. Throws error when that cannot be done: history, target, malformed
/// steps, a server that is too old.
plan make_plan(quern::connection& db, const directory& files, const request& how);

/// Throws error when there is no such migration.
void check_target(const directory& files, const target& to);

/// Throws error when the server takes no changes.
void check_writable(quern::connection& db);

/// As check_writable(), and when roles are missing and are not to be created.
void check_server(quern::connection& db, const plan& what, const request& how);

}  // namespace migrate
