#pragma once

#include <chrono>
#include <functional>
#include <quern/connection.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/attempt.hpp"
#include "migrate/blockers.hpp"
#include "migrate/error.hpp"
#include "migrate/job.hpp"

namespace migrate {

/// Which database is changed, how patiently, and who is told.
struct workplace {
  std::string database{};
  std::string schema{};
  std::string program = "quern migrate";  // that is at work, and that goes on after a loss
  std::chrono::milliseconds patience{};   // for another runner, and again for each job's locks
  std::function<void(std::string_view)> progress = [](std::string_view) {};
  std::function<void(std::string_view)> under_way = [](std::string_view) {};
};

/// A session that only looks.
quern::connection connect(const workplace& at);

/// Throws the migrate::error that stands for what failed outside of the steps' own SQL.
[[noreturn]] void rethrow(const quern::error& failed);

/// Two sessions under the runner's two locks: the guard is idle and looks around, the other one changes things. Neither
/// holds a snapshot longer than a query takes. `at` must outlive it.
class workbench {
 public:
  /// Connects and takes the locks. Throws error when the patience ends, quern::error when there is no connection.
  explicit workbench(const workplace& at);

  quern::connection& guard() { return guard_; }

  quern::connection& work() { return work_; }

  int working_pid() const { return work_.backend_pid(); }

  /// Makes or upgrades the ledger where that is necessary.
  void make_ledger();

  /// Does a job, again and again while what it needs is locked by others; returns how long the last try took. Throws
  /// error.
  std::chrono::milliseconds run(const job& one, onlookers watching = {});

 private:
  void watch_for_our_end();
  void look_around(const job& one, std::chrono::steady_clock::time_point start);
  void look_for_blockers(const job& one);
  void tell_how_far(const job& one, std::chrono::steady_clock::time_point start);
  [[noreturn]] void refuse(const job& one, const setback& failed) const;
  [[noreturn]] void give_up(const job& one, const setback& failed) const;

  const workplace& at_;
  quern::connection guard_;
  quern::connection work_;
  std::vector<blocker> blockers_{};  // of the job, as last seen
  std::chrono::steady_clock::time_point told_at_{};
};

}  // namespace migrate
