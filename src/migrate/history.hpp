#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "migrate/directory.hpp"

namespace migrate {

/// A row of the ledger: one step that was applied, or that was begun outside of a transaction.
struct applied_step {
  std::string line;
  int number = 0;
  int step = 0;  // from 1
  int step_count = 0;
  std::string name;        // of the migration
  std::string checksum;    // of the file that the step came from: the migration's or a hook's
  std::string applied_at;  // 2026-01-31T12:00:00.000000Z
  std::string applied_by;
  std::int64_t duration = 0;  // microseconds
  std::string step_name{};    // empty: applied by a version that did not record it
  bool is_hook = false;
  bool is_draft = false;         // its contract was not released then
  bool is_finished = true;       // false: it, or its reverse, was begun outside of a transaction and may be half done
  bool is_transactional = true;  // as is its reverse
  bool is_reversible = false;    // the ledger knows how to undo it
  std::chrono::milliseconds lock_timeout{};       // of its reverse; 0: none
  std::chrono::milliseconds statement_timeout{};  // of its reverse; 0: none
  bool operator==(const applied_step&) const = default;
};

/// What the ledger has of one migration: its steps in their order, at least one.
struct applied_migration {
  std::vector<applied_step> steps;

  const applied_step& first() const { return steps.front(); }

  /// Every step of it is applied.
  bool is_complete() const;

  bool is_draft() const;
};

/// `email/0001_create`.
std::string title(const applied_migration& one);

/// `email/0001_create, step tables`; with the step's number where the name is not known.
std::string title(const applied_step& one);

/// By line and number; `applied` in any order.
std::vector<applied_migration> by_migration(std::vector<applied_step> applied);

/// A migration of which steps have to be applied: from `first_step` (from 0) on.
struct pending_migration {
  const migration* what = nullptr;
  std::size_t first_step = 0;
  bool operator==(const pending_migration&) const = default;
};

/// A draft that a database got and that is not what the files are now.
struct stale_draft {
  std::string line;
  int number = 0;
  std::string words{};
  bool operator==(const stale_draft&) const = default;
};

/// What a directory and a database make of each other.
struct comparison {
  std::vector<pending_migration> pending{};  // in the order in which they are to be applied
  std::vector<std::string> mismatches{};     // applied, but edited, renamed, missing or overtaken; each in words
  std::vector<std::string> unknown{};        // applied, but beyond the directory: `email/0003_add_note`
  std::vector<stale_draft> stale_drafts{};   // edited, renamed or missing since they were applied
  bool operator==(const comparison&) const = default;
};

/// Names, as file_name() gives them, of migrations whose contracts are not released.
using draft_names = std::set<std::string>;

/// `applied` in any order. `drafts`: of the files. The result refers to `files`.
comparison compare(const directory& files, std::vector<applied_step> applied, const draft_names& drafts = {});

}  // namespace migrate
