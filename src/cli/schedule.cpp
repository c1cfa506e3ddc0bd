// quern schedule: makes schedules fire. What is due, and that it fires once, the database decides: this only asks.

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <memory>
#include <quern/reconnect.hpp>
#include <quern/socket.hpp>
#include <quern/sqlstate.hpp>

#include "cli/command.hpp"
#include "cli/operated.hpp"
#include "cli/schedule_runs.hpp"
#include "cli/terminal.hpp"
#include "cli/work_signals.hpp"

namespace cli {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// The clock of the server may be moved, and a migration be missed while the connection is lost.
constexpr milliseconds longest_wait = 60s;

/// A scheduler waits for its server for as long as it takes.
constexpr quern::reconnect_options for_ever{.limit = std::chrono::hours{24 * 3650}};

struct schedule_arguments {
  operated_place place{};
  bool is_once = false;
  bool is_list = false;
  bool is_json = false;
};

failure no_schedules(const operated_schema& in) {
  return {exit_code::input_wrong,
          fmt::format("the database has no schedules in schema {}: declare [schedules.<name>], `quern generate` and "
                      "`quern migrate`",
                      in.name)};
}

/// How long until something is due.
milliseconds wait_after(const std::vector<schedule_run>& runs) {
  milliseconds result = longest_wait;
  for (const schedule_run& one : runs)
    if (one.wait) result = std::min(result, *one.wait);
  return std::max(result, 0ms);
}

class schedule_loop {
 public:
  schedule_loop(operated_schema in, bool is_json) : in_{std::move(in)}, is_json_{is_json} {}

  /// Until a request to stop.
  void run() {
    while (signals_.stops() == 0) wait(step());
  }

 private:
  milliseconds step() try {
    begin();
    const auto runs = run_schedules(in_);
    is_missing_ = false;
    say_runs(runs, is_json_);
    return wait_after(runs);

  } catch (const quern::error& why) {
    if (why.connection_lost()) return lose(why);
    if (why.sqlstate() == quern::sqlstate::undefined_function) return miss();
    if (!why.is_retryable() && why.sqlstate() != quern::sqlstate::lock_not_available) throw;
    tell(fmt::format("{}; trying again", why.message()));
    return 1s;
  }

  void begin() {
    if (is_listening_) return;
    if (is_lost_) {
      quern::reopen_for_writing(in_.db);
      is_lost_ = false;
      backoff_.reset();
      tell("connected again");
    }
    in_.db.listen(schedule_channel(in_));
    // Whoever has a schedule in hand is waited for, but not without an ear for signals.
    in_.db.execute("set lock_timeout = '5s'");
    is_listening_ = true;
  }

  milliseconds lose(const quern::error& why) {
    if (!is_lost_) tell(fmt::format("{}; trying again", why.message().substr(0, why.message().find('\n'))));
    is_lost_ = true;
    is_listening_ = false;
    return backoff_.next().value_or(longest_wait);
  }

  /// They went with a migration, and may come again with one.
  milliseconds miss() {
    if (!is_missing_) tell("there are no schedules any more; waiting for some");
    is_missing_ = true;
    return longest_wait;
  }

  void wait(milliseconds limit) {
    std::array<pollfd, 2> waited{{{signals_.file(), POLLIN, 0}, {-1, POLLIN, 0}}};
    if (!is_lost_) waited[1].fd = quern::socket_of(in_.db);
    if (poll(waited.data(), waited.size(), static_cast<int>(limit.count())) <= 0 || waited[1].revents == 0) return;
    try {
      while (in_.db.wait_for_notification(std::chrono::steady_clock::now())) continue;
    } catch (const quern::error& why) {
      lose(why);
    }
  }

  operated_schema in_;
  bool is_json_;
  work_signals signals_{};
  quern::backoff backoff_{for_ever};
  bool is_listening_ = false;
  bool is_lost_ = false;
  bool is_missing_ = false;
};

/// All that is due now: what was missed comes in portions.
exit_code run_once(operated_schema& in, bool is_json) {
  while (true) {
    const auto runs = run_schedules(in);
    say_runs(runs, is_json);
    if (std::ranges::any_of(runs, [](const schedule_run& one) { return one.error.has_value(); }))
      return exit_code::refused;
    if (wait_after(runs) > 0ms) return exit_code::done;
  }
}

exit_code run(const schedule_arguments& given) {
  operated_schema in = open_schema(given.place, "quern schedule");
  try {
    if (given.is_list) {
      say_schedules(in, given.is_json);
      return exit_code::done;
    }
    if (given.is_once) return run_once(in, given.is_json);
    const auto first = run_schedules(in);
    say_runs(first, given.is_json);
  } catch (const quern::error& why) {
    if (why.sqlstate() != quern::sqlstate::undefined_function) throw;
    throw no_schedules(in);
  }
  schedule_loop{std::move(in), given.is_json}.run();
  return exit_code::done;
}

}  // namespace

void add_schedule(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<schedule_arguments>();
  const command_line command = program.add_command(
      "schedule",
      "Make schedules fire, each time once, however many of these run. SIGTERM and SIGINT end it between two times");
  const command_option once = command.add_flag("--once", given->is_once, "Fire what is due, and end: for cron and CI");
  command.add_flag("--list", given->is_list, "Show the schedules with their last and next times, and end")
      .excludes(once);
  command.add_flag("--json", given->is_json, "One line of JSON for each time that fires; with --list all as JSON");
  add_operated(command, given->place);
  on_operation(command, result, [given] { return run(*given); });
}

}  // namespace cli
