#pragma once

#include <filesystem>
#include <string>

#include "cli/exit_code.hpp"
#include "migrate/directory.hpp"
#include "migrate/error.hpp"

namespace cli {

/// A directory of migrations that agrees with its quern.lock.
struct checked_migrations {
  migrate::directory files;
  std::string schema;
};

/// Reads `root` and its quern.lock. Throws failure, with every problem in its words: malformed files are wrong input;
/// edited, missing and unknown ones are a history that does not match.
checked_migrations read_migrations(const std::filesystem::path& root);

/// The exit code that tells of a migrate::error.
exit_code code_of(migrate::reason why);

}  // namespace cli
