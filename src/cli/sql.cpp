// quern sql: the migrations for whoever applies them by other means.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/migrations.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal.hpp"
#include "migrate/error.hpp"
#include "migrate/export.hpp"
#include "render/file_system.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;
namespace file_system = render::file_system;

struct sql_arguments {
  std::string format = "plain";
  fs::path migrations = "migrations";
  fs::path out{};
  std::int64_t first = 0;
  bool replaces = false;
  bool is_released_only = false;
};

bool is_looked_at(const fs::path& file) {
  const std::string ending = file.extension().string();
  return ending == ".sql" || ending == ".conf" || ending == ".plan";
}

migrate::file_texts read_directory(const fs::path& root) {
  migrate::file_texts present;
  if (!fs::exists(root)) return present;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator{root}) {
    if (!entry.is_regular_file() || !is_looked_at(entry.path())) continue;
    const std::optional<std::string> text = file_system::read(entry.path());
    present.emplace(fs::relative(entry.path(), root).generic_string(), text.value_or(""));
  }
  return present;
}

// The names whose texts are new, and those whose texts are others than those that are there.
struct changes {
  std::vector<std::string> added{};
  std::vector<std::string> changed{};
};

changes changes_of(const migrate::file_texts& wanted, const migrate::file_texts& present) {
  changes made;
  for (const auto& [name, text] : wanted) {
    const auto there = present.find(name);
    if (there == present.end())
      made.added.push_back(name);
    else if (there->second != text)
      made.changed.push_back(name);
  }
  return made;
}

// A plan grows at its end: that is no change of what was exported.
void let_plan_grow(changes& found, const migrate::file_texts& wanted, const migrate::file_texts& present) {
  const auto plan = std::ranges::find(found.changed, "sqitch.plan");
  if (plan == found.changed.end() || !wanted.at(*plan).starts_with(present.at(*plan))) return;
  found.added.push_back(*plan);
  found.changed.erase(plan);
}

exit_code export_to(const sql_arguments& given, const checked_migrations& migrations, migrate::export_format format) {
  const migrate::file_texts present = read_directory(given.out);
  const migrate::file_texts wanted = migrate::export_migrations(
      migrations.files,
      {.format = format, .schema = migrations.schema, .first_number = given.first, .drafts = migrations.drafts},
      present);
  changes found = changes_of(wanted, present);
  let_plan_grow(found, wanted, present);
  if (!found.changed.empty() && !given.replaces)
    throw failure{exit_code::input_wrong,
                  fmt::format("{} would change, and a tool that has applied the old text would refuse it; nothing was "
                              "written. Nobody has applied it yet: --replace\n  {}",
                              found.changed.size() == 1 ? "a file" : "files", fmt::join(found.changed, "\n  "))};
  found.added.insert(found.added.end(), found.changed.begin(), found.changed.end());
  for (const std::string& name : found.added) {
    file_system::make_directory((given.out / name).parent_path());
    file_system::write(given.out / name, wanted.at(name));
    say(fmt::format("wrote {}", (given.out / name).string()));
  }
  if (found.added.empty()) say("nothing to export: every migration is there");
  return exit_code::done;
}

exit_code run(const sql_arguments& given) try {
  const auto format = migrate::parse_export_format(given.format);
  checked_migrations migrations = read_migrations(given.migrations);
  handle_drafts(migrations, given.is_released_only);
  if (!given.out.empty()) return export_to(given, migrations, *format);
  if (*format != migrate::export_format::plain)
    throw failure{exit_code::usage, fmt::format("say where with --out DIR: {} takes a directory", given.format)};
  write_output(migrate::export_script(migrations.files, migrations.schema, migrations.drafts));
  return exit_code::done;

} catch (const migrate::error& refused) {
  throw failure{code_of(refused.why()), refused.what()};

} catch (const std::runtime_error& failed) {
  throw failure{exit_code::input_wrong, failed.what()};
}

}  // namespace

void add_sql(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<sql_arguments>();
  const command_line command =
      program.add_command("sql", "Write the migrations for another tool, or as a script for psql; needs no database");
  command.add_option("--for", given->format, "plain (psql -X -f), flyway, dbmate, goose or sqitch")
      .one_of({"plain", "flyway", "dbmate", "goose", "sqitch"})
      .shows_default();
  command.add_option("--migrations", given->migrations, "Their directory").shows_default();
  command.add_option("--out", given->out,
                     "The tool's directory: what was exported there keeps its name, what is new is numbered behind "
                     "everything that is there (plain: one script on standard output when it is not given)");
  command.add_option("--first", given->first, "The number of the first new file (default: behind the highest)")
      .between(1, 99'999'999'999'999);
  command.add_flag("--replace", given->replaces, "Write files again whose text has changed since they were exported");
  command.add_flag("--released", given->is_released_only, "Leave drafts out: their files may still change");
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
