#pragma once

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "interrupt.hpp"
#include "measure.hpp"
#include "processor_time.hpp"

namespace bench {

using clock = std::chrono::steady_clock;

/// What a client did in one step.
struct progress {
  std::uint64_t count = 0;
  bool is_finished = false;  // there is nothing left to do
};

/// Clients of one kind that work at the same time, each in a thread of its own with a connection of its own.
/// A client is made from a connection string and has `progress step()` and `int backend_pid() const`.
template <class Client>
class crew {
 public:
  template <class... Arguments>
  crew(int size, const Arguments&... arguments) {
    for (int i = 0; i < size; ++i) clients_.emplace_back(arguments...);
  }

  template <class Visitor>
  void for_each(Visitor visit) {
    for (Client& each : clients_) visit(each);
  }

  /// All begin at once and go on until the time is over or there is nothing left. Throws what a client threw first.
  measure run(std::chrono::duration<double> time) {
    const std::vector<int> backends = pids();
    std::vector<outcome> outcomes(clients_.size());
    std::barrier start{static_cast<std::ptrdiff_t>(clients_.size() + 1)};
    std::vector<std::thread> threads;
    const double before = processor_seconds(backends);
    for (std::size_t i = 0; i < clients_.size(); ++i)
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        work(clients_[i], clock::now() + std::chrono::duration_cast<clock::duration>(time), outcomes[i]);
      });
    const auto begin = clock::now();
    start.arrive_and_wait();
    for (std::thread& each : threads) each.join();
    return summary(outcomes, begin, processor_seconds(backends) - before);
  }

 private:
  struct outcome {
    std::uint64_t count = 0;
    clock::time_point end{};
    double processor_seconds = 0;
    std::exception_ptr problem{};
  };

  std::vector<int> pids() const {
    std::vector<int> found;
    for (const Client& each : clients_) found.push_back(each.backend_pid());
    return found;
  }

  static void work(Client& client, clock::time_point deadline, outcome& done) {
    try {
      while (clock::now() < deadline && !is_interrupted()) {
        const progress step = client.step();
        done.count += step.count;
        if (step.is_finished) break;
      }
    } catch (...) {
      done.problem = std::current_exception();
    }
    done.end = clock::now();
    done.processor_seconds = own_processor_seconds();
  }

  static measure summary(const std::vector<outcome>& outcomes, clock::time_point begin, double server_seconds) {
    check_interrupt();
    measure sum{.server_seconds = server_seconds};
    clock::time_point end = begin;
    for (const outcome& each : outcomes) {
      if (each.problem) std::rethrow_exception(each.problem);
      sum.count += each.count;
      sum.client_seconds += each.processor_seconds;
      end = std::max(end, each.end);
    }
    sum.seconds = std::chrono::duration<double>(end - begin).count();
    return sum;
  }

  std::deque<Client> clients_;  // which are not moved: what they hold refers to their connection
};

}  // namespace bench
