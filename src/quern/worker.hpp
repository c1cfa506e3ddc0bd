#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <quern/heartbeat.hpp>
#include <quern/registration.hpp>
#include <quern/work_line.hpp>
#include <quern/worker_handler.hpp>
#include <quern/worker_options.hpp>
#include <quern/worker_state.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace quern {

/// Claims messages, hands them to a handler and acknowledges them: `worker{consumer, handler, options}.run(stop)`.
///
/// The consumer is that of a queue, or a cooperative one of a stream.
///
/// The handler is called with `const message_type&`, see message.hpp and claimed_event, or with
/// `std::span<const message_type>`, a whole batch, on a thread of run(). When it returns, the message is acknowledged
/// (with others that were handled within 100 ms); when it throws, the attempt has failed with the text of the
/// exception, of each message of a batch. It may use the consumer's connection; a transaction that it opens there must
/// have ended. While it runs, a heartbeat extends the lease of all that was claimed, as long as the process lives.
///
/// Of a queue that keeps handled messages (`keep_done` in the declaration), what a handler returns as a `json` or
/// `std::optional<json>` is the message's result; one of batches returns a `std::vector` of either, with one for each
/// message in their order, or else the attempt of all of them has failed. What others return is dropped.
///
/// With a second parameter, a std::stop_token, it hears of a loss: a stop is requested there when the message, or one
/// of the batch, is no longer this worker's, or cannot be shown to be. What it does from then on somebody else may do,
/// too.
///
/// While nothing is there, the worker listens on the queue's channel. It takes whatever notifications the connection
/// has. When the connection is lost, it is opened again (connection::reopen()), the contract is checked, what was
/// handled is acknowledged, and the rest of the batch given back; see reconnect_options.
///
/// Each of its threads stands in the list of `select * from <schema>.quern_workers()`.
template <class Consumer, class Handler>
requires handler_of<Handler, typename Consumer::message_type>
class worker {
 public:
  using message_type = typename Consumer::message_type;

  /// The consumer must outlive the worker. Throws std::invalid_argument for options out of range.
  worker(Consumer& from, Handler handler, worker_options options = {})
      : from_{&from}, handler_{std::move(handler)}, state_{std::move(options), contract_type::queue, from.name()} {
    for (std::int32_t i = 0; i < state_.options().concurrency; ++i)
      entries_.emplace_back(contract_type::worker_begin, contract_type::worker_beat, contract_type::queue, from.name());
  }

  /// Works until a stop is requested, until interrupt() or, with until_empty, until nothing is there. A stop and an
  /// interrupt let the present message be finished and give the others of the batch back. May be called again.
  /// Throws what the database refuses, and connection_error when a lost connection does not come back in time: what was
  /// claimed and not yet acknowledged then comes back when its lease runs out.
  stop_reason run(const std::stop_token& stop = {}) {
    worker_state::run running{state_, stop};
    heartbeat beats{from_->on().settings(),
                    [this](connection& over, const claim_token& held) {
                      const auto until = from_->extend_over(over, held, state_.options().lease);
                      if (until) state_.note_extended();
                      return until;
                    },
                    [this](connection& over) { beat_all(over); },
                    [this](std::string_view error) {
                      state_.log("heartbeat_failed", {{"error", std::string{error}}});
                    },
                    state_.options().use_heartbeat};
    run_lines(beats);
    return running.reason();
  }

  /// Lets run() return stop_reason::interrupted, also one that has not begun yet; what it does not finish the next
  /// consumer gets at once. Another run() goes on. From any thread, and from a signal handler.
  void interrupt() noexcept { state_.interrupt(); }

  /// From any thread.
  worker_status status() const noexcept { return state_.status(); }

  /// From any thread.
  worker_counters counters() const noexcept { return state_.counters(); }

 private:
  using contract_type = typename Consumer::contract_type;

  void beat_all(connection& over) {
    for (registration& each : entries_) each.beat_if_free(over, to_text(state_.status()));
  }

  void run_lines(heartbeat& beats) {
    std::exception_ptr failed;
    std::mutex mutex;
    const auto run_one = [&](auto run) {
      try {
        run();
      } catch (...) {
        const std::lock_guard lock{mutex};
        if (!failed) failed = std::current_exception();
        state_.stop_all();
      }
    };
    {
      std::vector<std::jthread> others;
      for (std::int32_t i = 1; i < state_.options().concurrency; ++i)
        others.emplace_back([&, i] { run_one([&] { run_another(beats, entries_[static_cast<std::size_t>(i)]); }); });
      run_one([&] { work_line{*from_, handler_, state_, beats, entries_.front()}.run(); });
    }
    if (failed) std::rethrow_exception(failed);
  }

  void run_another(heartbeat& beats, registration& entry) {
    connection own{from_->on().settings()};
    Consumer consumer = from_->another(own);
    work_line{consumer, handler_, state_, beats, entry}.run();
  }

  Consumer* from_;
  Handler handler_;
  worker_state state_;
  std::deque<registration> entries_;  // one for each thread
};

}  // namespace quern
