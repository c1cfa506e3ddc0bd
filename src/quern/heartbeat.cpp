#include "quern/heartbeat.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "quern/error.hpp"
#include "quern/sqlstate.hpp"
#include "quern/transaction.hpp"

namespace quern {
namespace {

// Somebody has the message locked: its own handler, in a transaction that ends it, or a rival who looks at it.
constexpr std::string_view never_wait = "set lock_timeout = '1s'";
constexpr std::string_view do_not_wait = "set local lock_timeout = '1s'";
constexpr std::chrono::seconds locked_for{1};
constexpr std::chrono::milliseconds longest_answer{1'500};  // and a lock is all that it has waited for
constexpr std::chrono::milliseconds network_timeout{5'000};
constexpr std::chrono::milliseconds after_failure{250};

deadline now() {
  return std::chrono::steady_clock::now();
}

deadline third(deadline since, deadline until) {
  return since + (until - since) / 3;
}

}  // namespace

hand::hand(heartbeat& beats) : beats_{&beats} {
  const std::lock_guard lock{beats_->mutex_};
  beats_->hands_.push_back(this);
}

hand::~hand() {
  const std::lock_guard lock{beats_->mutex_};
  std::erase(beats_->hands_, this);
}

void hand::take(const std::vector<claim>& claims) {
  const deadline since = now();
  std::vector<held> taken;
  taken.reserve(claims.size());
  for (const claim& each : claims) taken.push_back({each, third(since, each.lapses_at)});
  const std::lock_guard lock{beats_->mutex_};
  held_.swap(taken);
  first_ = 0;
  generation_ = ++beats_->takes_;
  for (const held& each : held_) beats_->wake_before(each.renew_at);
}

void hand::let_go(std::size_t count) {
  const std::lock_guard lock{beats_->mutex_};
  first_ = count;
}

void hand::renew(std::size_t number, timestamp lease_until, deadline lapses_at) {
  const deadline since = now();
  const std::lock_guard lock{beats_->mutex_};
  for (held& each : held_) {
    if (each.token != held_.at(number).token) continue;
    each.lease_until = lease_until;
    each.lapses_at = lapses_at;
    each.renew_at = third(since, lapses_at);
    beats_->wake_before(each.renew_at);
  }
}

hand::grip hand::at(std::size_t number) const {
  const std::lock_guard lock{beats_->mutex_};
  const held& one = held_.at(number);
  const state how = one.is_lost ? state::lost : now() >= one.lapses_at ? state::lapsed : state::held;
  return {how, one.lease_until};
}

std::stop_token hand::begin(std::size_t first, std::size_t count) {
  std::stop_source loss;
  const std::lock_guard lock{beats_->mutex_};
  loss_ = loss;
  handled_first_ = first;
  handled_end_ = first + count;
  for (std::size_t i = handled_first_; i < handled_end_; ++i) beats_->watch_before(held_.at(i).lapses_at);
  return loss.get_token();
}

void hand::end() {
  const std::lock_guard lock{beats_->mutex_};
  loss_.reset();
}

bool hand::has_lost_current(deadline now) const {
  if (!loss_ || loss_->stop_requested()) return false;
  for (std::size_t i = handled_first_; i < handled_end_ && i < held_.size(); ++i)
    if (held_[i].is_lost || now >= held_[i].told_at()) return true;
  return false;
}

heartbeat::heartbeat(connection_settings settings, extend_function extend, beat_function on_beat,
                     failure_function on_failure, bool is_on)
    : settings_{std::move(settings)},
      extend_{std::move(extend)},
      on_beat_{std::move(on_beat)},
      on_failure_{std::move(on_failure)} {
  settings_.options.network_timeout = network_timeout;
  if (is_on) thread_ = std::thread{[this] { run(); }};
}

heartbeat::~heartbeat() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{mutex_};
    is_ending_ = true;
  }
  changed_.notify_one();
  begun_.notify_one();
  thread_.join();
  if (watcher_.joinable()) watcher_.join();
}

void heartbeat::run() {
  guard lock{mutex_};
  while (!is_ending_) {
    const auto beats = now() < not_before_ ? std::vector<beat>{} : due(now());
    // Whoever takes something meanwhile need not wake this thread: it looks again.
    wakes_at_ = beats.empty() ? next_wake() : deadline::min();
    for (const beat& each : beats) {
      extend(lock, each);
      tell_losers(lock);
    }
    if (!beats.empty() || is_ending_) continue;
    if (wakes_at_ == no_deadline) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, wakes_at_);
    }
  }
}

void heartbeat::watch() {
  guard lock{mutex_};
  while (!is_ending_) {
    tell_losers(lock);
    watches_at_ = next_lapse();
    if (is_ending_) return;
    if (watches_at_ == no_deadline) {
      begun_.wait(lock);
    } else {
      begun_.wait_until(lock, watches_at_);
    }
  }
}

// With the mutex held, as the next one.
void heartbeat::wake_before(deadline due) {
  if (due >= wakes_at_) return;
  wakes_at_ = deadline::min();
  changed_.notify_one();
}

void heartbeat::watch_before(deadline lapse) {
  if (!thread_.joinable() || lapse >= watches_at_) return;
  watches_at_ = deadline::min();
  if (watcher_.joinable()) {
    begun_.notify_one();
  } else {
    watcher_ = std::thread{[this] { watch(); }};
  }
}

deadline heartbeat::next_wake() const {
  deadline next = no_deadline;
  for (const hand* each : hands_) {
    for (std::size_t i = each->first_; i < each->held_.size(); ++i)
      if (!each->held_[i].is_lost) next = std::min(next, std::max(each->held_[i].renew_at, not_before_));
  }
  return next;
}

deadline heartbeat::next_lapse() const {
  deadline next = no_deadline;
  for (const hand* each : hands_) {
    if (!each->loss_ || each->loss_->stop_requested()) continue;
    for (std::size_t i = each->handled_first_; i < each->handled_end_ && i < each->held_.size(); ++i)
      next = std::min(next, each->held_[i].told_at());
  }
  return next;
}

std::vector<heartbeat::beat> heartbeat::due(deadline now) const {
  std::vector<beat> found;
  for (hand* each : hands_) {
    for (std::size_t i = each->first_; i < each->held_.size(); ++i) {
      const hand::held& one = each->held_[i];
      if (one.is_lost || one.renew_at > now) continue;
      if (!found.empty() && found.back().from == each && found.back().token == one.token) continue;
      found.push_back({each, each->generation_, i, one.token});
    }
  }
  return found;
}

// Whether it is still in a hand. What was taken or let go since then may be gone, and so may the hand.
bool heartbeat::is_wanted(const beat& one) const {
  if (std::ranges::find(hands_, one.from) == hands_.end() || one.from->generation_ != one.generation) return false;
  const auto& held = one.from->held_;
  for (std::size_t i = std::max(one.number, one.from->first_); i < held.size(); ++i)
    if (held[i].token == one.token) return true;
  return false;
}

void heartbeat::extend(guard& lock, const beat& one) {
  if (is_ending_ || now() < not_before_ || !is_wanted(one)) return;
  const deadline since = now();
  note_question(one, since + longest_answer);
  lock.unlock();
  try {
    const auto until = ask(one.token);
    lock.lock();
    note_question(one, {});
    note_end(one, since, until);
    lock.unlock();
    on_beat_(*over_);
    lock.lock();
  } catch (const database_error& refused) {
    lock.lock();
    note_question(one, {});
    if (refused.sqlstate() == sqlstate::lock_not_available) return note_locked(one);
    note_failure(lock, refused.message());
  } catch (const std::exception& failed) {
    lock.lock();
    note_question(one, {});
    note_failure(lock, failed.what());
  }
}

// A session that others use after this may keep no setting.
std::optional<timestamp> heartbeat::ask(const claim_token& token) {
  const bool is_pooled = !settings_.options.use_prepared_statements;
  if (!over_) {
    over_.emplace(settings_);
    if (!is_pooled) over_->execute(never_wait);
    clock_ = {};
  }
  clock_.follow(*over_);
  if (!is_pooled) return extend_(*over_, token);
  transaction within{*over_};
  within.execute(do_not_wait);
  const auto until = extend_(*over_, token);
  within.commit();
  return until;
}

void heartbeat::note_question(const beat& one, deadline answer_by) {
  if (!is_wanted(one)) return;
  for (hand::held& each : one.from->held_)
    if (each.token == one.token) each.answer_by = answer_by;
}

void heartbeat::note_end(const beat& one, deadline since, std::optional<timestamp> until) {
  if (!is_wanted(one)) return;
  for (hand::held& each : one.from->held_) {
    if (each.token != one.token) continue;
    each.is_lost = !until;
    if (!until) continue;
    each.lease_until = *until;
    each.lapses_at = clock_.local(*until);
    each.renew_at = third(since, each.lapses_at);
  }
}

// As long as it is locked nobody else gets it.
void heartbeat::note_locked(const beat& one) {
  if (!is_wanted(one)) return;
  for (hand::held& each : one.from->held_) {
    if (each.token != one.token) continue;
    each.renew_at = now() + locked_for;
    each.lapses_at = std::max(each.lapses_at, each.renew_at + 2 * locked_for);
  }
}

void heartbeat::note_failure(guard& lock, std::string_view error) {
  not_before_ = now() + after_failure;
  lock.unlock();
  if (over_ && !over_->is_usable()) over_.reset();
  on_failure_(error);
  lock.lock();
}

// A stop calls what the handler has registered for it: that may take its time, and the mutex.
void heartbeat::tell_losers(guard& lock) {
  std::vector<std::stop_source> losers;
  for (const hand* each : hands_)
    if (each->has_lost_current(now())) losers.push_back(*each->loss_);
  if (losers.empty()) return;
  lock.unlock();
  for (std::stop_source& each : losers) each.request_stop();
  lock.lock();
}

}  // namespace quern
