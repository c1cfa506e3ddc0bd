#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "migrate/drift.hpp"

namespace cli {

/// What drift and adopt are asked to compare.
struct comparison_arguments {
  std::optional<std::string> database{};
  std::filesystem::path migrations = "migrations";
  std::string scratch{};
  bool ignores_order = false;
};

void add_options(const command_line& command, comparison_arguments& given);

/// How a database differs from what its migrations make.
struct drift {
  std::vector<migrate::difference> differences;
  std::size_t pending = 0;  // migrations that the database does not have, or not all steps of: no difference
};

/// Compares a database with a scratch one that gets the migrations that the database has had. Throws failure,
/// migrate::error, quern::error, cluster::error.
drift compare_with_migrations(const comparison_arguments& given);

}  // namespace cli
