#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <vector>

#include "quern/shop.hpp"

// What the tests of the worker share.
namespace test {

/// No test waits so long unless something is broken.
inline constexpr std::chrono::milliseconds far_off{20'000};

/// Whether somebody in this database waits to be woken.
inline const std::string somebody_waits =
    "select exists (select from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and granted and database = "
    "(select oid from pg_database where datname = current_database()))";

inline std::vector<shop::email> mails(std::int64_t count) {
  std::vector<shop::email> made;
  for (std::int64_t i = 1; i <= count; ++i) made.push_back(mail(i));
  return made;
}

/// Returns when a stop is requested; false when none ever is.
inline bool waits_for(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait_for(lock, stop, far_off, [] { return false; });
  return stop.stop_requested();
}

/// A number that threads count up and wait for.
class tally {
 public:
  void add() {
    const std::lock_guard lock{mutex_};
    ++count_;
    changed_.notify_all();
  }

  bool reaches(int count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, far_off, [&] { return count_ >= count; });
  }

  int count() const {
    const std::lock_guard lock{mutex_};
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

}  // namespace test
