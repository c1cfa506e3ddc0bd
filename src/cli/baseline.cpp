// quern baseline: records migrations as applied in a database that has their objects already.

#include "migrate/baseline.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/migrations.hpp"
#include "cli/private_server.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal.hpp"
#include "migrate/error.hpp"

namespace cli {
namespace {

struct baseline_arguments {
  std::optional<std::string> database{};
  std::filesystem::path migrations = "migrations";
  std::vector<std::string> up_to{};
  bool is_dry_run = false;
};

migrate::baseline_request as_request(const baseline_arguments& given, const checked_migrations& migrations) {
  migrate::baseline_request how{.database = choose_database(given.database).url, .schema = migrations.schema};
  for (const std::string& text : given.up_to)
    if (const auto to = parse_target(text)) how.up_to.push_back(*to);
  how.drafts = migrations.drafts;
  how.progress = tell;
  return how;
}

exit_code run(const baseline_arguments& given) try {
  const checked_migrations migrations = read_migrations(given.migrations);
  const migrate::baseline_request how = as_request(given, migrations);
  if (given.is_dry_run) {
    write_output(migrate::baseline_dry_run(migrations.files, how));
    return exit_code::done;
  }
  const auto recorded = migrate::baseline(migrations.files, how);
  for (const migrate::migration* one : recorded)
    say(fmt::format("{} {}", green("recorded", stream::output), migrate::title(*one)));
  say(fmt::format("{} {} recorded as applied, none was run: `quern drift` says whether the database has what they make",
                  recorded.size(), recorded.size() == 1 ? "migration" : "migrations"));
  return exit_code::done;

} catch (const migrate::error& refused) {
  throw failure{code_of(refused.why()), refused.what()};
}

}  // namespace

void add_baseline(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<baseline_arguments>();
  const command_line command = program.add_command(
      "baseline", "Record migrations as applied in a database that has their objects but no history");
  command
      .add_option("UP_TO", given->up_to,
                  "LINE/NNNN...: of these lines what comes up to this one, and `core` (default: all migrations)")
      .check([](const std::string& text) {
        return parse_target(text) ? "" : "a migration is named like email/0002 or email/0002_add_note";
      });
  command.add_option("--database", given->database, database_help);
  command.add_option("--migrations", given->migrations, "Their directory").shows_default();
  command.add_flag("--dry-run", given->is_dry_run, "Print the SQL instead of running it; changes nothing");
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
