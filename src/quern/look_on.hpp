#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <quern/connection.hpp>
#include <quern/contract.hpp>
#include <string>

namespace quern {

/// Of a consumer with a filter, how far it has looked, while there is more behind that; else nothing.
template <stream_contract Contract>
std::optional<std::int64_t> looked_up_to(connection& on, const std::string& consumer) {
  return on.execute(Contract::looked_up_to, consumer).template value<std::optional<std::int64_t>>();
}

/// The events that `ask` gives. A call looks at some thousands and may find none that a filter lets through: then it is
/// asked again, for `longest` at most and only as long as each call has looked further than the one before.
template <stream_contract Contract, class Ask>
auto look_on(connection& on, const std::string& consumer, Ask ask, std::chrono::steady_clock::duration longest) {
  auto events = ask();
  if (!events.empty()) return events;
  const auto begin = std::chrono::steady_clock::now();
  auto place = looked_up_to<Contract>(on, consumer);
  while (events.empty() && place && std::chrono::steady_clock::now() - begin < longest) {
    events = ask();
    const auto next = looked_up_to<Contract>(on, consumer);
    if (next == place) break;
    place = next;
  }
  return events;
}

}  // namespace quern
