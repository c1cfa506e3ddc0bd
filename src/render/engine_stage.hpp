#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "contract/diff.hpp"
#include "render/engine_change.hpp"
#include "render/queue_model.hpp"

/// The part of a migration that brings released objects to the engine of the templates, before anything else of their
/// line changes.
namespace render {

/// The texts of migrations, by their path below migrations/.
using migration_texts = std::map<std::string, std::string, std::less<>>;

/// What the generator has to read of the released migrations: all of those whose lines are of an older engine. What is
/// missing is left out. Throws std::runtime_error with words for the user when the disk fails it.
migration_texts read_history(const std::filesystem::path& migrations, const contract::lock& lock,
                             const template_set& templates);

/// Lines that are brought from an engine to that of the templates.
class engine_stage {
 public:
  /// The lock without its drafts. All must outlive the stage.
  engine_stage(const template_set& templates, const contract::lock& released, const migration_texts& history)
      : templates_{templates}, released_{released}, history_{history} {}

  /// Of a queue as it is released. None when there is nothing to do. Throws engine_refused.
  std::vector<migration_step> steps(renderer& with, const queue_model& released) const;

  /// Of what all queues share.
  std::vector<migration_step> core_steps(renderer& with, const sql_project& project,
                                         const contract::core_change& change) const;

  /// What changed from an engine on, a line for each.
  std::vector<std::string> words(int from) const;

 private:
  sql_objects history_of(const contract::line& line) const;
  std::vector<migration_step> besides(renderer& with, std::string_view about, const view& view, int from,
                                      bool is_after) const;
  std::string used_by_queues() const;

  const template_set& templates_;
  const contract::lock& released_;
  const migration_texts& history_;
};

}  // namespace render
