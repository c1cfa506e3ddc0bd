// quern retire: the migration that takes a contract away when nobody speaks it any more.

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <quern/sqlstate.hpp>
#include <stdexcept>
#include <string>

#include "cli/command.hpp"
#include "cli/declared_project.hpp"
#include "cli/migrations.hpp"
#include "cli/private_server.hpp"
#include "cli/terminal.hpp"
#include "contract/retirement.hpp"
#include "migrate/error.hpp"
#include "migrate/parse.hpp"

namespace cli {
namespace {

struct retire_arguments {
  project_places where{};
  std::optional<std::string> database{};
  bool asks_nobody = false;
  std::string queue{};
  int version = 0;
};

/// Applies the first step, which holds the guards, and takes it back.
void ask_database(const std::string& url, const render::output_file& migration) try {
  migrate::migration parsed;
  std::vector<migrate::problem> problems;
  const auto slash = migration.path.find('/');
  parsed.line = migration.path.substr(0, slash);
  parsed.number = std::stoi(migration.path.substr(slash + 1, 4));
  parsed.name = migration.path.substr(slash + 6, migration.path.size() - slash - 10);
  migrate::parse_migration(migration.text, parsed, problems);
  quern::connection db{url, {.application_name = "quern retire"}};
  db.run_script("begin; set local lock_timeout = '5s'; set local search_path = '';\n" + parsed.steps.front().sql);
  db.run_script("rollback");

} catch (const quern::error& refused) {
  if (refused.sqlstate() != quern::sqlstate::still_in_use) throw;
  std::string words = refused.message();
  if (!refused.detail().empty()) words += "\n  detail: " + refused.detail();
  if (!refused.hint().empty()) words += "\n  hint: " + refused.hint();
  throw failure{exit_code::still_in_use, words};
}

exit_code run(const retire_arguments& given) try {
  const declared_project project{given.where};
  const render::output output{project.directories(), render::parts::all, render::output::access::write};
  const auto source = output.read_lock();
  refuse_lost_lock(source.name);
  const auto lock = read_lock(source);
  if (const auto why = contract::why_not_retire(lock, given.queue, given.version, project.templates().engine());
      !why.empty())
    throw failure{exit_code::input_wrong, why};
  const auto retired = project.retire(lock, given.queue);
  const auto differences = output.compare(retired);
  refuse_problems(differences.problems);
  if (!given.asks_nobody) ask_database(choose_database(given.database).url, retired.migrations.back());
  const auto changes = all_changes(differences);
  warn_of_edits(changes);
  output.write(retired, differences);
  say_changes(changes, true);
  tell(
      "`quern migrate` applies it; each database refuses it for itself while a client or a message needs the contract");
  return exit_code::done;

} catch (const quern::error&) {
  throw;

} catch (const std::runtime_error& failed) {
  throw failure{exit_code::input_wrong, failed.what()};
}

}  // namespace

void add_retire(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<retire_arguments>();
  const command_line command =
      program.add_command("retire", "Write the migration that drops the oldest contract of a queue or stream");
  command.add_option("queue", given->queue, "The queue").required();
  command.add_option("version", given->version, "Its oldest live contract: 1").required().between(1, 9999);
  add_places(command, given->where);
  const command_option database = command.add_option(
      "--database", given->database,
      "Asked before anything is written: refuses while a client used the contract within the queue's `sunset`, or "
      "messages of it remain (default: QUERN_DATABASE, then libpq's environment, then the private server)");
  command.add_flag("--offline", given->asks_nobody, "Ask no database; `quern migrate` will be refused instead")
      .excludes(database);
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
