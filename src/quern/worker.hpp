#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <quern/consumer.hpp>
#include <quern/waiting.hpp>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quern {

/// Why worker::run() returned.
enum class stop_reason {
  requested,  // by the stop token
  empty       // nothing could be claimed (worker_options::until_empty)
};

/// How a worker goes about its work. The hooks are called on the worker's thread; what they throw leaves run().
struct worker_options {
  /// Messages that are claimed at once, 1 or more. A batch is handled in its order by this one worker: a slow handler
  /// wants a small one.
  std::int32_t batch_size = 10;
  /// How long a message stays claimed; without it, as the declaration says.
  std::optional<std::chrono::microseconds> lease{};
  /// The longest time without looking for messages while none is announced: what a lost wake-up or a lease that ran out
  /// elsewhere may cost.
  std::chrono::milliseconds poll_interval{1000};
  /// Return as soon as nothing can be claimed, instead of waiting. Messages that wait for their time do not count.
  bool until_empty = false;
  /// False behind a pooler that hands each transaction to another session: the worker then polls only.
  bool use_notifications = true;
  /// After a handler has thrown: the message, the exception's text, what became of the message.
  std::function<void(std::int64_t message_id, std::int32_t attempt, std::string_view error, nack_outcome outcome)>
      on_failure{};
  /// A message's lease ran out before it was finished here, and somebody else may have handled it as well.
  std::function<void(std::int64_t message_id)> on_lease_lost{};
  /// One line in English for each thing that the worker does besides handling: claims, waits, stops.
  std::function<void(std::string_view line)> log{};
};

/// Claims messages, hands each to a handler and acknowledges it: `worker{consumer, handler, options}.run(stop)`.
///
/// The consumer is that of a queue, or a cooperative one of a stream.
///
/// The handler is called with `const message_type&`, see message.hpp and claimed_event, on the thread of run(). When it
/// returns, the message is acknowledged (with others that were handled within 100 ms); when it throws, the attempt has
/// failed with the text of the exception. It may use the consumer's connection; a transaction that it opens there must
/// have ended.
///
/// While nothing is there, the worker listens on the queue's channel. It takes whatever notifications the connection
/// has. A worker lives with one connection and does not reconnect.
template <class Consumer, class Handler>
requires std::invocable<Handler&, const typename Consumer::message_type&>
class worker {
 public:
  using message_type = typename Consumer::message_type;

  /// The consumer must outlive the worker. Throws std::invalid_argument for options out of range.
  worker(Consumer& from, Handler handler, worker_options options = {})
      : from_{&from}, handler_{std::move(handler)}, options_{std::move(options)} {
    if (options_.batch_size < 1) throw std::invalid_argument{"quern::worker: batch_size must be at least 1"};
    if (options_.poll_interval.count() < 1)
      throw std::invalid_argument{"quern::worker: poll_interval must be positive"};
  }

  /// Works until a stop is requested or, with until_empty, until nothing is there. A stop lets the present message be
  /// finished and gives the others of the batch back. May be called again.
  /// Throws what the database refuses and, when the connection is lost, connection_error: what was claimed and not yet
  /// acknowledged then comes back when its lease runs out.
  stop_reason run(const std::stop_token& stop = {}) {
    using contract_type = typename Consumer::contract_type;
    waiting wait{from_->on(), contract_type::channel, contract_type::wake_key, [this] { return from_->next_due(); },
                 options_.use_notifications};
    std::vector<message_type> batch = from_->claim(options_.batch_size, options_.lease);
    for (;;) {
      if (stop.stop_requested()) return give_back(batch, 0);
      if (batch.empty()) {
        batch = options_.until_empty ? look_again(wait, stop) : wait_for_batch(wait, stop);
        if (batch.empty() && options_.until_empty && !stop.stop_requested() && !is_behind())
          return finish(stop_reason::empty);
        continue;
      }
      const std::size_t handled = handle(batch, stop);
      if (handled < batch.size() || stop.stop_requested()) return give_back(batch, handled);
      batch = acknowledge_and_claim();
    }
  }

 private:
  static constexpr std::chrono::milliseconds acknowledge_after{100};
  // Longer than the time between two sweeps of email_claim_v1 and its like.
  static constexpr std::chrono::milliseconds look_again_after{120};

  // Returns how many of the batch were dealt with: all, or those until a stop.
  std::size_t handle(std::vector<message_type>& batch, const std::stop_token& stop) {
    log("claimed ", batch.size(), " messages");
    last_acknowledged_ = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (stop.stop_requested()) return i;
      if (is_still_held(std::span{batch}.subspan(i))) handle(std::move(batch[i]));
      if (std::chrono::steady_clock::now() - last_acknowledged_ >= acknowledge_after && i + 1 < batch.size())
        acknowledge();
    }
    return batch.size();
  }

  // A batch may take longer than its lease: by this machine's clock, which is near enough for asking.
  bool is_still_held(std::span<message_type> left) {
    if (std::chrono::system_clock::now() < left.front().lease_until || from_->hold(left, options_.lease)) return true;
    report_lost(Consumer::id_of(left.front()));
    return false;
  }

  void handle(message_type&& claimed) {
    std::string error;
    try {
      handler_(std::as_const(claimed));
      handled_.push_back(std::move(claimed));
      return;
    } catch (const std::exception& thrown) {
      error = thrown.what();
    } catch (...) {
      error = "an exception that is no std::exception";
    }
    acknowledge();
    const nack_outcome outcome = from_->nack(claimed, error);
    if (outcome == nack_outcome::lost) report_lost(Consumer::id_of(claimed));
    if (options_.on_failure) options_.on_failure(Consumer::id_of(claimed), claimed.attempt, error, outcome);
  }

  void acknowledge() {
    last_acknowledged_ = std::chrono::steady_clock::now();
    const auto lost = from_->ack(std::span<const message_type>{handled_});
    handled_.clear();
    for (const std::int64_t id : lost) report_lost(id);
  }

  std::vector<message_type> acknowledge_and_claim() {
    auto [next, lost] = from_->ack_and_claim(handled_, options_.batch_size, options_.lease);
    handled_.clear();
    for (const std::int64_t id : lost) report_lost(id);
    return std::move(next);
  }

  // A claim looks at what came back far behind the others only from time to time: nothing twice is nothing.
  std::vector<message_type> look_again(waiting& wait, const std::stop_token& stop) {
    wait.pause(look_again_after, stop);
    if (stop.stop_requested()) return {};
    return from_->claim(options_.batch_size, options_.lease);
  }

  // Another look after the wake-up lock is held: what came before it has notified nobody.
  std::vector<message_type> wait_for_batch(waiting& wait, const std::stop_token& stop) {
    log("waiting for messages");
    wait.begin();
    auto batch = from_->claim(options_.batch_size, options_.lease);
    if (batch.empty()) {
      wait.sleep(options_.poll_interval, stop);
      if (!stop.stop_requested()) batch = from_->claim(options_.batch_size, options_.lease);
    }
    wait.end();
    return batch;
  }

  // Of a consumer with a filter: nothing was found so far.
  bool is_behind() {
    if constexpr (requires { from_->is_behind(); })
      return from_->is_behind();
    else
      return false;
  }

  stop_reason give_back(const std::vector<message_type>& batch, std::size_t first) {
    acknowledge();
    from_->release(std::span{batch}.subspan(first));
    return finish(stop_reason::requested);
  }

  stop_reason finish(stop_reason why) {
    log(why == stop_reason::requested ? "stopped on request" : "stopped: the queue is empty");
    return why;
  }

  void report_lost(std::int64_t message_id) {
    log("lost the lease of message ", message_id);
    if (options_.on_lease_lost) options_.on_lease_lost(message_id);
  }

  template <class Number = int>
  void log(std::string_view before, Number number = {}, std::string_view after = {}) {
    if (!options_.log) return;
    std::string line{before};
    if (before.ends_with(' ')) line += std::to_string(number);
    options_.log(line.append(after));
  }

  Consumer* from_;
  Handler handler_;
  worker_options options_;
  std::vector<message_type> handled_;  // and not yet acknowledged
  std::chrono::steady_clock::time_point last_acknowledged_;
};

}  // namespace quern
