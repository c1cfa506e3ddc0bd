#include "contract/retirement.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "contract/queue_names.hpp"

namespace contract {

std::string why_not_retire(const lock& lock, std::string_view queue, int version, int engine) {
  const auto* line = find_queue(lock, queue);
  if (line == nullptr) {
    const auto* owner = find_owner(lock, queue);
    if (owner == nullptr || owner->state.is_dropped) return fmt::format("there is no queue \"{}\"", queue);
    return fmt::format("there is no queue \"{}\": it is called \"{}\" now", queue, queue_name(*owner));
  }
  const auto& contracts = line->state.contracts;
  if (version < 1 || version > contracts.back().version) {
    return fmt::format("queue \"{}\" has no contract v{}", queue, version);
  }
  if (contracts[static_cast<std::size_t>(version - 1)].is_retired) {
    return fmt::format("contract v{} of queue \"{}\" is retired already", version, queue);
  }
  if (line->released) return fmt::format("queue \"{0}\" has a draft: run `quern release {0}` first", queue);
  if (line->engine < engine) {
    return fmt::format(
        "queue \"{0}\" is of engine {1}, and quern has engine {2}: run `quern generate` and `quern release {0}` first",
        queue, line->engine, engine);
  }
  const auto alive = live(contracts);
  if (alive.size() == 1) {
    return fmt::format(
        "contract v{} is the only live one of queue \"{}\": to drop the queue, take it out of the declaration", version,
        queue);
  }
  if (alive.front()->version != version) {
    return fmt::format("contract v{} of queue \"{}\" is older and live: retire it first", alive.front()->version,
                       queue);
  }
  return {};
}

lock retire(const lock& lock, std::string_view queue) {
  auto result = lock;
  const auto& name = find_queue(lock, queue)->name;
  const auto is_it = [&](const line& one) { return one.name == name; };
  auto& contracts = std::find_if(result.lines.begin(), result.lines.end(), is_it)->state.contracts;
  std::find_if(contracts.begin(), contracts.end(), [](const auto& one) { return !one.is_retired; })->is_retired = true;
  return result;
}

}  // namespace contract
