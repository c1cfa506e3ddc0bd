#pragma once

#include <string>
#include <vector>

#include "contract/lock.hpp"
#include "contract/queue_names.hpp"
#include "declaration/model.hpp"
#include "text/diagnostic.hpp"

namespace contract {

/// What a migration has to bring about in the line of a queue.
struct line_change {
  std::string line;                              // which keeps the first name of its queue
  const declaration::queue* declared = nullptr;  // null when the queue is dropped
  queue_state before;                            // without contracts when the queue is new
  queue_state after;
  bool discards_messages = false;  // of a dropped queue
  std::vector<std::string> words;  // for people: `adds the field "note"`
  int engine = first_engine;       // that the objects before are of
};

/// What a migration has to bring about in the shared objects.
struct core_change {
  bool is_new = false;  // nothing was ever generated
  std::vector<locked_enumeration> enumerations_before;
  std::vector<locked_enumeration> enumerations;  // by name; none ever goes, because contracts that are read may use it
  std::vector<std::string> words;                // empty when nothing changes
  std::vector<std::string> added;                // names of queues and enumerations that are new
  std::vector<queue_doors> queues_before;        // that the objects before know, in the order of the declaration
  std::vector<queue_doors> streams_before;       // as well
  int engine = first_engine;                     // that the objects before are of
  std::vector<locked_schedule> schedules_before{};
  std::vector<locked_schedule> schedules{};  // by name
};

/// What the declaration asks for beyond what is released. The pointers lead into the project that was compared.
struct changes {
  lock released;  // what was compared with: the lock without its drafts
  int engine = first_engine;
  core_change core;
  std::vector<std::string> queue_lines;       // of each queue of the project
  std::vector<line_change> lines;             // in the order of the declaration, the dropped ones last
  std::vector<text::diagnostic> diagnostics;  // what cannot be brought about, all of it
};

/// Compares a declaration with what is released of a lock. What would hurt programs that run is a diagnostic, at its
/// place in the declaration, with the ways out of it. Lines whose objects are of an older engine than that given change
/// as well; those of a newer one are a diagnostic.
changes compare(const declaration::project& project, const lock& lock, int engine = first_engine);

}  // namespace contract
