#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/directory.hpp"
#include "migrate/history.hpp"

namespace migrate {

/// The migration to stop after.
struct target {
  std::string line;
  int number = 0;
};

/// Where and how migrations are applied.
struct request {
  std::string database;        // for libpq
  std::string schema;          // holds the ledger
  std::optional<target> to{};  // nothing: all; else `core` and of that line up to this one
  std::chrono::milliseconds patience = std::chrono::seconds{60};  // for another runner, and again for each step's locks
  bool creates_roles = false;                                     // that the migrations name and the server lacks
  std::function<void(std::string_view)> progress = [](std::string_view) {};  // waiting, and whom for
  std::function<void(const migration&, const step&, std::chrono::milliseconds)> applied =
      [](const migration&, const step&, std::chrono::milliseconds) {};
};

/// How many were applied by one call.
struct summary {
  std::size_t migrations = 0;
  std::size_t steps = 0;
  bool operator==(const summary&) const = default;
};

/// Applies what is pending, each step in a transaction with its row in the ledger. Several runners at once take turns;
/// one that was killed at any point is resumed by the next. Throws error before anything is applied when history does
/// not match, a role is missing, the server is read-only; afterwards when a step fails or its locks are not to be had.
summary apply(const directory& files, const request& how);

/// The SQL that apply() would send, ready for psql; changes nothing. Empty when nothing is pending. Throws as apply()
/// does before anything is applied.
std::string dry_run(const directory& files, const request& how);

/// What a database says.
struct survey {
  std::vector<applied_step> applied;
  comparison compared;  // refers to the directory
};

/// Looks without locks and without changing anything. Throws error when the database cannot be reached or read.
survey look(const directory& files, const std::string& database, const std::string& schema);

}  // namespace migrate
