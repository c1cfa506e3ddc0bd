#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/runner.hpp"

namespace migrate {

/// For a database that has the objects already, but no ledger.
struct baseline_request {
  std::string database;         // for libpq
  std::string schema;           // has the objects, and gets the ledger
  std::vector<target> up_to{};  // empty: everything; else these lines up to these numbers, and `core`
  draft_names drafts{};         // of the files
  std::chrono::milliseconds patience = std::chrono::seconds{60};             // for another runner
  std::function<void(std::string_view)> progress = [](std::string_view) {};  // waiting, and whom for
};

/// Records migrations as applied without running anything: all of them or none. Whether the database really has what
/// they make is not looked at. Throws error when the ledger already knows one of the lines, the schema is not there, or
/// a migration does not exist. Gives what was recorded.
std::vector<const migration*> baseline(const directory& files, const baseline_request& how);

/// The SQL that baseline() would send, ready for psql; changes nothing.
std::string baseline_dry_run(const directory& files, const baseline_request& how);

}  // namespace migrate
