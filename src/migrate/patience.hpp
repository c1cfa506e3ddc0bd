#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace migrate {

/// Waiting that has an end: pauses grow from one to the next, up to a limit, and never pass the end.
class patience {
 public:
  using clock = std::chrono::steady_clock;

  patience(std::chrono::milliseconds total, std::chrono::milliseconds first, std::chrono::milliseconds longest)
      : end_{clock::now() + total}, next_{first}, longest_{longest} {}

  bool is_over() const { return clock::now() >= end_; }

  void pause() {
    std::this_thread::sleep_for(std::min<clock::duration>(next_, end_ - clock::now()));
    next_ = std::min(next_ * 2, longest_);
  }

 private:
  clock::time_point end_;
  std::chrono::milliseconds next_;
  std::chrono::milliseconds longest_;
};

}  // namespace migrate
