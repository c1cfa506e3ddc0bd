#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <quern/connection.hpp>
#include <quern/contract.hpp>
#include <thread>

namespace quern {

/// Gives what is committed by now its offsets, in a transaction of its own. Waits while another session does the same,
/// a second at most: who seals in a transaction that goes on for long holds nobody up.
template <stream_contract Contract>
void seal_events(connection& on) {
  constexpr auto longest = std::chrono::seconds{1};
  const auto end = std::chrono::steady_clock::now() + longest;
  while (!on.execute(Contract::seal).template value<std::optional<std::int64_t>>()) {
    if (std::chrono::steady_clock::now() >= end) return;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

/// What `ask` gives, a list of events that is the present end of the stream only when it is empty at last: a call may
/// have given events their offsets that it could not show before it had committed, and another session may be about to.
template <stream_contract Contract, class Ask>
auto ask_to_the_end(connection& on, Ask ask) {
  auto events = ask();
  if (events.empty()) events = ask();
  if (!events.empty()) return events;
  seal_events<Contract>(on);
  return ask();
}

}  // namespace quern
