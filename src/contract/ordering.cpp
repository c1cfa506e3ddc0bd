#include "contract/ordering.hpp"

#include <fmt/format.h>

#include "contract/evolution.hpp"

namespace contract {

std::optional<text::diagnostic> check_order(const declaration::queue& queue,
                                            const std::vector<payload_contract>& contracts) {
  if (!queue.order) return {};
  for (const auto* one : live(contracts)) {
    if (one->priorities == 0) continue;
    return text::diagnostic{
        text::severity::error,
        "order_beside_priorities",
        fmt::format("queue \"{}\" cannot be ordered while messages of contract v{} have priorities", queue.name,
                    one->version),
        queue.order->where,
        fmt::format("its messages and functions are there until it is retired. Three ways out:\n"
                    "  1. keep the priorities, and leave 'ordered_by' away\n"
                    "  2. take 'priorities' away now, retire contract v{}, and add 'ordered_by' then\n"
                    "  3. declare a new queue under another name, and let this one drain",
                    one->version),
        {}};
  }
  const auto& newest = contracts.back();
  const auto* key = find_field(newest, queue.order->field);
  if (key == nullptr) return {};
  for (const auto* older : live(contracts)) {
    const auto* before = counterpart(contracts, newest.version, *key, older->version);
    if (before == nullptr || before->column == key->column) continue;
    return text::diagnostic{
        text::severity::error,
        "order_ambiguous",
        fmt::format("queue \"{}\" cannot be ordered by \"{}\", which is {} in contract v{} and {} in v{}", queue.name,
                    key->name, before->type, older->version, key->type, newest.version),
        queue.order->where,
        fmt::format("contract v{0} is live, and its messages hold the key in a column of their own. Three ways out:\n"
                    "  1. keep the type until contract v{0} is retired\n"
                    "  2. leave 'ordered_by' away until then: messages are handled in any order\n"
                    "  3. declare a new queue under another name, and let this one drain",
                    older->version),
        {}};
  }
  return {};
}

}  // namespace contract
