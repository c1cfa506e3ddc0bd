#pragma once

#include <string>
#include <vector>

#include "contract/diff.hpp"
#include "render/queue_model.hpp"
#include "render/step.hpp"
#include "render/views.hpp"

namespace render {

/// The step that replaces the untyped doors.
inline constexpr const char* doors_step = "doors";

/// The name of the migration: `core/0002_add_webhooks`.
std::string core_migration_name(const contract::core_change& change, std::size_t number, int engine);

/// The migration of the shared objects; `queues` are those behind the untyped doors afterwards. The core only grows,
/// because an empty database gets all of it before any queue.
migration_text core_migration(renderer& with, const sql_project& project, const contract::core_change& change,
                              const line_names& lines, const std::string& name);

}  // namespace render
