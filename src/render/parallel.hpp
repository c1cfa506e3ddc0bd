#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

namespace render {

/// Calls `work(state, i)` for every i below `count`, on as many threads as there are processors when there is enough to
/// do; each thread makes a state of its own with `make_state()`. Throws what the first thread has thrown.
template <class MakeState, class Work>
void for_each_index(std::size_t count, MakeState make_state, Work work) {
  constexpr std::size_t worth_a_thread = 64;
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const auto threads = std::clamp<std::size_t>(count / worth_a_thread, 1, processors);
  std::atomic<std::size_t> next{0};
  std::vector<std::exception_ptr> failures(threads);
  const auto run = [&](std::size_t number) noexcept {
    try {
      auto state = make_state();
      for (auto i = next++; i < count; i = next++) work(state, i);
    } catch (...) {
      failures[number] = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t number = 1; number < threads; ++number) helpers.emplace_back(run, number);
    run(0);
  }
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace render
