#pragma once

#include <string>
#include <vector>

#include "contract/diff.hpp"
#include "render/queue_model.hpp"
#include "render/rendered_queue.hpp"
#include "render/step.hpp"

namespace render {

/// The file's name of what a change of a queue's line to an engine is: `0002_expand_v2`, `0002_engine_2`.
std::string migration_name(const contract::line_change& change, std::size_t number, int engine);

/// Whether nothing but the engine changes.
bool changes_engine_only(const contract::line_change& change);

/// The migration that brings about a change of a queue's line to what was rendered, by its name, without what its
/// engine changes. `before` are the enumerations that the state before knows.
migration_text line_migration(renderer& with, const contract::line_change& change, rendered_queue& after,
                              const std::vector<contract::locked_enumeration>& before, const std::string& name);

/// The migration that drops a queue.
migration_text removal(renderer& with, const sql_project& project, const contract::line_change& change,
                       const std::vector<contract::locked_enumeration>& enumerations, const std::string& name);

/// The guards of that migration alone: they fail where it would.
std::string removal_guards(renderer& with, const sql_project& project, const contract::line_change& change,
                           const std::vector<contract::locked_enumeration>& enumerations);

/// The migration that takes the oldest live contract of a queue away.
migration_text retirement(renderer& with, const sql_project& project, const contract::queue_state& before,
                          const contract::queue_state& after,
                          const std::vector<contract::locked_enumeration>& enumerations, const std::string& name);

}  // namespace render
