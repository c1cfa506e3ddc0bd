#include "cli/declared_project.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "cli/command.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal.hpp"
#include "declaration/read.hpp"
#include "text/diagnostic.hpp"
#include "text/file.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

/// Shows what is wrong with a text of the user, and whether something is.
bool complain_of(const std::vector<text::diagnostic>& diagnostics, const text::source& source) {
  const auto colours = has_colour(stream::error) ? text::colouring::ansi : text::colouring::plain;
  if (!diagnostics.empty()) write_error(text::spell(diagnostics, source, colours));
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

std::string_view verb(render::change_kind kind, bool is_done) {
  if (kind == render::change_kind::remove) return is_done ? "removed" : "would remove";
  return is_done ? "wrote" : "would write";
}

}  // namespace

void add_places(const command_line& command, project_places& where) {
  command.add_option("--file", where.file, "The declaration").shows_default();
  command.add_option("--migrations", where.migrations,
                     "Directory of the migrations and quern.lock (default: migrations, beside the declaration)");
  command.add_option("--out", where.out,
                     "Directory of what can be generated again (default: generated, beside the declaration)");
  command.add_option("--templates", where.templates, "Directory with templates in place of the built-in ones");
}

declared_project::declared_project(const project_places& where)
    : where_{where},
      source_{read_declaration(where.file)},
      declared_{parse(source_)},
      sources_{render::load_templates(where.templates)},
      templates_{check(sources_)} {}

render::output_directories declared_project::directories() const {
  const auto beside = where_.file.parent_path();
  return {where_.out.value_or(beside / "generated"), where_.migrations.value_or(beside / "migrations")};
}

render::generation declared_project::generate(const contract::lock& lock, render::parts wanted,
                                              const render::migration_texts& restored) const {
  render::migration_texts history;
  if (wanted == render::parts::all) history = render::read_history(directories().migrations, lock, templates_);
  for (const auto& [path, text] : restored) history.insert_or_assign(path, text);
  auto generation = render::generate(declared_, lock, templates_, wanted, history);
  if (complain_of(generation.diagnostics, source_)) refuse();
  return generation;
}

render::generation declared_project::retire(const contract::lock& lock, const std::string& queue) const {
  auto generation = render::retire(declared_, lock, templates_, queue,
                                   render::read_history(directories().migrations, lock, templates_));
  if (complain_of(generation.diagnostics, source_)) refuse();
  return generation;
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

}  // namespace cli
