#pragma once

#include <chrono>
#include <functional>
#include <quern/worker.hpp>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "mail.hpp"

namespace bench {

/// A worker of shop.email on a thread of its own, as long as this lives.
class working {
 public:
  using handler = std::function<void(const shop::email_message&)>;

  working(
      const std::string& url, quern::worker_options options, handler handle = [](const auto&) {})
      : db_{url},
        consumer_{db_},
        worker_{consumer_, std::move(handle), std::move(options)},
        thread_{[this](const std::stop_token& stop) { worker_.run(stop); }} {}

 private:
  quern::connection db_;
  shop::email_consumer consumer_;
  quern::worker<shop::email_consumer, handler> worker_;
  std::jthread thread_;  // the first to end
};

}  // namespace bench
