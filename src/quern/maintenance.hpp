#pragma once

#include <chrono>
#include <quern/connection.hpp>
#include <quern/contract.hpp>

namespace quern {

/// Clears away what nobody needs any more of a stream, or of a queue with a log, in a transaction of its own, every ten
/// seconds that its consumer is used.
class maintenance {
 public:
  template <payload_contract Contract>
  void when_due(connection& on) {
    const auto now = std::chrono::steady_clock::now();
    if (now < last_ + period) return;
    last_ = now;
    on.execute(Contract::maintain);
  }

 private:
  static constexpr std::chrono::seconds period{10};

  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace quern
