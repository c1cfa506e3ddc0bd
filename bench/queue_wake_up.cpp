// What it costs producers that consumers are woken: enqueueing while workers are busy that are notified, against
// workers that look for themselves.

#include <list>

#include "queue_clients.hpp"
#include "scene.hpp"
#include "working.hpp"

namespace bench {
namespace {

constexpr int producers = 16;
constexpr int workers = 2;

class waking_side {
 public:
  waking_side(const scene& where, bool use_notifications)
      : where_{where}, db_{where.url}, with_{producers, where.url}, use_notifications_{use_notifications} {}

  measure operator()() {
    empty<shop::email_v1_contract>(db_);
    std::list<working> busy;
    for (int i = 0; i < workers; ++i)
      busy.emplace_back(where_.url, quern::worker_options{.batch_size = 100,
                                                          .poll_interval = std::chrono::milliseconds{5},
                                                          .use_notifications = use_notifications_,
                                                          .use_heartbeat = false});
    return with_.run(where_.how.time);
  }

 private:
  scene where_;
  quern::connection db_;
  crew<enqueuing> with_;
  bool use_notifications_;
};

}  // namespace

std::vector<row> queue_wake_up_rows(const scene& where) {
  waking_side with{where, true};
  waking_side without{where, false};
  return {message_row("enqueue, 16 producers, 2 workers that are notified", "the same, workers that poll each 5 ms",
                      compare(
                          where.how.rounds, [&] { return with(); }, [&] { return without(); }),
                      0.95)};
}

}  // namespace bench
