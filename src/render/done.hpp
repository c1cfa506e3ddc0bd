#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "render/queue_change.hpp"
#include "render/queue_model.hpp"
#include "render/step.hpp"
#include "render/view.hpp"

/// What `keep_done` needs of SQL: the archive of handled messages.
namespace render {

/// The payload of the row called `alias` as JSON, in the words of the contract that wrote it; null when that is none of
/// the live ones.
std::string archived_payload(const queue_model& model, std::string_view alias);

/// Of sql/queue.
void set_done(view& out, const queue_model& model);

/// The steps that bring the archive, before functions use it, and those that take it away when none does any more.
std::vector<migration_step> steps_before_done(const queue_change& change);
std::vector<migration_step> steps_after_done(const queue_change& change);

}  // namespace render
