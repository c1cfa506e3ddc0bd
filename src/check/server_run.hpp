#pragma once

#include <memory>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "check/server.hpp"
#include "migrate/catalog.hpp"
#include "migrate/directory.hpp"
#include "migrate/drift.hpp"
#include "migrate/error.hpp"
#include "migrate/runner.hpp"

namespace check {

/// What the checks with a server share.
struct server_run {
  const project& of;
  const std::optional<base>& against;
  const server_options& how;
  report& found;
  migrate::directory files{};
  migrate::draft_names drafts{};
  migrate::catalog installed{};  // what all migrations make of an empty database

  const std::string& schema() const { return of.lock->schema; }

  std::unique_ptr<scratch_place> database() const { return how.make_database(); }

  /// Applies everything to the database, or up to the target.
  migrate::request request(const scratch_place& at, std::optional<migrate::target> to = {}) const;

  migrate::catalog catalog(const scratch_place& at) const;

  /// A finding at a step, or at the migration as a whole.
  void add(std::string_view check, std::string_view code, const migrate::migration& one, const migrate::step* part,
           std::string message, std::string help = {}) const;

  /// At the migration of a line that made or last changed an object of the catalog.
  void add_at_object(std::string_view check, std::string_view code, const std::string& object, std::string message,
                     std::string help = {}) const;

  /// At a line as a whole: its last migration.
  void add_at_line(std::string_view check, std::string_view code, std::string_view line, std::string message,
                   std::string help = {}) const;
};

/// The numbers of a line that there are.
int count_of(const server_run& run, std::string_view line);

/// The lines in the order in which they are applied; the core first.
std::vector<std::string> lines_of(const server_run& run);

/// What differs, without the order of columns.
std::vector<migrate::difference> differences(const migrate::catalog& expected, const migrate::catalog& found);

/// `3 differences: …` with the first few of them.
std::string told(const std::vector<migrate::difference>& all);

/// Whether a failure is the migrations' own, and not that of the server, or of what its user may do.
bool is_of_migrations(const migrate::error& failed);

/// The first line of what it says.
std::string first_words(const migrate::error& failed);

/// The step that was begun last, for failures.
struct last_step {
  const migrate::migration* one = nullptr;
  const migrate::step* part = nullptr;
};

/// The step that comes after `count` of the directory's steps, as they are applied.
last_step step_after(const migrate::directory& files, std::size_t count);

// Each is one or more checks, in a file of its own. The first gives `run.installed`; false when that cannot be had.
bool check_install(server_run& run);
void check_definitions(const server_run& run);
void check_grants(const server_run& run, const scratch_place& installed);
void check_upgrade(const server_run& run);
void check_rollback(const server_run& run);
void check_kills(const server_run& run);
void check_runners(const server_run& run);
void check_matrix(const server_run& run);

/// Holds the locks that a step took against what it says of itself.
void check_locks(const server_run& run, const scratch_place& at, const migrate::migration& one,
                 const migrate::step& part, const std::vector<migrate::table_lock>& taken);

}  // namespace check
