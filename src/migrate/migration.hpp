#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace migrate {

/// A part of a step behind its SQL: `-- probe`, `-- cleanup`, `-- reverse`. May hold comments only.
struct section {
  std::string sql{};   // LF-normalised
  int first_line = 0;  // of `sql` in its file
  bool operator==(const section&) const = default;
};

/// The hand-written file that a step comes from: migrations/<line>/hooks/NNNN_before.sql or NNNN_after.sql.
struct hook {
  std::filesystem::path file{};  // as it was opened
  std::string checksum{};        // of its LF-normalised text
  bool operator==(const hook&) const = default;
};

/// A part of a migration that is applied together with its row in the ledger: in one transaction, or statement by
/// statement outside of one.
struct step {
  std::string name{};
  std::string lock{};                             // which lock it takes, in words for people
  std::chrono::milliseconds lock_timeout{};       // 0: none
  std::chrono::milliseconds statement_timeout{};  // 0: none
  std::string sql{};                              // LF-normalised; comments only when it has a reverse
  int first_line = 0;                             // of `sql` in its file
  bool is_transactional = true;
  std::optional<section> probe{};    // not transactional: one boolean, true when the step is done
  std::optional<section> cleanup{};  // not transactional: removes what a killed try left behind
  std::optional<section> reverse{};  // undoes the step, with its transaction mode and timeouts; nothing: it cannot be
  std::optional<hook> from_hook{};   // nothing: from the migration's own file
  bool operator==(const step&) const = default;
};

/// A file migrations/<line>/NNNN_<name>.sql and its hooks.
struct migration {
  std::string line{};
  int number = 0;
  std::string name{};
  std::string checksum{};            // SHA-256 of the file's LF-normalised text, 64 hex digits; without the hooks
  std::vector<std::string> roles{};  // that have to exist before
  std::vector<step> steps{};         // at least one; those of hooks come first and last
  std::filesystem::path file{};      // as it was opened
  bool operator==(const migration&) const = default;
};

/// `email/0001_create`.
std::string title(const migration& one);

/// `email/0001_create.sql`: the name inside the directory, as quern.lock has it.
std::string file_name(const migration& one);

/// Where the step's text stands: the migration's file or its hook's.
const std::filesystem::path& file_of(const migration& one, const step& part);

/// Of that file.
const std::string& checksum_of(const migration& one, const step& part);

}  // namespace migrate
