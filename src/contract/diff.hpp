#pragma once

#include <vector>

#include "contract/lock.hpp"
#include "declaration/model.hpp"
#include "text/diagnostic.hpp"

namespace contract {

/// What the declaration asks for beyond the lock. The pointers lead into the project that was compared.
struct changes {
  bool has_new_core = false;  // nothing was ever generated
  std::vector<const declaration::enumeration*> new_enumerations;
  std::vector<const declaration::queue*> new_queues;
  std::vector<text::diagnostic> diagnostics;  // changes that quern cannot bring about, all of them
};

/// Compares a declaration with the lock. New queues and enumerations are changes; a changed or removed one is refused,
/// at its place in the declaration, because no migration would follow it.
changes compare(const declaration::project& project, const lock& lock);

/// The version under which the queue's contract is known: the newest in the lock, 1 for a new queue.
int version_of(const declaration::queue& queue, const lock& lock);

}  // namespace contract
