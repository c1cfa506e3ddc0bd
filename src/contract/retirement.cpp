#include "contract/retirement.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "contract/queue_names.hpp"

namespace contract {

std::string why_not_retire(const lock& lock, std::string_view queue, int version, int engine) {
  const auto* line = find_queue(lock, queue);
  if (line == nullptr) {
    const auto* owner = find_owner(lock, queue);
    if (owner == nullptr || owner->state.is_dropped) return fmt::format("there is no queue or stream \"{}\"", queue);
    return fmt::format("there is no {} \"{}\": it is called \"{}\" now", kind_of(owner->state), queue,
                       queue_name(*owner));
  }
  const auto& contracts = line->state.contracts;
  const auto title = fmt::format("{} \"{}\"", kind_of(line->state), queue);
  if (version < 1 || version > contracts.back().version) {
    return fmt::format("{} has no contract v{}", title, version);
  }
  if (contracts[static_cast<std::size_t>(version - 1)].is_retired) {
    return fmt::format("contract v{} of {} is retired already", version, title);
  }
  if (line->released) return fmt::format("{} has a draft: run `quern release {}` first", title, queue);
  if (line->engine < engine) {
    return fmt::format("{} is of engine {}, and quern has engine {}: run `quern generate` and `quern release {}` first",
                       title, line->engine, engine, queue);
  }
  const auto alive = live(contracts);
  if (alive.size() == 1) {
    return fmt::format("contract v{} is the only live one of {}: to drop the {}, take it out of the declaration",
                       version, title, kind_of(line->state));
  }
  if (alive.front()->version != version) {
    return fmt::format("contract v{} of {} is older and live: retire it first", alive.front()->version, title);
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
