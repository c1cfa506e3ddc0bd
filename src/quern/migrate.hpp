#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <span>
#include <string>
#include <string_view>

/// Migrations inside of the program that needs them. `quern embed` (in CMake: quern_generate(… EMBED shop)) writes the
/// function shop::migrations(); the functions below are in the library quern::migrate.
namespace quern {

/// A text in pieces, since compilers bound the length of one literal.
using embedded_text = std::span<const std::string_view>;

/// A step as the migration's file has it.
struct embedded_step {
  std::string_view name;
  std::string_view lock;  // which lock it takes, in words
  std::chrono::milliseconds lock_timeout;
  std::chrono::milliseconds statement_timeout;
  bool is_transactional;
  std::string_view hook;           // the name of the hand-written file that it comes from; empty: the migration's own
  std::string_view hook_checksum;  // of that file
  int first_line;                  // of `sql` in its file
  embedded_text sql;
  std::optional<embedded_text> probe;
  std::optional<embedded_text> cleanup;
  std::optional<embedded_text> reverse;
};

/// A migration with its hooks.
struct embedded_migration {
  std::string_view line;
  int number;
  std::string_view name;
  std::string_view checksum;
  std::span<const std::string_view> roles;
  std::span<const embedded_step> steps;
  bool is_draft = false;  // its contract is not released: the database will say so
};

/// What `quern migrate` would read from a directory, in the order in which it is applied. It refers to constants.
struct migration_set {
  std::string_view schema;
  std::span<const embedded_migration> migrations;
};

/// Why a database could not be migrated, or is not what the program needs.
enum class migration_problem {
  pending,           // of verify() alone: the database lacks migrations
  wrong_input,       // the migrations themselves cannot be used
  unreachable,       // no connection, or it was lost: try again
  failed,            // the server refused a step; nothing of that step remains
  gave_up_waiting,   // for a lock, or for another runner: try again
  history_mismatch,  // an applied migration was edited, is missing, or out of order
  database_ahead,    // a newer program was here
  not_permitted,     // a read-only server, a missing right or role
  still_in_use,      // clients or messages still depend on what was to be taken away
};

/// What migrate() and verify() throw; nothing else. Its words are for whoever runs the program and may have several
/// lines; each migration that is concerned is named.
class migration_error : public error {
 public:
  migration_error(migration_problem why, const std::string& words);

  migration_problem why() const noexcept { return why_; }

 private:
  migration_problem why_;
};

struct migrate_options {
  /// How long to wait for another runner, and again for the locks of each step.
  std::chrono::milliseconds patience = std::chrono::seconds{60};
  /// Create the roles that migrations grant to and the server lacks.
  bool creates_roles = false;
  /// Is told, in words, what is waited for and what was applied.
  std::function<void(std::string_view)> progress{};
};

/// How much was applied.
struct migrate_summary {
  std::size_t migrations = 0;
  std::size_t steps = 0;
  bool operator==(const migrate_summary&) const = default;
};

/// Applies what the database lacks, exactly as `quern migrate`. Programs that do so at the same time take turns.
/// `database` is what a connection is made from: two sessions of its own are opened there, since one waits for locks
/// while the other works; a transaction-mode pooler cannot stand in between. Throws migration_error.
migrate_summary migrate(std::string_view database, const migration_set& wanted, const migrate_options& how = {});

/// The same on the server, the database and as the user of an open connection, which is not used itself. It should be
/// in no transaction that holds locks of the schema: that would be waited for.
migrate_summary migrate(const connection& database, const migration_set& wanted, const migrate_options& how = {});

/// Throws migration_error unless the database has exactly these migrations; the words name every one that is pending,
/// edited, missing or unknown. Changes nothing.
void verify(std::string_view database, const migration_set& wanted);
void verify(const connection& database, const migration_set& wanted);

}  // namespace quern
