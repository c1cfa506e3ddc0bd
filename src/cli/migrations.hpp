#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "cli/exit_code.hpp"
#include "migrate/directory.hpp"
#include "migrate/error.hpp"
#include "migrate/runner.hpp"

namespace cli {

/// A directory of migrations that agrees with its quern.lock.
struct checked_migrations {
  migrate::directory files;
  std::string schema;
  migrate::draft_names drafts{};  // whose contracts are not released
};

/// What quern.lock says without the files beside it.
struct locked_project {
  std::string schema;
  std::set<std::string> lines{};
};

/// Throws failure when this lock is not there and its migrations are: generating does not bring it back.
void refuse_lost_lock(const std::filesystem::path& lock);

/// Reads `root`/quern.lock. Throws failure.
locked_project read_project(const std::filesystem::path& root);

/// email/0002, email/2, email/0002_add_note; nothing for anything else.
std::optional<migrate::target> parse_target(const std::string& text);

/// How long a --wait is: `30s`, `5min`, or whole seconds `30`; nothing for anything else.
std::optional<std::chrono::milliseconds> parse_wait(const std::string& text);

/// What is wrong with a --wait, or nothing.
std::string problem_with_wait(const std::string& text);

/// The help text of --database.
inline constexpr const char* database_help =
    "URL, or libpq's keyword=value form (default: QUERN_DATABASE, then libpq's environment, then the private server of "
    "this directory)";

/// Reads `root` and its quern.lock. Throws failure, with every problem in its words: malformed files are wrong input;
/// edited, missing and unknown ones are a history that does not match.
checked_migrations read_migrations(const std::filesystem::path& root);

/// For what leaves the project with its migrations: warns of drafts, or, where only what is `released` is wanted, takes
/// them out.
void handle_drafts(checked_migrations& migrations, bool released);

/// The exit code that tells of a migrate::error.
exit_code code_of(migrate::reason why);

}  // namespace cli
