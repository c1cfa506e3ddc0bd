#pragma once

#include <string>

#include "declaration/model.hpp"
#include "render/queue_change.hpp"

namespace render {

/// Takes from the roles that lose something between these grants of a queue what all queues and streams share, as far
/// as nothing else in the database gives it to them; empty when no role loses anything.
std::string revoke_shared(const step_parts& parts, const declaration::role_grants& before,
                          const declaration::role_grants& now);

/// Drops all of a queue, with what its roles had for its sake.
std::string drop_line(const step_parts& parts);

}  // namespace render
