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

#include "cli/command.hpp"
#include "cli/difference.hpp"
#include "cli/terminal.hpp"
#include "contract/lock.hpp"
#include "declaration/read.hpp"
#include "render/artefacts.hpp"
#include "render/templates.hpp"
#include "text/diagnostic.hpp"
#include "text/file.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

struct generate_arguments {
  fs::path file = "quern.toml";
  std::optional<fs::path> migrations{};
  std::optional<fs::path> out{};
  std::optional<fs::path> templates{};
  std::optional<fs::path> depfile{};
  std::string only{};
  bool is_check = false;
  bool is_dry_run = false;
};

/// Shows what is wrong with a text of the user, and whether something is.
bool complain_of(const std::vector<text::diagnostic>& diagnostics, const text::source& source) {
  const auto colours = has_colour(stream::error) ? text::colouring::ansi : text::colouring::plain;
  if (!diagnostics.empty()) fmt::print(stderr, "{}", text::spell(diagnostics, source, colours));
  return !diagnostics.empty();
}

/// Something was said already: nothing but the code is left to say.
[[noreturn]] void refuse() {
  throw failure{exit_code::input_wrong};
}

text::source read_declaration(const fs::path& file) {
  auto read = text::read_source(file);
  if (!read.content) {
    complain_of({*read.problem}, {read.name, {}});
    refuse();
  }
  return *std::move(read.content);
}

declaration::project parse(const text::source& source) {
  auto read = declaration::read(source);
  complain_of(read.problems, source);
  if (!read.declared) refuse();
  return *std::move(read.declared);
}

render::template_set check(const std::vector<render::template_source>& sources) {
  auto templates = render::check_templates(sources);
  for (const auto& [source, diagnostics] : templates.problems) complain_of(diagnostics, source);
  if (!templates.problems.empty()) refuse();
  return templates;
}

contract::lock read_lock(const text::source& source) {
  if (source.content.empty()) return {};
  auto read = contract::read_lock(source);
  if (complain_of(read.diagnostics, source)) refuse();
  return std::move(read.value);
}

void refuse_problems(const std::vector<render::output_problem>& problems) {
  if (problems.empty()) return;
  std::string words = "nothing was written";
  bool is_history = false;
  for (const auto& problem : problems) {
    is_history = is_history || problem.is == render::output_problem::kind::history;
    words += "\n" + problem.words;
  }
  throw failure{is_history ? exit_code::history_mismatch : exit_code::input_wrong, words};
}

std::vector<render::file_change> all_changes(const render::comparison& differences) {
  auto changes = differences.migrations;
  changes.insert(changes.end(), differences.generated.begin(), differences.generated.end());
  return changes;
}

std::string_view verb(render::change_kind kind, bool is_done) {
  if (kind == render::change_kind::remove) return is_done ? "removed" : "would remove";
  return is_done ? "wrote" : "would write";
}

/// A line a file; where there are many, the first ones and how many more.
void say_changes(const std::vector<render::file_change>& changes, bool is_done) {
  constexpr std::size_t most = 40;
  for (std::size_t i = 0; i < std::min(changes.size(), most); ++i) {
    say(fmt::format("{} {}", verb(changes[i].kind, is_done), changes[i].file.string()));
  }
  if (changes.size() > most) say(fmt::format("… and {} more", changes.size() - most));
}

void warn_of_edits(const std::vector<render::file_change>& changes) {
  for (const auto& change : changes) {
    if (change.is_edited) tell(fmt::format("{} was changed by hand; that is lost", change.file.string()));
  }
}

exit_code report_check(const render::comparison& differences) {
  const auto changes = all_changes(differences);
  for (const auto& change : changes) say_difference(change);
  if (changes.empty()) return exit_code::done;
  complain(fmt::format("{} {} not what the declaration gives; run `quern generate`", changes.size(),
                       changes.size() == 1 ? "file is" : "files are"));
  return exit_code::input_wrong;
}

/// A name as Make and Ninja read it.
std::string escaped(const fs::path& file) {
  std::string result;
  for (const char c : file.string()) {
    if (c == ' ' || c == '#') result += '\\';
    if (c == '$') result += '$';
    result += c;
  }
  return result;
}

/// The rule's target is the depfile's own name without `.d`: the stamp beside it.
void write_depfile(const generate_arguments& given, const std::vector<render::template_source>& templates,
                   const fs::path& lock) {
  auto target = *given.depfile;
  if (target.extension() == ".d") target.replace_extension();
  std::string text = escaped(target) + ":";
  const auto add = [&](const fs::path& file) { text += fmt::format(" \\\n  {}", escaped(fs::absolute(file))); };
  add(given.file);
  // A rule whose input does not exist is always out of date: without a lock, its directory tells when one comes.
  if (fs::exists(lock)) {
    add(lock);
  } else if (fs::exists(lock.parent_path())) {
    add(lock.parent_path());
  }
  for (const auto& [name, source, file] : templates) {
    if (!file.empty()) add(file);
  }
  render::file_system::write(*given.depfile, text + "\n");
}

render::output_directories directories(const generate_arguments& given) {
  const auto beside = given.file.parent_path();
  return {given.out.value_or(beside / "generated"), given.migrations.value_or(beside / "migrations")};
}

exit_code generate(const generate_arguments& given) {
  const auto wanted = given.only.empty() ? render::parts::all : render::parts::headers;
  const auto access = given.is_check || given.is_dry_run ? render::output::access::read : render::output::access::write;
  const auto source = read_declaration(given.file);
  const auto project = parse(source);
  const auto sources = render::load_templates(given.templates);
  const auto templates = check(sources);

  const auto where = directories(given);
  const render::output output{where, wanted, access};
  const auto lock_source = output.read_lock();
  const auto generation = render::generate(project, read_lock(lock_source), templates, wanted);
  if (complain_of(generation.diagnostics, source)) refuse();
  const auto differences = output.compare(generation);
  refuse_problems(differences.problems);
  if (given.is_check) return report_check(differences);

  const auto changes = all_changes(differences);
  warn_of_edits(changes);
  if (!given.is_dry_run) output.write(generation, differences);
  if (given.depfile) write_depfile(given, sources, lock_source.name);
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

void add_generate(CLI::App& program, exit_code& result) {
  const auto given = std::make_shared<generate_arguments>();
  CLI::App* const command =
      program.add_subcommand("generate", "Write the migrations, SQL definitions and C++ headers of a declaration");
  command->add_option("--file", given->file, "The declaration")->capture_default_str();
  command->add_option("--migrations", given->migrations,
                      "Directory of the migrations and quern.lock (default: migrations, beside the declaration)");
  command->add_option("--out", given->out,
                      "Directory of what can be generated again (default: generated, beside the declaration)");
  command->add_option("--templates", given->templates, "Directory with templates in place of the built-in ones");
  command->add_option("--only", given->only, "headers: what a build needs; no SQL, and migrations are left alone")
      ->check(CLI::IsMember({"headers"}));
  auto* const depfile = command->add_option(
      "--depfile", given->depfile, "Write what was read as a rule of Make or Ninja; its target is FILE without `.d`");
  auto* const check = command->add_flag("--check", given->is_check,
                                        "Write nothing; show what differs and end with 1 if something does");
  auto* const dry_run = command->add_flag("--dry-run", given->is_dry_run, "Write nothing; list what would be written");
  check->excludes(dry_run)->excludes(depfile);
  dry_run->excludes(depfile);
  on_call(*command, result, [given] { return run(*given); });
}

}  // namespace cli
