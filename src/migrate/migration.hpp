#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace migrate {

/// A part of a migration that is applied in one transaction, together with its row in the ledger.
struct step {
  std::string name{};
  std::string lock{};                             // which lock it takes, in words for people
  std::chrono::milliseconds lock_timeout{};       // 0: none
  std::chrono::milliseconds statement_timeout{};  // 0: none
  std::string sql{};                              // LF-normalised
  int first_line = 0;                             // of `sql` in its file
  bool operator==(const step&) const = default;
};

/// A file migrations/<line>/NNNN_<name>.sql.
struct migration {
  std::string line{};
  int number = 0;
  std::string name{};
  std::string checksum{};            // SHA-256 of the LF-normalised text, 64 hex digits
  std::vector<std::string> roles{};  // that have to exist before
  std::vector<step> steps{};         // at least one
  std::filesystem::path file{};      // as it was opened
  bool operator==(const migration&) const = default;
};

/// `email/0001_create`.
std::string title(const migration& one);

/// `email/0001_create.sql`: the name inside the directory, as quern.lock has it.
std::string file_name(const migration& one);

}  // namespace migrate
