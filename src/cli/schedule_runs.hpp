#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/operated.hpp"

namespace cli {

/// A time of a schedule that fired, or could not; without `due_at` nothing was due.
struct schedule_run {
  std::string schedule;
  std::optional<std::string> due_at;  // 2026-11-22T08:00:00Z, as the others
  std::optional<std::int64_t> message_id;
  std::optional<std::string> error;
  std::optional<std::string> next_due_at;
  std::optional<std::chrono::milliseconds> wait;  // until then, by the clock of the server
};

/// Fires what is due. Throws quern::error.
std::vector<schedule_run> run_schedules(operated_schema& in);

/// One line on standard output for each time that fired; what failed goes to standard error, or as JSON there too.
void say_runs(const std::vector<schedule_run>& runs, bool is_json);

/// The schedules, with their last and next times.
void say_schedules(operated_schema& in, bool is_json);

/// Where migrations tell that schedules have changed: `shop.quern_schedule`.
std::string schedule_channel(const operated_schema& in);

}  // namespace cli
