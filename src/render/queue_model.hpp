#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "contract/lock.hpp"
#include "contract/storage.hpp"
#include "declaration/model.hpp"

namespace render {

/// One live contract of a queue.
struct queue_version {
  const contract::payload_contract* contract = nullptr;
  declaration::queue queue;  // with the payload of this contract
  std::string fingerprint;
};

/// A queue as it is spelled: everything in it follows from the state, which must outlive it.
struct queue_model {
  std::string project;
  std::string schema;
  std::string line;  // the first name of the queue, which its tables keep
  const contract::queue_state* state = nullptr;
  const std::vector<contract::locked_enumeration>* enumerations = nullptr;
  std::vector<queue_version> versions;  // the live ones, oldest first; at least one
  std::vector<contract::stored_column> columns;
  std::vector<std::string> names;  // of the live contracts: the present one last
  int priorities = 0;              // that messages of live contracts may have; 0: none
  std::string priority{};          // the column that holds them
  bool has_headers = false;        // of messages of some live contract

  const queue_version& newest() const { return versions.back(); }
  const queue_version& oldest() const { return versions.front(); }
  /// What the queue is called now.
  const std::string& name() const { return newest().queue.name; }
  /// All but the first, 0.
  std::vector<int> later_priorities() const;
  bool is_stream() const { return newest().queue.stream.has_value(); }
  /// Whether it is a queue whose messages are kept in a log.
  bool is_log() const { return newest().queue.is_log; }
  /// Since it was due, in microseconds; nothing: messages wait as long as it takes.
  const std::optional<std::int64_t>& expires() const { return newest().queue.expires; }
  bool has_dead_letter() const { return newest().queue.dead_letter; }
  /// Whether handled messages are kept, with their results.
  bool has_done() const { return newest().queue.keep_done.has_value(); }
};

/// A project as its SQL knows it.
struct sql_project {
  std::string name;
  std::string schema;
};

queue_model model_of(const sql_project& project, const std::string& line, const contract::queue_state& state,
                     const std::vector<contract::locked_enumeration>& enumerations);

}  // namespace render
