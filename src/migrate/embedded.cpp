#include "migrate/embedded.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <quern/connection_string.hpp>
#include <utility>
#include <vector>

#include "migrate/error.hpp"
#include "migrate/runner.hpp"

namespace migrate {
namespace {

std::string joined(const quern::embedded_text& text) {
  std::string whole;
  for (const std::string_view piece : text) whole += piece;
  return whole;
}

std::optional<section> as_section(const std::optional<quern::embedded_text>& text, int line) {
  if (!text) return std::nullopt;
  return section{.sql = joined(*text), .first_line = line};
}

step as_step(const quern::embedded_step& one) {
  step made{.name = std::string{one.name},
            .lock = std::string{one.lock},
            .lock_timeout = one.lock_timeout,
            .statement_timeout = one.statement_timeout,
            .sql = joined(one.sql),
            .first_line = one.first_line,
            .is_transactional = one.is_transactional,
            .probe = as_section(one.probe, one.first_line),
            .cleanup = as_section(one.cleanup, one.first_line),
            .reverse = as_section(one.reverse, one.first_line)};
  if (!one.hook.empty()) made.from_hook = hook{.file = one.hook, .checksum = std::string{one.hook_checksum}};
  return made;
}

migration as_migration(const quern::embedded_migration& one) {
  migration made{.line = std::string{one.line},
                 .number = one.number,
                 .name = std::string{one.name},
                 .checksum = std::string{one.checksum},
                 .roles = {one.roles.begin(), one.roles.end()}};
  made.file = file_name(made);
  for (const quern::embedded_step& part : one.steps) made.steps.push_back(as_step(part));
  return made;
}

}  // namespace

directory as_directory(const quern::migration_set& embedded) {
  directory made{.root = "the program", .migrations = {}};
  for (const quern::embedded_migration& one : embedded.migrations) made.migrations.push_back(as_migration(one));
  return made;
}

draft_names drafts_of(const quern::migration_set& embedded) {
  draft_names made;
  for (const quern::embedded_migration& one : embedded.migrations)
    if (one.is_draft) made.insert(file_name(as_migration(one)));
  return made;
}

}  // namespace migrate

namespace quern {
namespace {

migration_problem as_problem(migrate::reason why) {
  switch (why) {
    case migrate::reason::wrong_input:
      return migration_problem::wrong_input;
    case migrate::reason::unreachable:
      return migration_problem::unreachable;
    case migrate::reason::failed:
      return migration_problem::failed;
    case migrate::reason::gave_up_waiting:
      return migration_problem::gave_up_waiting;
    case migrate::reason::history_mismatch:
      return migration_problem::history_mismatch;
    case migrate::reason::database_ahead:
      return migration_problem::database_ahead;
    case migrate::reason::not_permitted:
      return migration_problem::not_permitted;
    case migrate::reason::still_in_use:
      return migration_problem::still_in_use;
  }
  return migration_problem::failed;
}

failure as_failure(migration_problem why, const std::string& words) {
  failure made{.message = words};
  made.is_connection_lost = why == migration_problem::unreachable;
  return made;
}

migrate::request as_request(std::string_view database, const migration_set& wanted, const migrate_options& how) {
  migrate::request made{.database = std::string{database}, .schema = std::string{wanted.schema}};
  made.patience = how.patience;
  made.creates_roles = how.creates_roles;
  made.drafts = migrate::drafts_of(wanted);
  if (!how.progress) return made;
  made.progress = how.progress;
  made.applied = [tell = how.progress](const auto& one, const auto& part, auto) {
    tell(fmt::format("applied {}, step {}", migrate::title(one), part.name));
  };
  return made;
}

void add(std::vector<std::string>& words, std::string_view what, const std::vector<std::string>& names) {
  for (const std::string& name : names) words.push_back(fmt::format("{}{}", what, name));
}

std::string words_of_pending(const migrate::pending_migration& one) {
  const std::string title = migrate::title(*one.what);
  if (one.first_step == 0) return fmt::format("{} is pending", title);
  return fmt::format("{} is applied in part: step {} of {} is pending", title, one.first_step + 1,
                     one.what->steps.size());
}

void check(const migrate::comparison& compared) {
  std::vector<std::string> words;
  add(words, "", compared.mismatches);
  add(words, "the program does not know ", compared.unknown);
  for (const migrate::stale_draft& one : compared.stale_drafts) words.push_back(one.words);
  for (const migrate::pending_migration& one : compared.pending) words.push_back(words_of_pending(one));
  if (words.empty()) return;
  const migration_problem why = !compared.mismatches.empty() || !compared.stale_drafts.empty()
                                    ? migration_problem::history_mismatch
                                : !compared.unknown.empty() ? migration_problem::database_ahead
                                                            : migration_problem::pending;
  throw migration_error{
      why, fmt::format("the database is not the one that this program needs\n  {}", fmt::join(words, "\n  "))};
}

}  // namespace

migration_error::migration_error(migration_problem why, const std::string& words)
    : error{as_failure(why, words)}, why_{why} {}

migrate_summary migrate(std::string_view database, const migration_set& wanted, const migrate_options& how) try {
  const migrate::summary done = migrate::apply(migrate::as_directory(wanted), as_request(database, wanted, how));
  return {.migrations = done.migrations, .steps = done.steps};

} catch (const migrate::error& refused) {
  throw migration_error{as_problem(refused.why()), refused.what()};
}

migrate_summary migrate(const connection& database, const migration_set& wanted, const migrate_options& how) {
  return migrate(connection_string_of(database), wanted, how);
}

void verify(std::string_view database, const migration_set& wanted) try {
  const migrate::directory files = migrate::as_directory(wanted);
  check(migrate::look(files, std::string{database}, std::string{wanted.schema}, migrate::drafts_of(wanted)).compared);

} catch (const migrate::error& refused) {
  throw migration_error{as_problem(refused.why()), refused.what()};
}

void verify(const connection& database, const migration_set& wanted) {
  verify(connection_string_of(database), wanted);
}

}  // namespace quern
