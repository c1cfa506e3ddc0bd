#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <quern/consumer.hpp>
#include <quern/error.hpp>
#include <quern/handler_call.hpp>
#include <quern/heartbeat.hpp>
#include <quern/json.hpp>
#include <quern/message_result.hpp>
#include <quern/reconnect.hpp>
#include <quern/registration.hpp>
#include <quern/server_clock.hpp>
#include <quern/waiting.hpp>
#include <quern/worker_state.hpp>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace quern {

/// What one thread of a worker does: claim, handle, acknowledge, over one consumer. Part of worker.
template <class Consumer, class Handler>
class work_line {
 public:
  using message_type = typename Consumer::message_type;

  work_line(Consumer& from, Handler& handler, worker_state& shared, heartbeat& beats, registration& entry)
      : from_{&from},
        handler_{handler},
        shared_{&shared},
        hand_{beats},
        entry_{&entry, &from, &shared},
        backoff_{shared.options().reconnect} {}

  /// Until it is told to stop or, with until_empty, until nothing is there. Throws what does not pass.
  void run() {
    for (auto failed = attempt({}); failed; failed = attempt(failed)) {
      const auto wait = backoff_.next();
      if (!wait) std::rethrow_exception(failed);
      // Also when it is to stop: what was handled may still be acknowledged.
      if (wait->count() > 0 && shared_->stop().wait_for(*wait)) return;
    }
  }

 private:
  using contract_type = typename Consumer::contract_type;
  using clock = std::chrono::steady_clock;

  struct failed_message {
    message_type message;
    std::string error;
  };

  struct listing {
    registration* is;
    Consumer* from;
    worker_state* shared;

    // Who leaves by an exception has released nothing: what is held is free when the session ends, while the entry says
    // so.
    ~listing() {
      if (std::uncaught_exceptions() == 0) is->end(from->on(), shared->is_interrupted() ? "suspended" : "stopped");
    }
  };

  static constexpr bool takes_batches = handler_call<Handler, message_type>::takes_batches;
  static constexpr bool gives_results = handler_call<Handler, message_type>::gives_results;
  static_assert(!gives_results || contract_with_results<contract_type>,
                "the handler returns a result, and this queue keeps none: see keep_done");
  static constexpr std::chrono::milliseconds acknowledge_after{100};
  // Longer than the time between two sweeps of email_claim_v1 and its like.
  static constexpr std::chrono::milliseconds look_again_after{120};
  static constexpr std::chrono::milliseconds comes_at_once_before{5};
  static constexpr std::chrono::milliseconds look_at_once_after{1};
  static constexpr int looks_without_notice = 5;

  const worker_options& options() const { return shared_->options(); }

  bool is_stopping() const { return shared_->stop().is_raised(); }

  // Works, after another failure too, and returns what failed for a reason that may pass.
  std::exception_ptr attempt(const std::exception_ptr& failed_before) {
    try {
      if (failed_before) recover(failed_before);
      if (!is_stopping()) work();
      return {};
    } catch (const error& failure) {
      if (shared_->has_hook_thrown() || (!failure.connection_lost() && !failure.is_retryable())) throw;
      shared_->note_failure(failure);
      return std::current_exception();
    }
  }

  void work() {
    entry_.is->begin(from_->on(), options().use_notifications);
    waiting wait{from_->on(), contract_type::channel, contract_type::wake_key, [this] { return from_->next_due(); },
                 options().use_notifications};
    claim();
    for (;;) {
      if (is_stopping()) return give_back();
      if (batch_.empty()) {
        if (options().until_empty) {
          if (!look_again(wait) && !is_stopping() && !is_behind()) return;
        } else {
          wait_for_batch(wait);
        }
        continue;
      }
      handle_batch();
      if (is_stopping()) return give_back();
      acknowledge_and_claim();
    }
  }

  // Where all of it was unreadable there may be more.
  void claim() {
    do take(from_->claim(options().batch_size, options().lease));
    while (batch_.empty() && !from_->unreadable().empty() && !is_stopping());
  }

  void take(std::vector<message_type> claimed) {
    batch_ = std::move(claimed);
    next_ = 0;
    left_.reset();
    backoff_.reset();
    shared_->note_claimed(batch_.size() + from_->unreadable().size());
    hold_batch();
    for (const unreadable_message& each : from_->unreadable())
      shared_->note_failed(each.id, each.attempt, each.error, each.outcome);
  }

  void hold_batch() {
    if (batch_.empty()) return hand_.take({});
    clock_.follow(from_->on());
    std::vector<hand::claim> claims;
    claims.reserve(batch_.size());
    for (const message_type& each : batch_)
      claims.push_back({Consumer::token_of(each), each.lease_until, clock_.local(each.lease_until)});
    hand_.take(claims);
  }

  void handle_batch() {
    last_acknowledged_ = clock::now();
    if constexpr (takes_batches) {
      handle_together();
    } else {
      while (next_ < batch_.size() && !is_stopping()) {
        handle_next();
        if (clock::now() - last_acknowledged_ >= acknowledge_after && next_ < batch_.size()) acknowledge();
      }
    }
    shared_->note_batch();
  }

  void handle_next() {
    message_type& claimed = batch_[next_];
    if (is_given_back(Consumer::id_of(claimed))) {
      ++next_;
      return;
    }
    if (!is_still_held(next_)) {
      ++next_;
      return shared_->note_lost(Consumer::id_of(claimed));
    }
    const auto error = call(std::as_const(claimed), next_++, 1);
    if (!error) return note_handled(std::move(claimed));
    failed_.push_back({std::move(claimed), *error});
    settle();
  }

  void note_handled(message_type&& done) {
    handled_.push_back(std::move(done));
    if constexpr (gives_results) results_.push_back(handler_.given());
  }

  void handle_together() {
    const auto error = call(std::span<const message_type>{batch_}, 0, batch_.size());
    next_ = batch_.size();
    if (!error) {
      handled_ = std::move(batch_);
      if constexpr (gives_results) results_ = handler_.given();
    } else {
      for (message_type& each : batch_) failed_.push_back({std::move(each), *error});
    }
    batch_.clear();
    settle_failed();
  }

  // A batch may take longer than its lease.
  bool is_still_held(std::size_t number) {
    const hand::grip grip = hand_.at(number);
    if (grip.state == hand::state::lost) return false;
    batch_[number].lease_until = grip.lease_until;
    if (grip.state == hand::state::held) return true;
    if (!from_->hold(std::span{batch_}.subspan(number), options().lease)) return false;
    hand_.renew(number, batch_[number].lease_until, clock_.local(batch_[number].lease_until));
    return true;
  }

  // The text of what the handler has thrown, if it has.
  template <class Argument>
  std::optional<std::string> call(const Argument& argument, std::size_t first, std::size_t count) {
    const auto begin = clock::now();
    const auto error = handler_.call(argument, count, [&] { return hand_.begin(first, count); });
    if constexpr (handler_.takes_loss) hand_.end();
    shared_->note_handled(error ? 0 : count, clock::now() - begin);
    return error;
  }

  // Tells the database what has become of what was handled. Called again after a failure, it goes on where it was.
  void settle() {
    acknowledge();
    settle_failed();
  }

  void acknowledge() {
    last_acknowledged_ = clock::now();
    if constexpr (gives_results) {
      if (refusal_of([this] { note_ends(from_->ack(handled_, results_)); })) acknowledge_each();
    } else {
      note_ends(from_->ack(std::span<const message_type>{handled_}));
    }
  }

  // Why one of the results that are given is not taken, if so.
  template <class Acknowledge>
  static std::optional<std::string> refusal_of(Acknowledge acknowledge) try {
    acknowledge();
    return std::nullopt;

  } catch (const error& refused) {
    if (!is_bad_result(refused)) throw;
    return refused.what();
  }

  // The others do not suffer from the one whose result is refused: that is a failed attempt.
  void acknowledge_each() {
    while (!handled_.empty()) {
      const auto refusal = refusal_of([this] {
        const auto lost = from_->ack(std::span<const message_type>{handled_.data(), 1},
                                     std::span<const std::optional<json>>{results_.data(), 1});
        shared_->note_acknowledged(1 - lost.size());
        for (const std::int64_t id : lost) shared_->note_lost(id);
      });
      if (refusal) failed_.push_back({std::move(handled_.front()), "its result is refused: " + *refusal});
      handled_.erase(handled_.begin());
      results_.erase(results_.begin());
    }
    hand_.let_go(next_);
  }

  void note_ends(const std::vector<std::int64_t>& lost) {
    shared_->note_acknowledged(handled_.size() - lost.size());
    handled_.clear();
    results_.clear();
    hand_.let_go(next_);
    for (const std::int64_t id : lost) shared_->note_lost(id);
  }

  void settle_failed() {
    if (!failed_.empty()) acknowledge();
    while (!failed_.empty()) {
      if (is_given_back(Consumer::id_of(failed_.front().message))) {
        failed_.erase(failed_.begin());
        continue;
      }
      const nack_outcome outcome = from_->nack(failed_.front().message, failed_.front().error);
      const failed_message told = std::move(failed_.front());
      failed_.erase(failed_.begin());
      const std::int64_t id = Consumer::id_of(told.message);
      if (outcome == nack_outcome::lost) shared_->note_lost(id);
      shared_->note_failed(id, told.message.attempt, told.error, outcome);
      if (outcome != nack_outcome::lost) ask_what_is_left(told.message);
    }
  }

  // Where the events of a key come in their order, those behind one that has failed wait for it.
  void ask_what_is_left(const message_type& failed) {
    if constexpr (requires { from_->left_of(failed); }) {
      if (next_ < batch_.size() || !failed_.empty()) left_ = from_->left_of(failed);
    }
  }

  bool is_given_back(std::int64_t id) const { return left_ && std::ranges::find(*left_, id) == left_->end(); }

  void acknowledge_and_claim() {
    if constexpr (gives_results) {
      const auto refusal = refusal_of(
          [this] { begin_next(from_->ack_and_claim(handled_, results_, options().batch_size, options().lease)); });
      if (refusal) acknowledge_each();
      settle_failed();
      if (refusal) claim();
    } else {
      begin_next(from_->ack_and_claim(handled_, options().batch_size, options().lease));
    }
    beat();
  }

  void begin_next(typename Consumer::claimed answer) {
    note_ends(answer.lost);
    take(std::move(answer.messages));
  }

  // A claim looks at what came back far behind the others only from time to time: nothing twice is nothing.
  bool look_again(waiting& wait) {
    wait.pause(look_again_after, shared_->stop());
    if (!is_stopping()) claim();
    return !batch_.empty();
  }

  void beat() { entry_.is->beat(from_->on(), to_text(shared_->status())); }

  // Where messages come one upon the other, the next is there in a moment: to ask for a notification would make every
  // producer of that moment notify, and these commit one after the other.
  void wait_for_batch(waiting& wait) {
    shared_->log("waiting");
    for (int looks = 0; looks < looks_without_notice && comes_at_once_ && batch_.empty(); ++looks) {
      wait.pause(look_at_once_after, shared_->stop());
      if (is_stopping()) return;
      claim();
    }
    if (!batch_.empty()) return beat();
    const auto begin = clock::now();
    wait_for_notice(wait);
    comes_at_once_ = options().use_notifications && !batch_.empty() && clock::now() - begin < comes_at_once_before;
    beat();
  }

  // Another look after the wake-up lock is held: what came before it has notified nobody.
  void wait_for_notice(waiting& wait) {
    wait.begin();
    claim();
    if (batch_.empty()) {
      wait.sleep(options().poll_interval, shared_->stop());
      if (!is_stopping()) claim();
    }
    wait.end();
  }

  // Of a consumer with a filter: nothing was found so far. Of a queue with limits: there is no room yet.
  bool is_behind() {
    if constexpr (requires { from_->is_behind(); })
      return from_->is_behind();
    else if constexpr (requires { from_->is_held_back(); })
      return from_->is_held_back();
    else
      return false;
  }

  void give_back() {
    settle();
    release();
  }

  // Once: what was released and claimed by another one has the same attempt again.
  void release() {
    const std::vector<message_type> all = std::exchange(batch_, {});
    const auto rest = std::span{all}.subspan(std::min(std::exchange(next_, 0), all.size()));
    hand_.take({});
    from_->release(rest);
    shared_->note_released(rest.size());
  }

  // Gets the connection back, and what was handled acknowledged. The rest of the batch goes back: nobody knows for how
  // long it was nobody's.
  void recover(const std::exception_ptr& failed) {
    if (is_lost(failed) || !from_->on().is_usable()) {
      reopen_for_writing(from_->on());
      from_->start_over();
      clock_ = {};
      shared_->note_reconnected();
    }
    settle();
    release();
  }

  static bool is_lost(const std::exception_ptr& failed) {
    try {
      std::rethrow_exception(failed);
    } catch (const error& failure) {
      return failure.connection_lost();
    }
  }

  Consumer* from_;
  handler_call<Handler, message_type> handler_;
  worker_state* shared_;
  hand hand_;
  listing entry_;
  backoff backoff_;
  server_clock clock_;
  std::vector<message_type> batch_;
  std::size_t next_ = 0;                           // in the batch: the first that was not dealt with
  std::vector<message_type> handled_;              // and not yet acknowledged
  std::vector<std::optional<json>> results_;       // of what was handled, if the handler gives some
  std::vector<failed_message> failed_;             // and not yet told to the database
  std::optional<std::vector<std::int64_t>> left_;  // of the claim, after a failure: others were given back with it
  clock::time_point last_acknowledged_;
  bool comes_at_once_ = false;  // messages, while nobody asked for a notification
};

}  // namespace quern
