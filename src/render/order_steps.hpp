#pragma once

#include <vector>

#include "render/queue_change.hpp"
#include "render/renderer.hpp"

/// The steps with which a queue becomes ordered, or ceases to be. The indexes are not among them.
namespace render {

/// What ordered claims need, before the functions are replaced; and what has to be done behind their backs when the
/// replacement is taken back.
std::vector<migration_step> steps_before_order(queue_change& change, renderer& with);

/// What is left to do when everybody claims by the new functions.
std::vector<migration_step> steps_after_order(queue_change& change, renderer& with);

}  // namespace render
