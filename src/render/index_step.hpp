#pragma once

#include "render/queue_model.hpp"
#include "render/step.hpp"
#include "render/table_shape.hpp"

namespace render {

/// Builds an index of one of the queue's tables while everybody works, outside of a transaction. A build that was
/// killed leaves an INVALID index, which is never taken for done: it is dropped before the next attempt.
migration_step index_building(const queue_model& model, const table_index& index);

/// Drops an index while everybody works. Nothing may need it any more, not even functions as they were.
migration_step index_removal(const queue_model& model, const table_index& index);

}  // namespace render
