// quern generate: migrations, definitions and headers out of a declaration.

#include "render/generate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "check/base.hpp"
#include "cli/command.hpp"
#include "cli/declared_project.hpp"
#include "cli/depfile.hpp"
#include "cli/difference.hpp"
#include "cli/terminal.hpp"
#include "contract/merge.hpp"
#include "render/artefacts.hpp"
#include "render/templates.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

struct generate_arguments {
  project_places where{};
  std::string against{};
  std::optional<fs::path> depfile{};
  std::string only{};
  bool is_check = false;
  bool is_dry_run = false;
};

exit_code report_check(const render::comparison& differences) {
  const auto changes = all_changes(differences);
  for (const auto& change : changes) say_difference(change);
  if (changes.empty()) return exit_code::done;
  complain(fmt::format("{} {} not what the declaration gives; run `quern generate`", changes.size(),
                       changes.size() == 1 ? "file is" : "files are"));
  return exit_code::input_wrong;
}

std::vector<fs::path> inputs(const generate_arguments& given, const std::vector<render::template_source>& templates,
                             const fs::path& lock) {
  std::vector<fs::path> result{given.where.file};
  // A rule whose input does not exist is always out of date: without a lock, its directory tells when one comes.
  if (fs::exists(lock)) {
    result.push_back(lock);
  } else if (fs::exists(lock.parent_path())) {
    result.push_back(lock.parent_path());
  }
  for (const auto& [name, source, file] : templates) {
    if (!file.empty()) result.push_back(file);
  }
  return result;
}

/// The lock, all of which is released that the base has.
contract::lock counted_as_released(const contract::lock& own, const generate_arguments& given,
                                   const declared_project& project) try {
  return contract::released_where_in(check::read_base(given.against, project.directories().migrations).lock, own);

} catch (const check::base_error& refused) {
  throw failure{exit_code::input_wrong, refused.what()};
}

exit_code generate(const generate_arguments& given) {
  const auto wanted = given.only.empty() ? render::parts::all : render::parts::headers;
  const auto access = given.is_check || given.is_dry_run ? render::output::access::read : render::output::access::write;
  const declared_project project{given.where};
  const render::output output{project.directories(), wanted, access};
  const auto lock_source = output.read_lock();
  const auto own = read_lock(lock_source);
  auto generation = project.generate(given.against.empty() ? own : counted_as_released(own, given, project), wanted);
  generation.drafts_before = render::drafts_of(own);
  const auto differences = output.compare(generation);
  refuse_problems(differences.problems);
  if (given.is_check) return report_check(differences);

  const auto changes = all_changes(differences);
  warn_of_edits(changes);
  if (!given.is_dry_run) output.write(generation, differences);
  if (given.depfile) write_depfile(*given.depfile, inputs(given, project.templates_read(), lock_source.name));
  say_changes(changes, !given.is_dry_run);
  if (changes.empty()) say("nothing has changed");
  return exit_code::done;
}

exit_code run(const generate_arguments& given) try {
  return generate(given);

} catch (const std::runtime_error& failed) {
  throw failure{exit_code::input_wrong, failed.what()};
}

}  // namespace

void add_generate(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<generate_arguments>();
  const command_line command =
      program.add_command("generate", "Write the migrations, SQL definitions and C++ headers of a declaration");
  add_places(command, given->where);
  command.add_option("--only", given->only, "headers: what a build needs; no SQL, and migrations are left alone")
      .one_of({"headers"});
  command.add_option("--against", given->against,
                     "What this commit, lock file or directory of a project has counts as released: drafts in it are "
                     "history");
  const command_option depfile = command.add_option(
      "--depfile", given->depfile, "Write what was read as a rule of Make or Ninja; its target is FILE without `.d`");
  const command_option check =
      command.add_flag("--check", given->is_check, "Write nothing; show what differs and end with 1 if something does");
  const command_option dry_run =
      command.add_flag("--dry-run", given->is_dry_run, "Write nothing; list what would be written");
  check.excludes(dry_run).excludes(depfile);
  dry_run.excludes(depfile);
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
