#include "quern/worker_state.hpp"

#include <array>
#include <stdexcept>

namespace quern {
namespace {

// By the value of the status.
constexpr std::array<std::string_view, 5> words{"ready", "polling", "interrupted", "suspended", "stopped"};

std::string_view word_of(stop_reason reason) {
  return reason == stop_reason::interrupted ? "interrupted" : reason == stop_reason::empty ? "empty" : "requested";
}

void check(bool holds, const char* otherwise) {
  if (!holds) throw std::invalid_argument{otherwise};
}

}  // namespace

std::string_view to_text(worker_status status) noexcept {
  return words[static_cast<std::size_t>(status)];
}

worker_state::worker_state(worker_options options, std::string_view queue, std::string_view consumer)
    : options_{std::move(options)}, queue_{queue}, consumer_{consumer} {
  check(options_.batch_size >= 1, "quern::worker: batch_size must be at least 1");
  check(options_.poll_interval.count() >= 1, "quern::worker: poll_interval must be positive");
  check(options_.concurrency >= 1, "quern::worker: concurrency must be at least 1");
  check(options_.reconnect.first_wait.count() >= 1, "quern::worker: reconnect.first_wait must be positive");
  check(options_.reconnect.longest_wait.count() >= 1, "quern::worker: reconnect.longest_wait must be positive");
}

// An interrupt that came while nobody ran counts: whoever calls it need not know whether the run has begun.
worker_state::run::run(worker_state& of, const std::stop_token& stop)
    : of_{&of.ready()}, forward_{stop, raise{&of.stop_}} {
  worker_status before = of.status_.load();
  while (before != worker_status::interrupted && !of.status_.compare_exchange_weak(before, worker_status::polling)) {
  }
  if (of.is_interrupted_) of.stop_.raise();
}

worker_state& worker_state::ready() noexcept {
  stop_.lower();
  has_hook_thrown_ = false;
  return *this;
}

worker_state::run::~run() {
  if (is_interrupted_) of_->is_interrupted_ = false;
  of_->status_ = is_interrupted_ ? worker_status::suspended : worker_status::stopped;
}

stop_reason worker_state::run::reason() const {
  is_interrupted_ = of_->is_interrupted_;
  const stop_reason why = is_interrupted_          ? stop_reason::interrupted
                          : of_->stop_.is_raised() ? stop_reason::requested
                                                   : stop_reason::empty;
  of_->log("stopped", {{"reason", std::string{word_of(why)}}});
  return why;
}

void worker_state::interrupt() noexcept {
  is_interrupted_ = true;
  status_ = worker_status::interrupted;
  stop_.raise();
}

template <class Hook, class... Arguments>
void worker_state::tell(const Hook& hook, const Arguments&... what) try {
  if (!hook) return;
  const std::lock_guard one_at_a_time{hooks_};
  hook(what...);

} catch (...) {
  has_hook_thrown_ = true;
  throw;
}

worker_counters worker_state::counters() const noexcept {
  return {.claimed = claimed_,
          .handled = handled_,
          .acknowledged = acknowledged_,
          .failed = failed_,
          .dead = dead_,
          .lost = lost_,
          .released = released_,
          .extended = extended_,
          .reconnected = reconnected_,
          .handler_time = std::chrono::microseconds{handler_time_.load()}};
}

void worker_state::note_claimed(std::size_t count) {
  if (count == 0) return;
  claimed_ += count;
  log("claimed", {{"count", static_cast<std::int64_t>(count)}});
}

void worker_state::note_handled(std::size_t count, std::chrono::steady_clock::duration time) {
  handled_ += count;
  handler_time_ += static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

void worker_state::note_acknowledged(std::size_t count) {
  acknowledged_ += count;
}

void worker_state::note_released(std::size_t count) {
  if (count == 0) return;
  released_ += count;
  log("released", {{"count", static_cast<std::int64_t>(count)}});
}

void worker_state::note_failed(std::int64_t id, std::int32_t attempt, std::string_view error, nack_outcome outcome) {
  ++failed_;
  if (outcome == nack_outcome::dead || outcome == nack_outcome::dropped) ++dead_;
  log("failed", {{"message_id", id},
                 {"attempt", std::int64_t{attempt}},
                 {"outcome", std::string{to_text(outcome)}},
                 {"error", std::string{error}}});
  tell(options_.on_failure, id, attempt, error, outcome);
}

void worker_state::note_lost(std::int64_t id) {
  ++lost_;
  log("lost", {{"message_id", id}});
  tell(options_.on_lease_lost, id);
}

void worker_state::note_batch() {
  tell(options_.on_batch, counters());
}

void worker_state::note_failure(const error& failure) {
  log(failure.connection_lost() ? "disconnected" : "hindered",
      {{"sqlstate", failure.sqlstate()}, {"error", failure.message()}});
  tell(options_.on_disconnect, failure);
}

void worker_state::note_reconnected() {
  ++reconnected_;
  log("reconnected");
}

void worker_state::note_extended() {
  ++extended_;
}

void worker_state::log(std::string_view event, values what) {
  if (!options_.log) return;
  const std::lock_guard one_at_a_time{hooks_};
  options_.log({event, queue_, consumer_, std::move(what)});
}

}  // namespace quern
