#include "contract/ordering.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "contract/counterpart.hpp"

namespace contract {

namespace {

/// What the declaration says it by.
std::string_view key_of(const declaration::ordering& order) {
  return order.per_key > 0 ? "concurrency.per_key" : "ordered_by";
}

std::optional<text::diagnostic> check_priorities(const declaration::queue& queue,
                                                 const std::vector<payload_contract>& contracts) {
  for (const auto* one : live(contracts)) {
    if (one->priorities == 0) continue;
    return text::diagnostic{
        text::severity::error,
        "order_beside_priorities",
        fmt::format("queue \"{}\" cannot {} while messages of contract v{} have priorities", queue.name,
                    queue.order->per_key > 0 ? "limit its keys" : "be ordered", one->version),
        queue.order->where,
        fmt::format("its messages and functions are there until it is retired. Three ways out:\n"
                    "  1. keep the priorities, and leave '{1}' away\n"
                    "  2. take 'priorities' away now, retire contract v{0}, and add '{1}' then\n"
                    "  3. declare a new queue under another name, and let this one drain",
                    one->version, key_of(*queue.order)),
        {}};
  }
  return {};
}

/// Whose order it is, in words, and the way out that is not about the key.
struct owner {
  std::string title;
  std::string kind;
  std::string last_way_out;
};

std::optional<text::diagnostic> check_key(const declaration::ordering& order, const owner& of,
                                          const std::vector<payload_contract>& contracts) {
  const auto& newest = contracts.back();
  const auto* key = find_field(newest, order.field);
  if (key == nullptr) return {};
  for (const auto* older : live(contracts)) {
    const auto* before = counterpart(contracts, newest.version, *key, older->version);
    if (before == nullptr || before->column == key->column) continue;
    return text::diagnostic{
        text::severity::error,
        "order_ambiguous",
        fmt::format("{} cannot be {} by \"{}\", which is {} in contract v{} and {} in v{}", of.title,
                    order.per_key > 0 ? "limited" : "ordered", key->name, before->type, older->version, key->type,
                    newest.version),
        order.where,
        fmt::format("contract v{0} is live, and its {1} hold the key in a column of their own. Three ways out:\n"
                    "  1. keep the type until contract v{0} is retired\n"
                    "  2. leave '{3}' away until then: {1} are handled in any order\n"
                    "  3. {2}",
                    older->version, of.kind, of.last_way_out, key_of(order)),
        {}};
  }
  return {};
}

}  // namespace

std::vector<text::diagnostic> check_order(const declaration::queue& queue,
                                          const std::vector<payload_contract>& contracts) {
  std::vector<text::diagnostic> result;
  const auto add = [&](std::optional<text::diagnostic> problem) {
    if (problem) result.push_back(*std::move(problem));
  };
  if (queue.order) {
    add(check_priorities(queue, contracts));
    if (result.empty())
      add(check_key(*queue.order,
                    {fmt::format("queue \"{}\"", queue.name), "messages",
                     "declare a new queue under another name, and let this one drain"},
                    contracts));
  }
  if (!queue.stream) return result;
  for (const auto& consumer : queue.stream->consumers) {
    if (!consumer.order) continue;
    add(check_key(*consumer.order,
                  {fmt::format("consumer \"{}\" of stream \"{}\"", consumer.name, queue.name), "events",
                   "declare a new stream under another name, and let this one be read to its end"},
                  contracts));
  }
  return result;
}

}  // namespace contract
