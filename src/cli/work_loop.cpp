#include "cli/work_loop.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <quern/message_result.hpp>
#include <quern/socket.hpp>
#include <quern/sqlstate.hpp>
#include <system_error>
#include <utility>

#include "cli/terminal.hpp"

namespace cli {
namespace {

using namespace std::chrono_literals;

// A claim looks for what came back at most every 100 ms.
constexpr auto look_again_after = 120ms;

// A producer holds the lock for an instant; it was that instant, or messages are coming.
constexpr auto without_lock = 10ms;

// As long as it takes: what has ended can be told for as long as the leases run, and then there is more to do.
constexpr quern::reconnect_options again_and_again{
    .limit = std::chrono::hours{24 * 365 * 100}, .first_wait = 100ms, .longest_wait = 10'000ms};

}  // namespace

work_loop::work_loop(work_options options, const work_name& who, connect make_connection, look_up make_source)
    : options_{std::move(options)},
      make_connection_{std::move(make_connection)},
      make_source_{std::move(make_source)},
      begin_statement_{
          fmt::format("select {}.quern_worker_begin($1, $2, $3, $4)", quern::quoted_identifier(who.schema))},
      beat_statement_{fmt::format("select {}.quern_worker_beat($1, $2)", quern::quoted_identifier(who.schema))},
      registration_{{begin_statement_}, {beat_statement_}, who.queue, who.consumer},
      backoff_{again_and_again} {
  db_.emplace(make_connection_());
  source_.emplace(make_source_());
  extend_at_ = clock::now() + options_.lease / 3;
}

work_done work_loop::run() {
  try {
    work();
  } catch (...) {
    // Nobody is to take it for a worker that died, unless it holds something: that is free when its session is gone.
    if (db_ && running_.empty() && endings_.empty()) registration_.end(*db_, "stopped");
    throw;
  }
  if (db_) registration_.end(*db_, "stopped");
  return done_;
}

void work_loop::work() {
  while (true) {
    const int stops = signals_.stops();
    if (stops > 0 && stops_ == 0) {
      if (!running_.empty())
        tell(fmt::format("stopping when {} {} finished; a second signal ends {} now", running_.size(),
                         running_.size() == 1 ? "handler has" : "handlers have", running_.size() == 1 ? "it" : "them"));
      if (options_.stop_timeout) stop_at_ = clock::now() + *options_.stop_timeout;
    }
    stops_ = stops;
    if (!is_forced_ && (stops_ > 1 || clock::now() >= stop_at_)) force_stop();
    collect();
    watch_over();
    talk();
    if (is_done()) break;
    wait();
  }
}

// Handlers end now, and nothing more is waited for.
void work_loop::force_stop() {
  is_forced_ = true;
  stop_at_ = time::max();
  talk_at_ = {};
}

// Handlers that have ended.
void work_loop::collect() {
  for (std::size_t i = 0; i < running_.size();) {
    running_[i].process.pump();
    const auto end = running_[i].process.try_end();
    if (!end) {
      ++i;
      continue;
    }
    note_end(running_[i], *end);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

// A handler that was ended by force has not done its work, whatever it says.
void work_loop::note_end(running_job& ended, const handler_end& how) {
  switch (ended.forced) {
    case force::lost:
      return;
    case force::stop:
      endings_.push_back({std::move(ended.what), ending::kind::release});
      return;
    case force::timeout:
    case force::none:
      break;
  }
  std::string error = how.words;
  if (ended.forced == force::none && how.is_success) {
    if (!options_.with_results) {
      endings_.push_back({std::move(ended.what), ending::kind::ack});
      return;
    }
    if (auto output = ended.process.take_output()) {
      endings_.push_back({std::move(ended.what), ending::kind::ack, {}, std::move(output)});
      return;
    }
    error = fmt::format("printed more than {} MiB as its result", handler_process::longest_output >> 20);
  }
  if (ended.forced == force::timeout)
    error = fmt::format("ran longer than {} s", std::chrono::duration<double>{*options_.timeout}.count());
  const std::string words = ended.process.last_words();
  if (!words.empty()) error += ": " + words;
  endings_.push_back({std::move(ended.what), ending::kind::nack, std::move(error)});
}

// Handlers that run for too long.
void work_loop::watch_over() {
  const time now = clock::now();
  for (running_job& one : running_) {
    if (one.forced == force::none && is_forced_) end_by_force(one, force::stop);
    if (one.forced == force::none && options_.timeout && now >= one.started + *options_.timeout)
      end_by_force(one, force::timeout);
    if (now >= one.kill_at) {
      one.process.kill();
      one.kill_at = time::max();
    }
  }
}

void work_loop::end_by_force(running_job& one, force why) {
  one.forced = why;
  one.kill_at = clock::now() + options_.grace;
  one.process.terminate();
}

// All that is said to the database.
void work_loop::talk() try {
  if (clock::now() < talk_at_) return;
  if (!db_) connect_again();
  registration_.begin(*db_, options_.use_notifications);
  tell_endings();
  extend_leases();
  if (is_stopping())
    end_waiting();
  else
    claim();
  registration_.beat(*db_, is_stopping() ? "interrupted" : "polling");
  backoff_.reset();
  is_hindered_ = false;

} catch (const quern::error& why) {
  if (why.connection_lost()) {
    drop_connection(why);
  } else if (why.sqlstate() == quern::sqlstate::undefined_function) {
    // The contract was retired; without another one this throws.
    if (clock::now() < look_up_at_) throw;
    source_.emplace(make_source_());
    look_up_at_ = clock::now() + 1s;
  } else if (why.is_retryable()) {
    hold_on(why);
  } else {
    throw;
  }
}

void work_loop::connect_again() {
  db_.emplace(make_connection_());
  claim_at_ = {};
  extend_at_ = {};
  tell("connected again");
}

void work_loop::drop_connection(const quern::error& why) {
  // What is left to say can be said for as long as the leases run, but nobody waits for that who wants to stop.
  if (is_stopping() && running_.empty()) throw why;
  const bool is_known = !db_;
  db_.reset();
  is_waiting_ = false;
  try_again(why, is_known);
}

// What the database does not take for now. A forced stop does not wait for it: then leases end by themselves.
void work_loop::hold_on(const quern::error& why) {
  if (is_forced_ && running_.empty()) throw why;
  try_again(why, is_hindered_);
  is_hindered_ = true;
}

void work_loop::try_again(const quern::error& why, bool is_known) {
  if (!is_known) tell(fmt::format("{}; trying again", why.message().substr(0, why.message().find('\n'))));
  talk_at_ = clock::now() + backoff_.next().value_or(again_and_again.longest_wait);
}

void work_loop::tell_endings() {
  while (!endings_.empty()) {
    tell_ending(endings_.front());
    endings_.pop_front();
    // The next of its key may be free.
    claim_at_ = {};
  }
}

void work_loop::tell_ending(const ending& one) {
  const std::string title = source_->title_of(one.what);
  if (one.how == ending::kind::nack) {
    tell_failure(one, one.error);
    return;
  }
  const bool is_release = one.how == ending::kind::release;
  std::optional<std::string> bad_result;
  bool is_ours = false;
  try {
    is_ours = is_release ? source_->release(*db_, one.what) : ack(one);
  } catch (const quern::error& refused) {
    if (!one.result || !quern::is_bad_result(refused)) throw;
    bad_result = fmt::format("printed no JSON as its result: {}{}{}", refused.message(),
                             refused.detail().empty() ? "" : ": ", refused.detail());
  }
  if (bad_result) return tell_failure(one, *bad_result);
  if (is_ours) {
    ++(is_release ? done_.released : done_.handled);
    return;
  }
  ++done_.lost;
  tell(fmt::format("{}: attempt {} was not the current one any more when its handler ended", title, one.what.attempt));
}

bool work_loop::ack(const ending& one) {
  return one.result ? source_->ack(*db_, one.what, *one.result) : source_->ack(*db_, one.what);
}

void work_loop::tell_failure(const ending& one, const std::string& error) {
  const std::string became = source_->nack(*db_, one.what, error);
  ++(became == "lost" ? done_.lost : done_.failed);
  tell(fmt::format("{} failed at attempt {}, {}: {}", source_->title_of(one.what), one.what.attempt, became, error));
}

void work_loop::extend_leases() {
  if (clock::now() < extend_at_) return;
  for (running_job& one : running_) {
    if (one.forced != force::none || source_->extend(*db_, one.what)) continue;
    ++done_.lost;
    tell(fmt::format("{}: attempt {} is not the current one any more; its handler is ended",
                     source_->title_of(one.what), one.what.attempt));
    end_by_force(one, force::lost);
  }
  extend_at_ = clock::now() + options_.lease / 3;
}

void work_loop::claim() {
  bool has_looked_again = options_.is_drain || is_waiting_;
  while (free_slots() > 0 && clock::now() >= std::max(claim_at_, start_at_)) {
    auto claimed = source_->claim(*db_, free_slots());
    const bool is_empty = claimed.empty() && running_.empty();
    is_held_back_ = is_empty && options_.is_drain && source_->is_held_back(*db_);
    empty_claims_ = is_empty && !is_held_back_ ? empty_claims_ + 1 : 0;
    start(claimed);
    if (free_slots() == 0) break;
    if (has_looked_again) {
      claim_at_ = clock::now() + pause();
      return;
    }
    // Something may have come just before producers knew that somebody waits.
    begin_waiting();
    has_looked_again = true;
  }
  if (free_slots() == 0) end_waiting();
}

// How long it takes until something may be there that nobody tells of.
std::chrono::microseconds work_loop::pause() {
  if (options_.is_drain && !is_held_back_) return look_again_after;
  std::chrono::microseconds longest = options_.poll_interval;
  if (options_.use_notifications && !is_waiting_ && !options_.is_drain) longest = without_lock;
  const auto due = source_->next_due(*db_);
  return due ? std::min<std::chrono::microseconds>(longest, *due + 1ms) : longest;
}

// What cannot be started is given back.
void work_loop::start(std::vector<job>& claimed) {
  for (std::size_t i = 0; i < claimed.size(); ++i) {
    try {
      handler_process process{options_.command, source_->variables_of(claimed[i]), claimed[i].payload + "\n",
                              options_.with_results ? handler_output::kept : handler_output::passed_on, keeper_};
      running_.push_back({std::move(claimed[i]), std::move(process), clock::now()});
    } catch (const std::system_error& failed) {
      tell(failed.what());
      for (; i < claimed.size(); ++i) endings_.push_back({std::move(claimed[i]), ending::kind::release});
      start_at_ = clock::now() + 1s;
    }
  }
}

void work_loop::begin_waiting() {
  if (!options_.use_notifications) return;
  db_->listen(source_->channel());
  read_notifications();
  is_waiting_ = db_->execute("select pg_catalog.pg_try_advisory_lock_shared($1)", source_->wake_key()).value<bool>();
}

void work_loop::end_waiting() {
  if (!is_waiting_) return;
  is_waiting_ = false;
  db_->execute("select pg_catalog.pg_advisory_unlock_shared($1)", source_->wake_key());
}

bool work_loop::is_done() const {
  if (!running_.empty() || !endings_.empty()) return false;
  return is_stopping() || (options_.is_drain && empty_claims_ > 1);
}

work_loop::time work_loop::next_time() const {
  time said = db_ && endings_.empty() ? time::max() : talk_at_;
  if (db_ && !running_.empty()) said = std::min(said, extend_at_);
  if (db_ && free_slots() > 0 && !is_stopping()) said = std::min(said, std::max(claim_at_, start_at_));
  time next = std::min({std::max(said, talk_at_), stop_at_, clock::now() + 1h});
  for (const running_job& one : running_) {
    next = std::min(next, one.kill_at);
    if (options_.timeout && one.forced == force::none) next = std::min(next, one.started + *options_.timeout);
  }
  return next;
}

void work_loop::wait() {
  std::vector<pollfd> waited{{signals_.file(), POLLIN, 0}};
  if (db_) waited.push_back({quern::socket_of(*db_), POLLIN, 0});
  for (const running_job& one : running_) one.process.add_to(waited);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_time() - clock::now()).count();
  const int limit = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
  if (poll(waited.data(), waited.size(), limit) <= 0 || !db_ || waited[1].revents == 0) return;
  try {
    read_notifications();
  } catch (const quern::error& why) {
    drop_connection(why);
  }
}

void work_loop::read_notifications() {
  while (db_->wait_for_notification(clock::now())) claim_at_ = {};
}

}  // namespace cli
