#pragma once

#include <vector>

#include "render/queue_change.hpp"
#include "render/renderer.hpp"

/// The steps with which `concurrency` and `rate` begin to hold, or cease to. Other numbers need none: they stand in
/// functions.
namespace render {

/// What limited claims need, before the functions are replaced.
std::vector<migration_step> steps_before_limits(queue_change& change, renderer& with);

/// What is left to do when everybody claims by the new functions.
std::vector<migration_step> steps_after_limits(queue_change& change, renderer& with);

}  // namespace render
