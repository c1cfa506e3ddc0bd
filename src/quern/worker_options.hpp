#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <quern/consumer.hpp>
#include <quern/error.hpp>
#include <quern/reconnect.hpp>
#include <quern/worker_log.hpp>
#include <string_view>

namespace quern {

/// Why worker::run() returned.
enum class stop_reason {
  requested,   // by the stop token
  empty,       // nothing could be claimed (worker_options::until_empty)
  interrupted  // by worker::interrupt()
};

/// What a worker is about.
enum class worker_status {
  ready,        // it has not been run yet
  polling,      // run() is under way
  interrupted,  // interrupt() was called, and run() has not returned yet
  suspended,    // run() has returned because of that; the next one goes on
  stopped       // run() has returned for another reason
};

/// "ready", "polling", "interrupted", "suspended" or "stopped".
std::string_view to_text(worker_status status) noexcept;

/// What a worker has done since it was made. `claimed` = handled + failed + released + in hand + claims that were lost
/// before they were handled.
struct worker_counters {
  std::uint64_t claimed = 0;
  std::uint64_t handled = 0;       // by a handler that returned
  std::uint64_t acknowledged = 0;  // of these
  std::uint64_t failed = 0;        // by a handler that threw, or unreadable
  std::uint64_t dead = 0;          // of these, without further attempts
  std::uint64_t lost = 0;          // claims that had run out before they were ended
  std::uint64_t released = 0;      // given back unhandled
  std::uint64_t extended = 0;      // leases, by the heartbeat
  std::uint64_t reconnected = 0;
  std::chrono::microseconds handler_time{0};

  bool operator==(const worker_counters&) const = default;
};

/// How a worker goes about its work. The hooks are called one at a time, on the threads of run(); what they throw
/// leaves run(). `log` is also called on the heartbeat's thread, and must not throw.
struct worker_options {
  /// Messages that are claimed at once, 1 or more. A batch is handled in its order by one thread.
  std::int32_t batch_size = 10;
  /// How long a message stays claimed; without it, as the declaration says.
  std::optional<std::chrono::microseconds> lease{};
  /// The longest time without looking for messages while none is announced: what a lost wake-up or a lease that ran out
  /// elsewhere may cost.
  std::chrono::milliseconds poll_interval{1000};
  /// Return as soon as nothing can be claimed, instead of waiting. Messages that wait for their time do not count;
  /// those that wait only for `concurrency` or `rate` do.
  bool until_empty = false;
  /// False behind a pooler that hands each transaction to another session: the worker then polls only.
  bool use_notifications = true;
  /// So many threads work, each with batches of its own: the first over the consumer's connection, each further one
  /// over another like it. The handler is then called by several threads at once.
  std::int32_t concurrency = 1;
  /// Claims what is in hand for longer while handlers run, from a thread and, as soon as something has been in hand for
  /// a third of its lease, over a connection of its own. False: a handler that takes longer than the lease may not be
  /// the only one that has the message, and its stop token does not tell.
  bool use_heartbeat = true;
  /// What is done when the server ends the connection, or refuses something for a passing reason.
  reconnect_options reconnect{};
  /// After a handler has thrown, or a message could not be read: the message, the error's text, what became of it.
  std::function<void(std::int64_t message_id, std::int32_t attempt, std::string_view error, nack_outcome outcome)>
      on_failure{};
  /// A message's lease ran out before it was finished here, or its acknowledgement went down with the connection:
  /// somebody else may have handled it as well.
  std::function<void(std::int64_t message_id)> on_lease_lost{};
  /// The connection is gone or did not come back, or the server refused something for a passing reason.
  std::function<void(const error& failure)> on_disconnect{};
  /// After each batch, with all that was counted until then.
  std::function<void(const worker_counters& total)> on_batch{};
  /// Each thing that the worker does besides handling, see to_text() and to_json().
  std::function<void(const log_record& record)> log{};
};

}  // namespace quern
