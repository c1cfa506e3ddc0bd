#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "contract/lock.hpp"
#include "declaration/model.hpp"
#include "declaration/name_registry.hpp"
#include "text/diagnostic.hpp"

/// A line keeps the name that its queue had first; the queue's present one is that of its newest contract. A name
/// belongs to one line for ever, also when the queue has another one by now or was dropped: its migrations are played
/// again on every new database, and would make what the other one has.
namespace contract {

/// `queue` or `stream`.
std::string_view kind_of(const declaration::queue& queue);
std::string_view kind_of(const queue_state& state);

/// `queue "email"`, `stream "activity"`.
std::string title_of(const declaration::queue& queue);

/// What the queue of a line is called now; the line itself when it has no contract.
const std::string& queue_name(const line& line);

/// Under which names programs may speak to the queue: of its live contracts, the present one last.
std::vector<std::string> live_names(const queue_state& state);

/// Every name that the queue had, the present one first, then the others from the newest to the oldest.
std::vector<std::string> all_names(const queue_state& state);

/// Under which names untyped programs speak to a queue.
struct queue_doors {
  std::string line;
  std::vector<std::string> names;  // the present one first, then those that it had; none when it was dropped
};

/// Those of a line in a state.
queue_doors doors_of(const std::string& line, const queue_state& state);

/// The line of the queue that is called so now and was not dropped, or null.
const line* find_queue(const lock& lock, std::string_view name);

/// The line that the name belongs to, or null.
const line* find_owner(const lock& lock, std::string_view name);

/// The line of a declared queue.
struct queue_place {
  std::string line;
  const contract::line* known = nullptr;  // null when the line is new
  bool is_refused = false;                // there is a problem with its name
};

struct queue_places {
  std::vector<queue_place> of;         // each queue of the project
  std::vector<std::string> mentioned;  // lines that a problem is about
  std::vector<text::diagnostic> problems;
};

/// Finds the lines of all queues in what is released, following what the declaration says of renames.
queue_places place_queues(const declaration::project& project, const lock& released);

/// The names that a queue of the project keeps besides its present one: of its objects, and of the contracts of
/// `after`.
std::vector<declaration::former_name> former_names(const declaration::queue& queue, std::string_view line,
                                                   const queue_state& after);

}  // namespace contract
