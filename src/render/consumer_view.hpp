#pragma once

#include <string>

#include "declaration/model.hpp"
#include "render/queue_model.hpp"
#include "render/view.hpp"

/// The declared consumers of a stream, as templates say it.
namespace render {

/// How a cooperative consumer works, as `_share` takes it: `interval '1 minute', 5, 'exponential', …`.
std::string cooperation(const declaration::stream_consumer& consumer);

/// Who they are, what their filters say of the row `p_event`, and by which keys they are ordered.
void set_consumers(view& out, const queue_model& model);

}  // namespace render
