// How long it takes from the commit of a message until the handler of an idle worker has it.

#include <condition_variable>
#include <mutex>
#include <thread>

#include "latency.hpp"
#include "queue_clients.hpp"
#include "scene.hpp"
#include "working.hpp"

namespace bench {
namespace {

using std::chrono::milliseconds;

/// When which order was handled.
class handled_orders {
 public:
  void note(std::int64_t order) {
    {
      const std::scoped_lock lock{mutex_};
      at_ = clock::now();
      last_ = order;
    }
    changed_.notify_all();
  }

  clock::time_point wait_for(std::int64_t order) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return last_ == order; });
    return at_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  clock::time_point at_;
  std::int64_t last_ = -1;
};

}  // namespace

std::vector<row> queue_latency_rows(const scene& where) {
  quern::connection db{where.url};
  empty<shop::email_v1_contract>(db);
  shop::email_producer producer{db};
  handled_orders handled;
  std::vector<double> latencies;
  {
    const working idle{where.url, {}, [&](const auto& message) { handled.note(message.payload.order_id); }};
    for (int number = 0; number < where.how.latencies; ++number) {
      check_interrupt();
      // It acknowledges, finds nothing, and waits.
      std::this_thread::sleep_for(milliseconds{15});
      producer.enqueue(mail<shop::email>(number));
      const auto begin = clock::now();
      latencies.push_back(std::chrono::duration<double, std::milli>(handled.wait_for(number) - begin).count());
    }
  }
  return latency_rows("enqueue to an idle worker", latencies);
}

}  // namespace bench
