#pragma once

#include <array>
#include <atomic>
#include <chrono>

namespace quern {

/// Wakes whoever waits on it, all of them, until it is lowered. Threads share one; it must outlive their waits.
class interruption {
 public:
  /// Throws std::system_error when the process has no file descriptor left.
  interruption();
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;
  ~interruption();

  /// From any thread, and from a signal handler.
  void raise() noexcept;

  bool is_raised() const noexcept { return is_raised_.load(std::memory_order_acquire); }

  /// For the next use. Nobody may wait meanwhile.
  void lower() noexcept;

  /// Waits until it is raised.
  void wait() const;

  /// Waits for at most so long. Returns whether it is raised.
  bool wait_for(std::chrono::milliseconds longest) const;

  /// A file descriptor for poll(2): readable while it is raised.
  int readable_end() const noexcept { return ends_[0]; }

 private:
  std::array<int, 2> ends_{-1, -1};
  std::atomic<bool> is_raised_ = false;
  static_assert(std::atomic<bool>::is_always_lock_free);
};

}  // namespace quern
