#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "row.hpp"

namespace bench {

/// How long and how much.
struct effort {
  int rounds = 15;
  std::chrono::duration<double> time{0.4};  // of a side in a round
  std::int64_t bulk_count = 200'000;
  std::int64_t depth = 10'000'000;
  std::int64_t drained = 10'000;  // the messages of a short queue
  int drains = 3;                 // of those in a round
  std::vector<int> queue_counts{10, 1'000, 10'000};
  int generate_rounds = 3;
  int migrated_queues = 1'000;
  std::int64_t stream_depth = 10'000'000;
  std::chrono::duration<double> pinned{60};  // how long one works before it is measured under a pinned horizon
  int latencies = 2'000;
  std::int64_t crowd = 100'000;  // messages that are delayed, and that are leased, beside the ready ones
};

/// What the rows are measured on.
struct scene {
  std::string url;                  // a database with the queues of bench/quern.toml
  std::filesystem::path program;    // quern
  std::filesystem::path directory;  // for files of a row's own
  effort how;
};

/// The exit code and the seconds of one run of the program quern; its output where it has failed.
struct program_run {
  int exit_code = 0;
  double seconds = 0;
  std::string output{};
};

program_run run_quern(const scene& where, const std::vector<std::string>& arguments);

/// As run_quern(); throws std::runtime_error with the output unless the exit code is `expected`.
double quern_seconds(const scene& where, const std::vector<std::string>& arguments, int expected = 0);

// The groups of rows, each in a file of its name.
std::vector<row> enqueue_rows(const scene& where);
std::vector<row> bulk_rows(const scene& where);
std::vector<row> claim_rows(const scene& where);
std::vector<row> depth_rows(const scene& where);
std::vector<row> priority_rows(const scene& where);
std::vector<row> unique_rows(const scene& where);
std::vector<row> queue_log_rows(const scene& where);
std::vector<row> queue_by_hand_rows(const scene& where);
std::vector<row> queue_ordered_rows(const scene& where);
std::vector<row> queue_crowded_rows(const scene& where);
std::vector<row> queue_pinned_rows(const scene& where);
std::vector<row> queue_wake_up_rows(const scene& where);
std::vector<row> queue_latency_rows(const scene& where);
std::vector<row> stream_publish_rows(const scene& where);
std::vector<row> stream_bulk_rows(const scene& where);
std::vector<row> stream_read_rows(const scene& where);
std::vector<row> stream_depth_rows(const scene& where);
std::vector<row> stream_consumers_rows(const scene& where);
std::vector<row> stream_pinned_rows(const scene& where);
std::vector<row> stream_cooperative_rows(const scene& where);
std::vector<row> stream_latency_rows(const scene& where);
std::vector<row> generate_rows(const scene& where);
std::vector<row> migrate_rows(const scene& where);

}  // namespace bench
