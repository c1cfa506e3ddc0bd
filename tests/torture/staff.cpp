// The library's worker, as a program would use it: handlers that are quick, slow or fail, one message at a time or a
// batch, on several threads, with and without a heartbeat. It is stopped, interrupted and run again.

#include <fmt/format.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <quern/worker.hpp>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <torture/jobs.hpp>
#include <torture/letters.hpp>
#include <torture/orders.hpp>
#include <torture/steps.hpp>
#include <vector>

#include "claims.hpp"
#include "effects.hpp"
#include "player.hpp"

namespace torture {
namespace {

using std::chrono::milliseconds;

constexpr const char* application = "torture";

template <class Contract>
class staff {
 public:
  explicit staff(player& me) : me_{&me} {}

  /// One worker, for some of its runs.
  void employ() {
    me_->set_clock();
    me_->notes().note(mark::session);
    quern::connection db{me_->url(), {.application_name = application}};
    quern::consumer<Contract> from{db};
    const auto how = options();
    has_heartbeat_ = how.use_heartbeat;
    if (me_->chance(0.3))
      run(quern::worker{from, [this](batch given, std::stop_token loss) { handle(given, loss); }, how});
    else
      run(quern::worker{from,
                        [this](const message& given, std::stop_token loss) {
                          handle(batch{&given, 1}, loss);
                        },
                        how});
  }

 private:
  using message = quern::message_of<Contract>;
  using batch = std::span<const message>;
  using guard = std::lock_guard<std::mutex>;

  quern::worker_options options() {
    quern::worker_options made;
    made.batch_size = me_->between(1, 20);
    if (me_->chance(0.3)) made.lease = milliseconds{me_->between(300, 800)};
    made.poll_interval = milliseconds{me_->between(50, 500)};
    made.until_empty = me_->chance(0.1);
    made.use_notifications = me_->chance(0.8);
    made.concurrency = me_->between(1, 3);
    made.use_heartbeat = me_->chance(0.8);
    made.reconnect.limit = milliseconds{me_->between(0, 1) * 3000};
    made.on_disconnect = [this](const quern::error& failure) {
      const guard lock{mutex_};
      me_->note(failure);
    };
    return made;
  }

  template <class Worker>
  void run(Worker worker) {
    for (int runs = me_->between(1, 3); runs > 0 && !me_->is_over(); --runs) {
      std::stop_source end;
      std::jthread boss{[&, time = milliseconds{me_->between(300, 4000)},
                         is_interrupt = me_->chance(0.5)](const std::stop_token& is_done) {
        for (milliseconds passed{0}; passed < time && !is_done.stop_requested() && !me_->is_over(); passed += glance)
          std::this_thread::sleep_for(glance);
        if (is_interrupt && !me_->is_over())
          worker.interrupt();
        else
          end.request_stop();
      }};
      worker.run(end.get_token());
      boss.request_stop();
      boss.join();
      look_at(worker.counters());
    }
  }

  void look_at(const quern::worker_counters& done) {
    if (done.handled + done.failed + done.released > done.claimed || done.acknowledged > done.handled)
      me_->notes().note(mark::violation,
                        fmt::format("claimed {}, handled {}, failed {}, released {}, acknowledged {}", done.claimed,
                                    done.handled, done.failed, done.released, done.acknowledged));
  }

  enum class fate { quick, slow, fails };

  void handle(batch given, const std::stop_token& loss) {
    const fate mine = begin(given);
    if (mine == fate::fails) fail(given, "a reason");
    write(given);
    if (mine == fate::slow) linger(given, loss);
    const guard lock{mutex_};
    for (const message& each : given) me_->notes().add(mark::asks_to_end, each.message_id, each.attempt);
    me_->notes().flush();
  }

  fate begin(batch given) {
    const guard lock{mutex_};
    for (const message& each : given) note_claim(*me_, each);
    me_->notes().flush();
    return me_->chance(0.1) ? fate::fails : me_->chance(0.03) ? fate::slow : fate::quick;
  }

  [[noreturn]] void fail(batch given, const std::string& words) {
    const guard lock{mutex_};
    for (const message& each : given) me_->notes().add(mark::may_end, each.message_id, each.attempt);
    me_->notes().flush();
    throw std::runtime_error{words};
  }

  /// In a transaction of its own: it is there however often the message is handled.
  void write(batch given) {
    try {
      const guard lock{mutex_};
      if (!own_) own_.emplace(me_->url(), quern::connection_options{.application_name = application});
      write_handled(*own_, Contract::queue, std::vector<message>{given.begin(), given.end()}, "worker");
      return;
    } catch (const quern::error& failed) {
      const guard lock{mutex_};
      me_->note(failed);
      if (failed.connection_lost()) own_.reset();
    }
    fail(given, "the effect could not be written");
  }

  /// For longer than the lease. As long as the library says nothing, the messages are nobody else's: it has some time
  /// to say so, unless the process stood still.
  void linger(batch given, const std::stop_token& loss) {
    pause_for(milliseconds{time_between(200, 2500)}, loss);
    constexpr milliseconds patience{2000};
    const micros then = now();
    std::this_thread::sleep_for(patience);
    const bool stood_still = now() - then > 2 * std::chrono::microseconds{patience}.count();
    if (!has_heartbeat_ || stood_still || loss.stop_requested()) return;
    const guard lock{mutex_};
    for (const message& each : given) me_->notes().add(mark::held, each.message_id, each.attempt, then);
    me_->notes().flush();
  }

  int time_between(int least, int most) {
    const guard lock{mutex_};
    return me_->between(least, most);
  }

  void pause_for(milliseconds time, const std::stop_token& loss) const {
    for (milliseconds passed{0}; passed < time && !loss.stop_requested() && !me_->is_over(); passed += glance)
      std::this_thread::sleep_for(glance);
  }

  static constexpr milliseconds glance{20};

  player* me_;
  std::mutex mutex_;  // of the player and of what follows
  std::optional<quern::connection> own_;
  bool has_heartbeat_ = false;
};

template <class Contract>
void run_workers(player& me) {
  staff<Contract> mine{me};
  while (!me.is_over()) {
    try {
      mine.employ();
    } catch (const quern::error& failed) {
      me.note(failed);
      me.pause(milliseconds{20});
    }
  }
}

}  // namespace

void run_workers_on_jobs(player& me) {
  run_workers<jobs_v1_contract>(me);
}

void run_workers_on_letters(player& me) {
  run_workers<letters_v1_contract>(me);
}

void run_workers_on_orders(player& me) {
  run_workers<orders_v1_contract>(me);
}

void run_workers_on_steps(player& me) {
  run_workers<steps_v1_contract>(me);
}

}  // namespace torture
