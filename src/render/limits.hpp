#pragma once

#include "render/queue_model.hpp"
#include "render/view.hpp"

/// What `concurrency` and `rate` need of SQL.
namespace render {

/// Whether only so many messages are in work at once, only so many are handed out in a time, or one of the two.
bool has_places(const queue_model& model);
bool has_rate(const queue_model& model);
bool has_limits(const queue_model& model);

/// Whether of the messages with the same key only so many are in work at once. The queue is spelled as an ordered one.
bool has_key_limit(const queue_model& model);

/// Of sql/queue.
void set_limits(view& out, const queue_model& model);

/// Of sql/version.
void set_limits_for_version(view& out, const queue_model& model);

/// Of sql/change.
void set_limits_for_change(view& out, const queue_model& model);

}  // namespace render
