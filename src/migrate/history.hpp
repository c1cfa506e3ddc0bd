#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "migrate/directory.hpp"

namespace migrate {

/// A row of the ledger: one step that was applied. Rows are never changed.
struct applied_step {
  std::string line;
  int number = 0;
  int step = 0;  // from 1
  int step_count = 0;
  std::string name;
  std::string checksum;
  std::string applied_at;  // 2026-01-31T12:00:00.000000Z
  std::string applied_by;
  std::int64_t duration = 0;  // microseconds
  bool operator==(const applied_step&) const = default;
};

/// A migration of which steps have to be applied: from `first_step` (from 0) on.
struct pending_migration {
  const migration* what = nullptr;
  std::size_t first_step = 0;
  bool operator==(const pending_migration&) const = default;
};

/// What a directory and a database make of each other.
struct comparison {
  std::vector<pending_migration> pending;  // in the order in which they are to be applied
  std::vector<std::string> mismatches;     // applied, but edited, renamed, missing or overtaken; each in words
  std::vector<std::string> unknown;        // applied, but beyond the directory: `email/0003_add_note`
  bool operator==(const comparison&) const = default;
};

/// `applied` in any order. The result refers to `files`.
comparison compare(const directory& files, const std::vector<applied_step>& applied);

}  // namespace migrate
