// How long it takes from the commit of an event until a consumer that waits has it: the wake-up, a seal, which is a
// commit of its own, and the read.

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <quern/interruption.hpp>
#include <quern/waiting.hpp>
#include <stop_token>
#include <thread>

#include "latency.hpp"
#include "scene.hpp"
#include "stream_clients.hpp"

namespace bench {
namespace {

using contract = shop::activity_v1_contract;
using std::chrono::milliseconds;

/// Receives whatever comes, waits with LISTEN while nothing does, and notes when each event was there.
class listening {
 public:
  explicit listening(const std::string& url) : db_{url}, consumer_{db_, subscribed()} {}

  void run(const std::stop_token& stop) {
    quern::waiting wait{db_, contract::channel, contract::wake_key, [] { return std::optional<quern::interval>{}; },
                        true};
    quern::interruption stopping;
    const std::stop_callback on_stop{stop, [&] { stopping.raise(); }};
    while (!stop.stop_requested()) {
      if (take()) continue;
      wait.begin();
      is_waiting_ = true;
      // What came before the lock was there has notified nobody.
      if (!take()) {
        wait.sleep(milliseconds{1000}, stopping);
        take();
      }
      wait.end();
    }
  }

  bool is_waiting() const { return is_waiting_; }

  /// When the event with this customer was received; waits for it.
  clock::time_point received(std::int64_t number) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return last_ >= number; });
    is_waiting_ = false;
    return at_;
  }

 private:
  const char* subscribed() {
    db_.execute("select shop.activity_subscribe('listener')");
    return "listener";
  }

  bool take() {
    const auto events = consumer_.receive(100);
    if (events.empty()) return false;
    {
      const std::scoped_lock lock{mutex_};
      at_ = clock::now();
      last_ = events.back().payload.customer_id;
    }
    changed_.notify_all();
    consumer_.ack(events);
    return true;
  }

  quern::connection db_;
  shop::activity_consumer consumer_;
  std::atomic<bool> is_waiting_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  clock::time_point at_;
  std::int64_t last_ = 0;
};

}  // namespace

std::vector<row> stream_latency_rows(const scene& where) {
  quern::connection db{where.url};
  empty_stream<contract>(db);
  shop::activity_producer producer{db};
  listening there{where.url};
  std::vector<double> latencies;
  {
    std::jthread consumer{[&](const std::stop_token& stop) { there.run(stop); }};
    for (int number = 1; number <= where.how.latencies; ++number) {
      check_interrupt();
      while (!there.is_waiting()) std::this_thread::sleep_for(milliseconds{1});
      std::this_thread::sleep_for(milliseconds{5});
      producer.publish(event<shop::activity>(number));
      const auto begin = clock::now();
      latencies.push_back(std::chrono::duration<double, std::milli>(there.received(number) - begin).count());
    }
  }
  return latency_rows("publish to a waiting consumer", latencies);
}

}  // namespace bench
