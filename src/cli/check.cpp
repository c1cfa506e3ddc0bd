// quern check: what has to hold before a change is merged.

#include "check/check.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "check/format.hpp"
#include "check/server.hpp"
#include "cli/check_server.hpp"
#include "cli/command.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

enum class format { automatic, text, json, sarif, github, junit };

struct check_arguments {
  fs::path file = "quern.toml";
  std::optional<fs::path> migrations{};
  std::optional<fs::path> out{};
  std::optional<fs::path> templates{};
  std::optional<std::string> against{};
  std::optional<fs::path> output{};
  format as = format::automatic;
  bool is_strict = false;
  check_server_arguments server{};
};

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// In GitHub Actions annotations are what people see.
format chosen_format(const check_arguments& given) {
  if (given.as != format::automatic) return given.as;
  return variable("GITHUB_ACTIONS") == "true" ? format::github : format::text;
}

check::places places_of(const check_arguments& given) {
  const fs::path beside = given.file.parent_path();
  return {given.file, given.migrations.value_or(beside / "migrations"), given.out.value_or(beside / "generated"),
          given.templates};
}

std::optional<check::base> base_of(const check_arguments& given, const fs::path& migrations) {
  if (!given.against) return std::nullopt;
  try {
    check::base made = check::read_base(*given.against, migrations);
    if (!made.has_lock)
      tell(fmt::format("{} has no quern.lock in {}: everything is new", made.name, migrations.string()));
    return made;
  } catch (const check::base_error& refused) {
    throw failure{exit_code::usage, refused.what()};
  }
}

std::string spell(const check::report& found, format as, text::colouring colours) {
  switch (as) {
    case format::json:
      return check::spell_json(found);
    case format::sarif:
      return check::spell_sarif(found);
    case format::github:
      return check::spell_github(found);
    case format::junit:
      return check::spell_junit(found);
    case format::automatic:
    case format::text:
      break;
  }
  return check::spell_text(found, colours);
}

void write(const fs::path& file, const std::string& text, std::ios::openmode mode) {
  std::ofstream into{file, std::ios::binary | mode};
  into << text;
  into.flush();
  if (!into) throw failure{exit_code::input_wrong, fmt::format("{} cannot be written", file.string())};
}

/// Code scanning and annotations know files from the root of the repository on.
void name_files(check::report& found, format as) {
  if (as != format::sarif && as != format::github) return;
  const std::string workspace = variable("GITHUB_WORKSPACE");
  check::name_files_from(found, workspace.empty() ? fs::current_path().string() : workspace);
}

void show(check::report found, const check_arguments& given) {
  const format as = chosen_format(given);
  name_files(found, as);
  const bool is_coloured = !given.output && has_colour(stream::output);
  const std::string text = spell(found, as, is_coloured ? text::colouring::ansi : text::colouring::plain);
  if (given.output) {
    write(*given.output, text, std::ios::trunc);
  } else {
    write_output(text);
  }
  const std::string summary = variable("GITHUB_STEP_SUMMARY");
  if (as == format::github && !summary.empty()) write(summary, check::spell_summary(found), std::ios::app);
}

exit_code run(const check_arguments& given) try {
  if (given.server.is_thorough && !given.server.is_wanted())
    throw failure{exit_code::usage, "--thorough is of --database and --scratch: it needs a server"};
  const check::places where = places_of(given);
  const std::optional<check::base> against = base_of(given, where.migrations);
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  check::report found = check::check_project(where, against, today);
  if (given.server.is_wanted()) check_on_server(given.server, where, against, found);
  show(found, given);
  const bool has_errors = check::count(found, text::severity::error) > 0;
  return has_errors || (given.is_strict && !found.findings.empty()) ? exit_code::input_wrong : exit_code::done;

} catch (const std::runtime_error& failed) {
  throw failure{exit_code::input_wrong, failed.what()};
}

void add_options(const command_line& command, check_arguments& given) {
  command.add_option("--file", given.file, "The declaration").shows_default();
  command.add_option("--migrations", given.migrations,
                     "Directory of the migrations and quern.lock (default: migrations, beside the declaration)");
  command.add_option("--out", given.out,
                     "Directory of the generated files (default: generated, beside the declaration)");
  command.add_option("--templates", given.templates, "Directory with templates in place of the built-in ones");
  command.add_option("--against", given.against,
                     "What the change is merged into: a commit of git such as origin/main, a lock file, or a directory "
                     "of a project. Nothing that it has may be changed, removed or reordered");
  const std::map<std::string, format> formats{{"text", format::text},
                                              {"json", format::json},
                                              {"sarif", format::sarif},
                                              {"github", format::github},
                                              {"junit", format::junit}};
  command.add_choice("--format", given.as, formats, "FORMAT",
                     "text, json, sarif, github or junit (default: text; github where GITHUB_ACTIONS is true)");
  command.add_option("--output", given.output, "Write to this file, not to standard output");
  command.add_flag("--strict", given.is_strict, "End with 1 for warnings too");
  add_options(command, given.server);
}

}  // namespace

void add_check(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<check_arguments>();
  const command_line command = program.add_command(
      "check",
      "Find what must not be merged: broken history, contracts, hooks, and files that are not generated; with a server "
      "also what its migrations, rollbacks and contracts do there");
  add_options(command, *given);
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
