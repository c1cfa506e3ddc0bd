#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <quern/connection.hpp>
#include <quern/contract.hpp>
#include <thread>

namespace quern {

/// Gives what is committed by now its offsets, in a transaction of its own, and returns whether there may be events
/// that were not to be seen before. Waits while another session does the same, a second at most: who
/// seals in a transaction that goes on for long holds nobody up.
template <stream_contract Contract>
bool seal_events(connection& on) {
  constexpr auto longest = std::chrono::seconds{1};
  const auto end = std::chrono::steady_clock::now() + longest;
  bool has_waited = false;
  for (;;) {
    const auto count = on.execute(Contract::seal).template value<std::optional<std::int64_t>>();
    if (count) return has_waited || *count > 0;
    if (std::chrono::steady_clock::now() >= end) return true;
    has_waited = true;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

}  // namespace quern
