#pragma once

#include <optional>
#include <string>
#include <vector>

#include "contract/lock.hpp"
#include "render/queue_model.hpp"
#include "render/renderer.hpp"
#include "render/step.hpp"
#include "render/view.hpp"

namespace render {

/// Sets what sql/core says of schedules.
void set_schedules(view& out, const sql_project& project, const std::vector<contract::locked_schedule>& schedules);

/// The roles that may make them fire: those that operate one of their queues. Sorted.
std::vector<std::string> schedulers_of(const std::vector<contract::locked_schedule>& schedules);

/// What takes the job of pg_cron away that makes some of them fire; empty when there is none.
std::string end_of_job(renderer& with, const sql_project& project, const std::vector<contract::locked_schedule>& all);

/// What brings a database from the one to the others, and back; nothing when they are the same.
std::optional<migration_step> schedule_step(renderer& with, const sql_project& project,
                                            const std::vector<contract::locked_schedule>& before,
                                            const std::vector<contract::locked_schedule>& after);

}  // namespace render
