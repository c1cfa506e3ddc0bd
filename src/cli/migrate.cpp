// quern migrate: brings a database to where the directory of migrations is.

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/command.hpp"
#include "cli/migrations.hpp"
#include "cli/private_server.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal.hpp"
#include "migrate/error.hpp"
#include "migrate/runner.hpp"

namespace cli {
namespace {

struct migrate_arguments {
  std::optional<std::string> database{};
  std::filesystem::path migrations = "migrations";
  std::string to{};
  std::string wait = "60s";
  bool is_dry_run = false;
  bool creates_roles = false;
  bool replaces_drafts = false;
};

void say_applied(const migrate::migration& one, const migrate::step& part, std::chrono::milliseconds taken) {
  const std::string where = one.steps.size() == 1 ? "" : fmt::format(", step {}", part.name);
  say(fmt::format("{} {}{} {}", green("applied", stream::output), migrate::title(one), where,
                  dim(fmt::format("({} ms)", taken.count()), stream::output)));
}

void say_taken_back(const migrate::applied_step& row, std::chrono::milliseconds taken) {
  say(fmt::format("{} {} {}", yellow("took back", stream::output), migrate::title(row),
                  dim(fmt::format("({} ms)", taken.count()), stream::output)));
}

migrate::request as_request(const migrate_arguments& given, const checked_migrations& migrations) {
  const database where = choose_database(given.database);
  migrate::request how{.database = where.url, .schema = migrations.schema};
  if (!given.to.empty()) how.to = parse_target(given.to);
  how.patience = parse_wait(given.wait).value_or(how.patience);
  how.creates_roles = given.creates_roles || where.is_private_server;
  how.drafts = migrations.drafts;
  how.replaces_drafts = given.replaces_drafts;
  how.progress = tell;
  how.under_way = tell_for_now;
  how.taken_back = say_taken_back;
  how.applied = say_applied;
  return how;
}

exit_code run(const migrate_arguments& given) try {
  const checked_migrations migrations = read_migrations(given.migrations);
  const migrate::request how = as_request(given, migrations);
  if (given.is_dry_run) {
    const std::string sql = migrate::dry_run(migrations.files, how);
    write_output(sql.empty() ? "-- nothing to apply\n" : sql);
    return exit_code::done;
  }
  const migrate::summary done = migrate::apply(migrations.files, how);
  if (done.steps == 0)
    say(given.to.empty() ? "nothing to apply: the database is up to date" : "nothing to apply");
  else
    say(fmt::format("{} {} applied", done.migrations, done.migrations == 1 ? "migration" : "migrations"));
  return exit_code::done;

} catch (const migrate::error& refused) {
  throw failure{code_of(refused.why()), refused.what()};
}

}  // namespace

void add_migrate(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<migrate_arguments>();
  const command_line command = program.add_command("migrate", "Apply the migrations that a database lacks");
  command.add_option("--database", given->database, database_help);
  command.add_option("--migrations", given->migrations, "Their directory").shows_default();
  command.add_option("--to", given->to, "LINE/NNNN: apply `core` and of that line what comes up to this one")
      .check([](const std::string& text) {
        return parse_target(text) ? "" : "a migration is named like email/0002 or email/0002_add_note";
      });
  command
      .add_option("--wait", given->wait,
                  "How long to wait for another runner, and for the locks of each step (30s, 5min, or seconds: 30)")
      .check(problem_with_wait)
      .shows_default();
  command.add_flag("--dry-run", given->is_dry_run, "Print the SQL instead of applying it; changes nothing");
  command.add_flag("--create-roles", given->creates_roles, "Create missing roles that the migrations grant to");
  command.add_flag("--replace-drafts", given->replaces_drafts,
                   "Take back drafts that were generated again since this database got them, then apply the new ones");
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
