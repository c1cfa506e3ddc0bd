// quern rebase: after a merge, numbers the drafts of one side behind what the other side has.

#include <fmt/format.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "check/base.hpp"
#include "check/git.hpp"
#include "cli/command.hpp"
#include "cli/declared_project.hpp"
#include "cli/rebase_hooks.hpp"
#include "cli/terminal.hpp"
#include "contract/merge.hpp"
#include "contract/sha256.hpp"
#include "render/file_system.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

struct rebase_arguments {
  project_places where{};
  std::string onto{};
};

/// What git calls the commits that take part in a merge, a rebase or a cherry-pick: first the one that is replayed.
constexpr std::array taking_part{"REBASE_HEAD", "CHERRY_PICK_HEAD", "HEAD", "MERGE_HEAD"};

/// Those of them that there are and whose lock can be read, by their names.
std::vector<check::base> sides_of(const fs::path& migrations) {
  std::vector<check::base> result;
  for (const auto* commit : taking_part) {
    try {
      result.push_back(check::read_commit(commit, migrations));
    } catch (const check::base_error&) {
      // Nothing of the kind is under way.
    }
  }
  return result;
}

/// This side: as it lies there, or, when a merge has left its lock in pieces, as the commit has it that is merged.
rebase_side own_side(const text::source& source, const fs::path& migrations, const std::vector<check::base>& sides) {
  if (contract::read_lock(source).diagnostics.empty() || source.content.empty())
    return {read_lock(source), check::hooks_below(migrations)};
  for (const auto& side : sides) {
    if (side.has_lock && side.name != "MERGE_HEAD") return {side.lock, side.hooks.value_or(rebase_side{}.hooks)};
  }
  return {read_lock(source), {}};
}

check::base merged_base(const std::string& onto, const fs::path& migrations) {
  const auto tree = check::open_git_tree(onto, migrations);
  if (!check::is_merged(tree))
    throw failure{exit_code::input_wrong,
                  fmt::format("{0} is not merged here: run `git merge {0}` or `git rebase {0}` first, and merge the "
                              "declaration",
                              onto)};
  auto base = check::read_commit(onto, migrations);
  if (!base.has_lock)
    throw failure{exit_code::input_wrong, fmt::format("{} has no {}: there is nothing to number behind", onto,
                                                      (migrations / "quern.lock").string())};
  return base;
}

/// What somebody may have applied keeps its number.
void refuse_released(const contract::lock& own, const check::base& base) {
  const auto apart = contract::released_apart(own, base.lock);
  if (!apart) return;
  throw failure{exit_code::history_mismatch,
                fmt::format("{0}/{1} is released here, and {3} has {0}/{2} in its place: what is released is never "
                            "numbered anew\n  go on from {3} if no database has {0}/{1} yet: take migrations/ from "
                            "there, and generate again; or run `quern rebase` on the other side",
                            apart->line, apart->own, apart->base, base.name)};
}

/// The migrations of the base that are not here as they are there.
render::migration_texts outdated_in(const fs::path& migrations, const contract::lock& base, const std::string& onto) {
  std::map<std::string, std::string> outdated;
  for (const auto& line : base.lines) {
    for (const auto& [file, checksum] : line.migrations) {
      const auto path = fmt::format("{}/{}", line.name, file);
      const auto present = render::file_system::read(migrations / path);
      if (!present || contract::checksum(*present) != checksum) outdated.emplace(path, checksum);
    }
  }
  render::migration_texts result;
  if (outdated.empty()) return result;
  const auto tree = check::open_git_tree(onto, migrations);
  for (auto& [path, text] : check::read_git_files(tree, [&](const auto& one) { return outdated.contains(one); }))
    result.emplace(path, std::move(text));
  return result;
}

void restore(const fs::path& migrations, const render::migration_texts& outdated, const std::string& onto) {
  for (const auto& [path, text] : outdated) {
    render::file_system::make_directory((migrations / path).parent_path());
    render::file_system::write(migrations / path, text);
    tell(fmt::format("took {} from {}", path, onto));
  }
}

/// What stands there as one of the sides has drafted it, and may be replaced.
std::vector<render::output_file> present_drafts(const fs::path& migrations, const contract::lock& own,
                                                const std::vector<check::base>& sides) {
  auto all = render::drafts_of(own);
  for (const auto& side : sides) {
    const auto more = render::drafts_of(side.lock);
    all.insert(all.end(), more.begin(), more.end());
  }
  std::erase_if(all, [&](const render::output_file& draft) {
    const auto present = render::file_system::read(migrations / draft.path);
    return !present || contract::checksum(*present) != draft.text;
  });
  return all;
}

exit_code run(const rebase_arguments& given) try {
  const declared_project project{given.where};
  const render::output output{project.directories(), render::parts::all, render::output::access::write};
  const auto migrations = project.directories().migrations;
  const auto base = merged_base(given.onto, migrations);
  const auto sides = sides_of(migrations);
  const auto own = own_side(output.read_lock(), migrations, sides);
  refuse_released(own.lock, base);
  const auto outdated = outdated_in(migrations, base.lock, given.onto);
  auto generation = project.generate(contract::onto(own.lock, base.lock), render::parts::all, outdated);
  const auto moves = hook_moves(own, base, generation.lock, migrations, sides);
  restore(migrations, outdated, given.onto);
  generation.drafts_before = present_drafts(migrations, own.lock, sides);
  const auto differences = output.compare(generation);
  refuse_problems(differences.problems);
  const auto changes = all_changes(differences);
  warn_of_edits(changes);
  // Before the lock says that all is done.
  move_hooks(moves, migrations);
  output.write(generation, differences);
  say_changes(changes, true);
  if (changes.empty() && moves.empty()) say("nothing has changed");
  return exit_code::done;

} catch (const std::runtime_error& failed) {
  throw failure{exit_code::input_wrong, failed.what()};
}

}  // namespace

void add_rebase(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<rebase_arguments>();
  const command_line command =
      program.add_command("rebase", "After a merge, number the drafts of this side behind what the other side has");
  command.add_option("--onto", given->onto, "The branch or commit whose migrations stay as they are: origin/main")
      .required();
  add_places(command, given->where);
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
