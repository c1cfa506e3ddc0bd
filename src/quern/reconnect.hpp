#pragma once

#include <chrono>
#include <optional>
#include <quern/connection.hpp>
#include <random>

namespace quern {

/// What is done when the connection is lost. The first attempt to get it back is made at once, each further one after a
/// wait that doubles, of which a random half is left out so that workers do not come back in step.
struct reconnect_options {
  /// For how long; then the failure leaves worker::run(). 0: not at all.
  std::chrono::milliseconds limit{std::chrono::minutes{5}};
  std::chrono::milliseconds first_wait{50};
  std::chrono::milliseconds longest_wait{5'000};
};

/// The times between attempts.
class backoff {
 public:
  explicit backoff(const reconnect_options& options) : options_{options} {}

  /// How long to wait before the next attempt; nothing when there is to be none.
  std::optional<std::chrono::milliseconds> next();

  /// An attempt went well: the next failure is the first.
  void reset() noexcept { failing_since_.reset(); }

 private:
  reconnect_options options_;
  std::optional<deadline> failing_since_;
  std::chrono::milliseconds wait_{};
  std::minstd_rand random_{std::random_device{}()};
};

/// Opens a connection again, to a server that takes writes: throws connection_error when it is a standby.
void reopen_for_writing(connection& lost);

}  // namespace quern
