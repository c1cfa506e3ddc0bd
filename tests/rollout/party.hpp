#pragma once

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <quern/quern.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// A producer or consumer that works until SIGTERM and then writes down every call: when, what, how long.
namespace rollout {

using steady = std::chrono::steady_clock;

inline volatile std::sig_atomic_t is_stopped = 0;

struct call {
  steady::time_point at;
  const char* what;
  steady::duration taken;
};

class journal {
 public:
  /// Calls the function and notes how long it took; what it throws ends the program.
  template <class Function>
  auto note(const char* what, Function function) {
    const auto start = steady::now();
    auto result = function();
    calls_.push_back({start, what, steady::now() - start});
    return result;
  }

  void write(const std::string& file) const {
    std::ofstream out{file};
    for (const auto& [at, what, taken] : calls_) {
      out << std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count() << ' ' << what << ' '
          << std::chrono::duration_cast<std::chrono::microseconds>(taken).count() << '\n';
    }
  }

 private:
  std::vector<call> calls_;
};

/// Enqueues messages with the numbers from `first` on, one after the other and now and then some at once. Each is
/// entered into the table `produced` in its own transaction.
template <class Producer, class Payload>
void produce(quern::connection& db, journal& calls, std::int64_t first, Payload payload_of) {
  Producer producer{db};
  auto next = first;
  while (is_stopped == 0) {
    if (next % 50 == 0) {
      std::vector<typename Producer::payload_type> some;
      for (int i = 0; i < 20; ++i) some.push_back(payload_of(next + i));
      calls.note("enqueue_all", [&] {
        quern::transaction both{db};
        producer.enqueue_all(some);
        db.execute("insert into produced select g from generate_series($1::bigint, $2) as g", next, next + 19);
        both.commit();
        return true;
      });
      next += 20;
    }
    calls.note("enqueue", [&] {
      quern::transaction both{db};
      const auto id = producer.enqueue(payload_of(next));
      db.execute("insert into produced values ($1)", next);
      both.commit();
      return id;
    });
    ++next;
    std::this_thread::sleep_for(std::chrono::milliseconds{3});
  }
}

/// Handles messages in both ways: taken, and claimed and acknowledged. The table `handled` has its order_id as key, so
/// that a message that is handled twice is an error.
template <class Consumer>
void consume(quern::connection& db, journal& calls, const std::string& name) {
  using message = typename Consumer::message_type;
  Consumer consumer{db};
  const auto enter = [&](const std::vector<message>& messages) {
    for (const auto& one : messages) {
      db.execute("insert into handled (order_id, consumer) values ($1, $2)", one.payload.order_id, name);
    }
  };
  for (bool takes = true; is_stopped == 0; takes = !takes) {
    std::size_t count = 0;
    if (takes) {
      count = calls.note("take", [&] {
        quern::transaction both{db};
        const auto taken = consumer.take(both, 5);
        enter(taken);
        both.commit();
        return taken.size();
      });
    } else {
      const auto claimed = calls.note("claim", [&] { return consumer.claim(5); });
      count = claimed.size();
      if (count > 0) {
        calls.note("ack", [&] {
          quern::transaction both{db};
          enter(claimed);
          if (!consumer.ack(claimed).empty()) throw std::runtime_error{"a lease was lost"};
          both.commit();
          return true;
        });
      }
    }
    if (count == 0) std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
}

/// `produce URL JOURNAL FIRST` or `consume URL JOURNAL NAME`.
template <class Producer, class Consumer, class Payload>
int run(int count, char** arguments, Payload payload_of) try {
  if (count != 5) return 2;
  std::signal(SIGTERM, [](int) { is_stopped = 1; });
  quern::connection db{std::string{arguments[2]}};
  journal calls;
  if (std::string_view{arguments[1]} == "produce") {
    produce<Producer>(db, calls, std::atoll(arguments[4]), payload_of);
  } else {
    consume<Consumer>(db, calls, arguments[4]);
  }
  calls.write(arguments[3]);
  return 0;

} catch (const std::exception& failed) {
  std::fprintf(stderr, "%s %s: %s\n", arguments[1], arguments[4], failed.what());
  return 1;
}

}  // namespace rollout
