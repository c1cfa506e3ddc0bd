// quern rebase: after a merge, numbers the drafts of one side behind what the other side has.

#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include "check/base.hpp"
#include "check/git.hpp"
#include "cli/command.hpp"
#include "cli/declared_project.hpp"
#include "cli/terminal.hpp"
#include "contract/sha256.hpp"
#include "render/file_system.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

struct rebase_arguments {
  project_places where{};
  std::string onto{};
};

/// The lock of this side: as it lies there, or, when a merge has left it in pieces, of the commit that is merged.
contract::lock own_lock(const text::source& source, const fs::path& migrations) {
  if (source.content.empty()) return {};
  if (auto read = contract::read_lock(source); read.diagnostics.empty()) return std::move(read.value);
  for (const auto* commit : {"REBASE_HEAD", "CHERRY_PICK_HEAD", "HEAD"}) {
    try {
      auto read = contract::read_lock(check::read_base(commit, migrations).lock_source);
      if (read.diagnostics.empty()) return std::move(read.value);
    } catch (const check::base_error&) {
      // There is no such commit: nothing of the kind is under way.
    }
  }
  return read_lock(source);
}

/// Gives the migrations of the base the text that they have there.
void restore(const fs::path& migrations, const contract::lock& base, const std::string& onto) {
  std::map<std::string, std::string> outdated;
  for (const auto& line : base.lines) {
    for (const auto& [file, checksum] : line.migrations) {
      const auto path = fmt::format("{}/{}", line.name, file);
      const auto present = render::file_system::read(migrations / path);
      if (!present || contract::checksum(*present) != checksum) outdated.emplace(path, checksum);
    }
  }
  if (outdated.empty()) return;
  const auto tree = check::open_git_tree(onto, migrations);
  for (const auto& [path, text] :
       check::read_git_files(tree, [&](const auto& one) { return outdated.contains(one); })) {
    render::file_system::make_directory((migrations / path).parent_path());
    render::file_system::write(migrations / path, text);
    tell(fmt::format("took {} from {}", path, onto));
  }
}

exit_code run(const rebase_arguments& given) try {
  const declared_project project{given.where};
  const render::output output{project.directories(), render::parts::all, render::output::access::write};
  const auto migrations = project.directories().migrations;
  const auto own = own_lock(output.read_lock(), migrations);
  const auto base = check::read_base(given.onto, migrations);
  const auto released = contract::onto(own, base.lock);
  auto generation = project.generate(released, render::parts::all);
  restore(migrations, base.lock, given.onto);
  // What the base has under the name of a draft is not the draft any more.
  for (const auto& draft : render::drafts_of(own)) {
    const auto present = render::file_system::read(migrations / draft.path);
    if (present && contract::checksum(*present) == draft.text) generation.drafts_before.push_back(draft);
  }
  const auto differences = output.compare(generation);
  refuse_problems(differences.problems);
  const auto changes = all_changes(differences);
  warn_of_edits(changes);
  output.write(generation, differences);
  say_changes(changes, true);
  if (changes.empty()) say("nothing has changed");
  return exit_code::done;

} catch (const std::runtime_error& failed) {
  throw failure{exit_code::input_wrong, failed.what()};
}

}  // namespace

void add_rebase(CLI::App& program, exit_code& result) {
  const auto given = std::make_shared<rebase_arguments>();
  CLI::App* const command =
      program.add_subcommand("rebase", "After a merge, number the drafts of this side behind what the other side has");
  command->add_option("--onto", given->onto, "The branch or commit whose migrations stay as they are: origin/main")
      ->required();
  add_places(*command, given->where);
  on_call(*command, result, [given] { return run(*given); });
}

}  // namespace cli
