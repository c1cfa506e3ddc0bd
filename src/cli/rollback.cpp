// quern rollback: takes back what was applied last, while nothing depends on it.

#include "migrate/rollback.hpp"

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

namespace cli {
namespace {

struct rollback_arguments {
  std::optional<std::string> database{};
  std::filesystem::path migrations = "migrations";
  std::string what{};
  std::string wait = "0";
  bool is_dry_run = false;
};

std::string line_of(const std::string& what) {
  return what.substr(0, what.find('/'));
}

void say_taken_back(const migrate::applied_step& row, std::chrono::milliseconds taken) {
  say(fmt::format("{} {} {}", green("took back", stream::output), migrate::title(row),
                  dim(fmt::format("({} ms)", taken.count()), stream::output)));
}

migrate::rollback_request as_request(const rollback_arguments& given, const std::string& schema) {
  migrate::rollback_request how{.database = choose_database(given.database).url, .schema = schema};
  if (!given.what.empty()) how.line = line_of(given.what);
  if (const auto to = parse_target(given.what)) how.number = to->number;
  how.wait_for_use = parse_wait(given.wait).value_or(std::chrono::milliseconds{0});
  how.progress = tell;
  how.under_way = tell_for_now;
  how.taken_back = say_taken_back;
  return how;
}

std::string nothing_to_do(const rollback_arguments& given) {
  if (given.what.empty()) return "nothing to take back: the database has no migration";
  if (parse_target(given.what)) return fmt::format("nothing to take back: {} is not applied", given.what);
  return fmt::format("nothing to take back: {} has no migration applied", given.what);
}

// A line that is not in the lock may be in the database.
void check_line(const rollback_arguments& given, const locked_project& project) {
  if (given.what.empty() || project.lines.contains(line_of(given.what))) return;
  throw failure{exit_code::input_wrong, fmt::format("neither the database nor {} knows a line {}",
                                                    (given.migrations / "quern.lock").string(), line_of(given.what))};
}

exit_code run(const rollback_arguments& given) try {
  const locked_project project = read_project(given.migrations);
  const migrate::rollback_request how = as_request(given, project.schema);
  if (given.is_dry_run) {
    const std::string sql = migrate::rollback_dry_run(how);
    if (sql.empty()) check_line(given, project);
    write_output(sql.empty() ? fmt::format("-- {}\n", nothing_to_do(given)) : sql);
    return exit_code::done;
  }
  const auto titles = migrate::rollback(how);
  if (titles.empty()) check_line(given, project);
  say(titles.empty() ? nothing_to_do(given)
                     : fmt::format("{} {} taken back", titles.size(), titles.size() == 1 ? "migration" : "migrations"));
  return exit_code::done;

} catch (const migrate::error& refused) {
  throw failure{code_of(refused.why()), refused.what()};
}

}  // namespace

void add_rollback(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<rollback_arguments>();
  const command_line command =
      program.add_command("rollback", "Take back the newest migration of a line, while nothing depends on it");
  command
      .add_option("WHAT", given->what,
                  "LINE: its newest migration; LINE/NNNN: down to and including this one (default: the migration that "
                  "was applied last)")
      .check([](const std::string& text) {
        const bool is_good = text.find('/') == std::string::npos || parse_target(text).has_value();
        return is_good ? "" : "a line is named like email, a migration like email/0002 or email/0002_add_note";
      });
  command.add_option("--database", given->database, database_help);
  command.add_option("--migrations", given->migrations, "The directory of quern.lock").shows_default();
  command
      .add_option("--wait", given->wait,
                  "How long to try again while clients or messages still depend on it (30s, 5min, or seconds: 30)")
      .check(problem_with_wait)
      .shows_default();
  command.add_flag("--dry-run", given->is_dry_run, "Print the SQL instead of running it; changes nothing");
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
