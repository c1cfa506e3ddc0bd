#include "migrate/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "migrate/drafts.hpp"
#include "migrate/error.hpp"
#include "migrate/history.hpp"
#include "migrate/ledger.hpp"
#include "migrate/roles.hpp"
#include "migrate/statements.hpp"
#include "migrate/undo.hpp"

namespace migrate {
namespace {

constexpr int oldest_server = 140000;

void check_version(const quern::connection& db) {
  if (db.server_version() >= oldest_server) return;
  throw error{reason::not_permitted,
              fmt::format("the server is PostgreSQL {}; 14 or newer is needed", db.server_version() / 10000)};
}

void check_history(const comparison& compared) {
  if (!compared.mismatches.empty())
    throw error{reason::history_mismatch,
                fmt::format("the database was migrated by other files than these; nothing was applied\n  {}",
                            fmt::join(compared.mismatches, "\n  "))};
  if (!compared.stale_drafts.empty()) {
    std::vector<std::string> words;
    for (const stale_draft& one : compared.stale_drafts) words.push_back(one.words);
    throw error{reason::history_mismatch,
                fmt::format("the database has drafts that are not these files; nothing was applied\n  {}",
                            fmt::join(words, "\n  "))};
  }
  if (!compared.unknown.empty())
    throw error{reason::database_ahead,
                fmt::format("the database is ahead of this directory: a newer program was here; nothing was applied\n"
                            "  it has {}",
                            fmt::join(compared.unknown, "\n  it has "))};
}

// The shared objects come first for every line; the other lines do not need each other.
bool is_wanted(const migration& one, const target& to) {
  if (one.line == to.line) return one.number <= to.number;
  return one.line == "core";
}

void check_steps(const std::vector<pending_migration>& pending) {
  std::vector<std::string> problems;
  for (const pending_migration& one : pending)
    for (const problem& found : check_statements(*one.what)) problems.push_back(spell(found));
  if (!problems.empty()) throw error{reason::wrong_input, fmt::format("{}", fmt::join(problems, "\n"))};
}

std::vector<std::string> roles_of(const std::vector<pending_migration>& pending) {
  std::vector<std::string> roles;
  for (const pending_migration& one : pending)
    roles.insert(roles.end(), one.what->roles.begin(), one.what->roles.end());
  return roles;
}

void check_roles(const std::vector<std::string>& missing) {
  std::vector<std::string> statements;
  std::ranges::transform(missing, std::back_inserter(statements), create_role_statement);
  throw error{reason::not_permitted,
              fmt::format("the migrations grant to {} that the server does not have; nothing was applied. Create {} "
                          "first, or say --create-roles:\n  {}",
                          missing.size() == 1 ? "a role" : "roles", missing.size() == 1 ? "it" : "them",
                          fmt::join(statements, "\n  "))};
}

}  // namespace

void check_target(const directory& files, const target& to) {
  const auto is_it = [&](const migration& one) { return one.line == to.line && one.number == to.number; };
  if (std::ranges::any_of(files.migrations, is_it)) return;
  std::vector<std::string> names;
  for (const migration& one : files.migrations)
    if (one.line == to.line) names.push_back(title(one));
  throw error{reason::wrong_input,
              names.empty() ? fmt::format("there are no migrations of {} in {}", to.line, files.root.string())
                            : fmt::format("there is no {}/{:04} in {}; that line has {}", to.line, to.number,
                                          files.root.string(), fmt::join(names, ", "))};
}

plan make_plan(quern::connection& db, const directory& files, const request& how) {
  check_version(db);
  if (how.to) check_target(files, *how.to);
  std::vector<applied_step> applied = read_ledger(db, how.schema);
  plan made;
  comparison compared = compare(files, applied, how.drafts);
  if (how.replaces_drafts && !compared.stale_drafts.empty()) {
    made.stale_drafts = drafts_to_take_back(by_migration(applied), compared.stale_drafts);
    check_reversible(made.stale_drafts);
    forget(applied, made.stale_drafts);
    compared = compare(files, applied, how.drafts);
  }
  check_history(compared);
  if (how.to)
    std::erase_if(compared.pending, [&](const pending_migration& one) { return !is_wanted(*one.what, *how.to); });
  check_steps(compared.pending);
  made.pending = std::move(compared.pending);
  made.released = released_drafts(files, applied, how.drafts);
  made.missing_roles = missing_roles(db, roles_of(made.pending));
  return made;
}

void check_writable(quern::connection& db) {
  const quern::result state =
      db.execute("select pg_is_in_recovery(), current_setting('default_transaction_read_only')::boolean");
  if (state.single_row().get<bool>(0))
    throw error{reason::not_permitted,
                "the server is a standby and read-only: migrate its primary; nothing was applied"};
  if (state.single_row().get<bool>(1))
    throw error{reason::not_permitted,
                "the server is read-only (default_transaction_read_only is on for this database or user); nothing was "
                "applied"};
}

void check_server(quern::connection& db, const plan& what, const request& how) {
  check_writable(db);
  if (!what.missing_roles.empty() && !how.creates_roles) check_roles(what.missing_roles);
}

}  // namespace migrate
