#pragma once

#include <string>
#include <vector>

#include "render/queue_model.hpp"

namespace render {

/// What makes the declared consumers of a stream others: who is new subscribes where the declaration says, who is gone
/// is forgotten, who works in another way is told so. Empty when they stay as they are.
std::string subscriptions(const queue_model& before, const queue_model& now);

/// For each declared consumer that has another order than before, or another policy about dead letters: gives the
/// events that stand aside the keys by which functions look for them that come in the same transaction.
std::vector<std::string> reorderings(const queue_model& before, const queue_model& now);

}  // namespace render
