#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <quern/consumer.hpp>
#include <quern/error.hpp>
#include <quern/interruption.hpp>
#include <quern/worker_options.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quern {

/// What the threads of a worker share: its options, how it is told to stop, its hooks and its counters. Part of worker.
class worker_state {
 public:
  /// Throws std::invalid_argument for options out of range.
  worker_state(worker_options options, std::string_view queue, std::string_view consumer);

  const worker_options& options() const noexcept { return options_; }

  /// Until it ends, a stop request reaches all threads.
  class run {
   public:
    run(worker_state& of, const std::stop_token& stop);
    run(const run&) = delete;
    run& operator=(const run&) = delete;
    ~run();

    /// What worker::run() returns.
    stop_reason reason() const;

   private:
    struct raise {
      interruption* stop;
      void operator()() const noexcept { stop->raise(); }
    };

    worker_state* of_;
    std::stop_callback<raise> forward_;
    mutable bool is_interrupted_ = false;
  };

  /// From any thread, and from a signal handler.
  void interrupt() noexcept;

  bool is_interrupted() const noexcept { return is_interrupted_; }

  worker_status status() const noexcept { return status_.load(); }

  const interruption& stop() const noexcept { return stop_; }

  /// Makes all threads stop because one of them cannot go on.
  void stop_all() noexcept { stop_.raise(); }

  worker_counters counters() const noexcept;

  /// In this run. What it has thrown ends run(), be it a lost connection of its own.
  bool has_hook_thrown() const noexcept { return has_hook_thrown_; }

  void note_claimed(std::size_t count);
  void note_handled(std::size_t count, std::chrono::steady_clock::duration time);
  void note_acknowledged(std::size_t count);
  void note_released(std::size_t count);
  void note_failed(std::int64_t id, std::int32_t attempt, std::string_view error, nack_outcome outcome);
  void note_lost(std::int64_t id);
  void note_batch();
  void note_failure(const error& failure);
  void note_reconnected();
  void note_extended();

  using values = std::vector<std::pair<std::string_view, log_record::value>>;

  void log(std::string_view event, values what = {});

 private:
  worker_state& ready() noexcept;

  template <class Hook, class... Arguments>
  void tell(const Hook& hook, const Arguments&... what);

  using counter = std::atomic<std::uint64_t>;

  worker_options options_;
  std::string_view queue_;
  std::string consumer_;
  interruption stop_;
  std::atomic<bool> is_interrupted_ = false;
  std::atomic<bool> has_hook_thrown_ = false;
  std::atomic<worker_status> status_ = worker_status::ready;
  std::mutex hooks_;
  counter claimed_ = 0, handled_ = 0, acknowledged_ = 0, failed_ = 0, dead_ = 0, lost_ = 0, released_ = 0,
          extended_ = 0, reconnected_ = 0, handler_time_ = 0;
};

}  // namespace quern
