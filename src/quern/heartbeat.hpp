#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <quern/claim_token.hpp>
#include <quern/connection.hpp>
#include <quern/server_clock.hpp>
#include <quern/time.hpp>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

namespace quern {

class heartbeat;

/// What one thread of a worker has claimed and not yet ended: some claims that run out at once or each at its time.
/// One thread uses it; the heartbeat, which must outlive it, extends what is in it.
class hand {
 public:
  explicit hand(heartbeat& beats);
  hand(const hand&) = delete;
  hand& operator=(const hand&) = delete;
  ~hand();

  struct claim {
    claim_token token;
    timestamp lease_until;  // by the server's clock
    deadline lapses_at;     // the same by this machine's, or a little before
  };

  /// In place of what was in it. Of claims of one token that stand together one is extended.
  void take(const std::vector<claim>& claims);

  /// The first `count` that were taken have ended.
  void let_go(std::size_t count);

  /// One was extended otherwise.
  void renew(std::size_t number, timestamp lease_until, deadline lapses_at);

  enum class state { held, lapsed, lost };

  struct grip {
    hand::state state;
    timestamp lease_until;
  };

  /// How it is with one: `lapsed` is what nobody else may have by now, `lost` what is known to have ended.
  grip at(std::size_t number) const;

  /// While these are being handled: a stop is requested when one of them is lost or has lapsed.
  std::stop_token begin(std::size_t first, std::size_t count);
  void end();

 private:
  friend class heartbeat;

  struct held : claim {
    deadline renew_at{};
    deadline answer_by{};  // an extension is under way, which may have to wait for a lock; nobody else has it meanwhile
    bool is_lost = false;

    deadline told_at() const { return std::max(lapses_at, answer_by); }
  };

  bool has_lost_current(deadline now) const;

  heartbeat* beats_;
  std::vector<held> held_;
  std::size_t first_ = 0;  // of those that have not ended
  std::size_t generation_ = 0;
  std::size_t handled_first_ = 0;
  std::size_t handled_end_ = 0;
  std::optional<std::stop_source> loss_;
};

/// A thread that extends the claims in the hands of a worker's threads when a third of their time is over, over a
/// connection that it opens when it first has something to do. Another one tells handlers of a loss, so that they hear
/// of it while the first waits for the database; it begins with the first handler that listens.
class heartbeat {
 public:
  /// Extends a claim over a connection and returns until when; nothing when it is not the current one any more.
  using extend_function = std::function<std::optional<timestamp>(connection& over, const claim_token& held)>;
  /// What is to be done besides over the connection, each time that something was extended.
  using beat_function = std::function<void(connection& over)>;
  /// What failed, for the log; it goes on. Called on the heartbeat's thread; must not throw.
  using failure_function = std::function<void(std::string_view error)>;

  /// Without `is_on` nothing is extended, and there is no thread.
  heartbeat(connection_settings settings, extend_function extend, beat_function on_beat, failure_function on_failure,
            bool is_on);
  heartbeat(const heartbeat&) = delete;
  heartbeat& operator=(const heartbeat&) = delete;

  /// Waits for what is under way.
  ~heartbeat();

 private:
  friend class hand;

  struct beat {
    hand* from;
    std::size_t generation;
    std::size_t number;
    claim_token token;
  };

  using guard = std::unique_lock<std::mutex>;

  void run();
  void watch();
  void wake_before(deadline due);
  void watch_before(deadline lapse);
  deadline next_wake() const;
  deadline next_lapse() const;
  std::vector<beat> due(deadline now) const;
  bool is_wanted(const beat& one) const;
  void extend(guard& lock, const beat& one);
  std::optional<timestamp> ask(const claim_token& token);
  void note_question(const beat& one, deadline answer_by);
  void note_end(const beat& one, deadline since, std::optional<timestamp> until);
  void note_locked(const beat& one);
  void note_failure(guard& lock, std::string_view error);
  void tell_losers(guard& lock);

  connection_settings settings_;
  extend_function extend_;
  beat_function on_beat_;
  failure_function on_failure_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<hand*> hands_;
  std::optional<connection> over_;  // the thread's alone
  server_clock clock_;              // so is this
  deadline wakes_at_ = no_deadline;
  std::condition_variable begun_;
  deadline watches_at_ = no_deadline;
  deadline not_before_{};  // after a failure
  std::size_t takes_ = 0;
  bool is_ending_ = false;
  std::thread thread_;
  std::thread watcher_;
};

}  // namespace quern
