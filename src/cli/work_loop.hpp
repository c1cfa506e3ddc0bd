#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <quern/connection.hpp>
#include <quern/reconnect.hpp>
#include <quern/registration.hpp>
#include <string>
#include <vector>

#include "cli/handler_keeper.hpp"
#include "cli/handler_process.hpp"
#include "cli/job_source.hpp"
#include "cli/work_signals.hpp"

namespace cli {

/// How jobs are worked on.
struct work_options {
  std::string command{};
  int concurrency = 1;
  std::optional<std::chrono::microseconds> timeout{};       // of one handler
  std::optional<std::chrono::microseconds> stop_timeout{};  // of all of them after a request to stop
  std::chrono::microseconds grace{std::chrono::seconds{5}};
  std::chrono::microseconds lease{std::chrono::seconds{30}};
  std::chrono::milliseconds poll_interval{1000};
  bool is_drain = false;
  bool use_notifications = true;
  bool with_results = false;  // what a handler prints is one
};

/// Who works, for the list of workers.
struct work_name {
  std::string schema{};
  std::string queue{};
  std::string consumer{};
};

/// What came of it.
struct work_done {
  std::int64_t handled = 0;
  std::int64_t failed = 0;
  std::int64_t lost = 0;      // somebody else has them now
  std::int64_t released = 0;  // given back unfinished
};

/// Claims jobs, runs a handler for each and ends them: one thread, one connection and poll(). Leases are extended while
/// handlers run. A lost connection is made anew; handlers go on meanwhile, and what has ended is told then.
class work_loop {
 public:
  /// Makes a connection.
  using connect = std::function<quern::connection()>;

  /// Makes the source anew: contracts come and go.
  using look_up = std::function<job_source()>;

  work_loop(work_options options, const work_name& who, connect make_connection, look_up make_source);

  /// Until a request to stop or, with is_drain, until nothing is there. Throws quern::error when the database refuses
  /// what cannot be tried again, or cannot be reached at the end.
  work_done run();

 private:
  using clock = std::chrono::steady_clock;
  using time = clock::time_point;

  /// Why a handler is being ended.
  enum class force { none, timeout, lost, stop };

  struct running_job {
    job what;
    handler_process process;
    time started;
    force forced = force::none;
    time kill_at = time::max();
  };

  /// A job that ended and of which the database does not know yet.
  struct ending {
    job what;
    enum class kind { ack, nack, release } how;
    std::string error{};
    std::optional<std::string> result{};
  };

  void work();
  void force_stop();
  void collect();
  void note_end(running_job& ended, const handler_end& how);
  void watch_over();
  void end_by_force(running_job& one, force why);
  void talk();
  void connect_again();
  void tell_endings();
  void tell_ending(const ending& one);
  void tell_failure(const ending& one, const std::string& error);
  bool ack(const ending& one);
  void extend_leases();
  void claim();
  std::chrono::microseconds pause();
  void start(std::vector<job>& claimed);
  void begin_waiting();
  void end_waiting();
  void drop_connection(const quern::error& why);
  void hold_on(const quern::error& why);
  void try_again(const quern::error& why, bool is_known);
  bool is_done() const;
  bool is_stopping() const { return stops_ > 0; }
  int free_slots() const { return options_.concurrency - static_cast<int>(running_.size()); }
  time next_time() const;
  void wait();
  void read_notifications();

  work_options options_;
  connect make_connection_;
  look_up make_source_;
  handler_keeper keeper_;  // before the connection: it shares no file with it
  work_signals signals_;
  std::string begin_statement_;
  std::string beat_statement_;
  quern::registration registration_;
  std::optional<quern::connection> db_{};
  std::optional<job_source> source_{};
  std::vector<running_job> running_{};
  std::deque<ending> endings_{};
  work_done done_{};
  int stops_ = 0;
  bool is_forced_ = false;
  time stop_at_ = time::max();  // when handlers are ended by force after a request to stop
  time claim_at_{};             // not before that something can be there
  time start_at_{};             // not before that handlers can be started, as far as is known
  time extend_at_{};
  time talk_at_{};  // to the database, which has failed just now
  time look_up_at_{};
  quern::backoff backoff_;
  bool is_waiting_ = false;    // producers notify
  bool is_hindered_ = false;   // the last talk was refused, and that was told
  int empty_claims_ = 0;       // in a row, with nothing running, and nothing that waits for a limit
  bool is_held_back_ = false;  // with is_drain: something waits for a limit
};

}  // namespace cli
