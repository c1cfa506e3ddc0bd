#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/operated.hpp"

/// What queues, streams and consumers say of themselves, read for `quern stats`.
namespace cli {

/// What is declared, and how far it is used.
struct queue_limits {
  std::optional<int> concurrency{};
  std::optional<int> in_work{};
  std::optional<std::int64_t> rate_count{};
  std::optional<double> rate_per{};  // seconds
  std::optional<std::int64_t> rate_burst{};
  double open_in = 0;  // seconds; 0: another message may be handed out now
};

struct queue_stats {
  std::int64_t ready = 0;
  std::int64_t delayed = 0;
  std::int64_t leased = 0;
  std::int64_t dead = 0;
  std::optional<double> oldest_age{};  // seconds
  bool is_paused = false;
  std::optional<std::int64_t> blocked{};  // keys; nothing where none can be
  std::optional<queue_limits> limits{};
};

struct consumer_stats {
  std::string name;
  std::int64_t up_to = 0;
  std::int64_t behind = 0;
  std::optional<double> oldest_age{};
  std::optional<double> moved_age{};
  std::int64_t claims = 0;
  std::int64_t retries = 0;
  std::int64_t dead = 0;
};

struct stream_stats {
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  std::int64_t unsealed = 0;
  std::int64_t segments = 0;
  std::int64_t bytes = 0;
  std::vector<consumer_stats> consumers{};
};

/// Who works on a queue, or on a consumer of a stream.
struct worker_counts {
  std::int64_t alive = 0;
  std::int64_t dead = 0;
};

/// By queue, or by stream and consumer.
using all_workers = std::map<std::pair<std::string, std::string>, worker_counts>;

/// What one of them says, or why it says nothing.
struct entry {
  operated_queue of;
  std::optional<queue_stats> queue{};
  std::optional<stream_stats> stream{};
  std::string problem{};
  exit_code code = exit_code::done;  // which tells of the problem
};

/// The transaction that keeps dead rows from being cleared away for the longest time.
struct held_back {
  int pid = 0;
  double age = 0;
  std::string program{};
};

struct survey {
  std::vector<entry> entries{};
  std::size_t hidden = 0;  // which this role may not operate
  std::optional<held_back> oldest{};
  std::optional<all_workers> workers{};  // nothing where this role may not know
};

/// Of these names, or of all. What one of them refuses to say is its problem alone.
survey look(operated_schema& in, const std::vector<std::string>& names);

}  // namespace cli
