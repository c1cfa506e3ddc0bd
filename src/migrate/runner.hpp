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
#include "migrate/table_lock.hpp"

namespace migrate {

/// The migration to stop after.
struct target {
  std::string line;
  int number = 0;
};

/// Points of a step at which tests end a runner.
enum class moment {
  begun,     // outside of a transaction: the ledger knows that the step was begun, nothing else has happened
  executed,  // outside of a transaction: all is done, and the ledger does not know
  recorded,  // the step and its row in the ledger are there
};

/// Where and how migrations are applied.
struct request {
  std::string database;        // for libpq
  std::string schema;          // holds the ledger
  std::optional<target> to{};  // nothing: all; else `core` and of that line up to this one
  std::chrono::milliseconds patience = std::chrono::seconds{60};  // for another runner, and again for each step's locks
  bool creates_roles = false;                                     // that the migrations name and the server lacks
  draft_names drafts{};                                           // of the files: their contracts are not released
  bool replaces_drafts = false;  // that the database got and that are not these files: takes them back first
  std::function<void(std::string_view)> progress = [](std::string_view) {};   // waiting, and whom for
  std::function<void(std::string_view)> under_way = [](std::string_view) {};  // each second of a long step: how far
  std::function<void(const migration&, const step&, std::chrono::milliseconds)> applied =
      [](const migration&, const step&, std::chrono::milliseconds) {};
  std::function<void(const applied_step&, std::chrono::milliseconds)> taken_back =
      [](const applied_step&, std::chrono::milliseconds) {};                                      // of a draft
  std::function<void(const migration&, const step&, const std::vector<table_lock>&)> observed{};  // see table_lock
  std::function<void(moment, const migration&, const step&)> reached = [](moment, const migration&, const step&) {};
};

/// How many were applied by one call.
struct summary {
  std::size_t migrations = 0;
  std::size_t steps = 0;
  bool operator==(const summary&) const = default;
};

/// Applies what is pending, each step with its row in the ledger: in one transaction, or, where the step says so,
/// outside of one. Several runners at once take turns; one that was killed at any point is resumed by the next. Throws
/// error before anything is applied when history does not match, a role is missing, the server is read-only; afterwards
/// when a step fails or its locks are not to be had.
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
survey look(const directory& files, const std::string& database, const std::string& schema,
            const draft_names& drafts = {});

}  // namespace migrate
