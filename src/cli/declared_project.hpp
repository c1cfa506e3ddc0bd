#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "cli/command_line.hpp"
#include "contract/lock.hpp"
#include "declaration/model.hpp"
#include "render/artefacts.hpp"
#include "render/generate.hpp"
#include "render/templates.hpp"
#include "text/source.hpp"

/// What the commands that write a project's files have in common. Whatever is wrong with the user's texts is shown, and
/// ends the command with input_wrong.
namespace cli {

/// Where a project has its files.
struct project_places {
  std::filesystem::path file = "quern.toml";
  std::optional<std::filesystem::path> migrations{};
  std::optional<std::filesystem::path> out{};
  std::optional<std::filesystem::path> templates{};
};

/// --file, --migrations, --out and --templates; `where` must outlive the command.
void add_places(const command_line& command, project_places& where);

/// A declaration that was read, with the templates that it is rendered by.
class declared_project {
 public:
  explicit declared_project(const project_places& where);

  const declaration::project& declared() const { return declared_; }
  const render::template_set& templates() const { return templates_; }
  const std::vector<render::template_source>& templates_read() const { return sources_; }
  render::output_directories directories() const;

  /// `restored` are migrations that are not in the directory yet as the lock has them.
  render::generation generate(const contract::lock& lock, render::parts wanted,
                              const render::migration_texts& restored = {}) const;

  /// The migration that retires the oldest contract of a queue, and all that follows from it.
  render::generation retire(const contract::lock& lock, const std::string& queue) const;

 private:
  const project_places& where_;
  text::source source_;
  declaration::project declared_;
  std::vector<render::template_source> sources_;
  render::template_set templates_;
};

contract::lock read_lock(const text::source& source);

/// Fails when something is in the way of writing.
void refuse_problems(const std::vector<render::output_problem>& problems);

/// Migrations, then generated files.
std::vector<render::file_change> all_changes(const render::comparison& differences);

/// A line a file; where there are many, the first ones and how many more.
void say_changes(const std::vector<render::file_change>& changes, bool is_done);

/// Says which of the files that will be written were changed by hand.
void warn_of_edits(const std::vector<render::file_change>& changes);

}  // namespace cli
