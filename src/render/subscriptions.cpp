#include "render/subscriptions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "render/consumer_view.hpp"
#include "render/names.hpp"
#include "render/ordering.hpp"
#include "render/sql.hpp"

namespace render {
namespace {

using consumer_list = std::vector<declaration::stream_consumer>;

const declaration::stream_consumer* find(const consumer_list& in, const std::string& name) {
  const auto place = std::find_if(in.begin(), in.end(), [&](const auto& one) { return one.name == name; });
  return place == in.end() ? nullptr : &*place;
}

}  // namespace

std::string subscriptions(const queue_model& before, const queue_model& now) {
  const auto& had = before.newest().queue.stream->consumers;
  const auto& has = now.newest().queue.stream->consumers;
  const auto prefix = names::prefix(now.schema, now.name());
  std::vector<std::string> texts;
  for (const auto& each : has) {
    const auto* const known = find(had, each.name);
    if (known == nullptr)
      texts.push_back(fmt::format("select {}_subscribe({}, '{}');", prefix, sql::literal(each.name),
                                  each.from_start ? "start" : "end"));
    const bool was_cooperative = known != nullptr && known->is_cooperative;
    if (each.is_cooperative && !(was_cooperative && cooperation(*known) == cooperation(each)))
      texts.push_back(fmt::format("select {}_share({}, {});", prefix, sql::literal(each.name), cooperation(each)));
    if (was_cooperative && !each.is_cooperative)
      texts.push_back(fmt::format("select {}_unshare({});", prefix, sql::literal(each.name)));
  }
  for (const auto& each : had) {
    if (find(has, each.name) == nullptr)
      texts.push_back(fmt::format("select {}_unsubscribe({});", prefix, sql::literal(each.name)));
  }
  return fmt::format("{}", fmt::join(texts, "\n"));
}

namespace {

using order_of_one = std::optional<std::pair<std::string, declaration::failure_policy>>;

/// By which column, and what becomes of a key with a dead letter.
order_of_one order_in(const queue_model& model, const std::string& consumer) {
  for (const auto& each : model.newest().queue.stream->consumers) {
    if (each.name == consumer && each.order)
      return std::pair{column_of(model, each.order->field), each.order->on_failure};
  }
  return {};
}

}  // namespace

std::vector<std::string> reorderings(const queue_model& before, const queue_model& now) {
  std::vector<std::string> texts;
  if (!now.is_stream()) return texts;
  for (const auto& each : now.newest().queue.stream->consumers) {
    if (order_in(before, each.name) == order_in(now, each.name)) continue;
    texts.push_back(
        fmt::format("select {}_reorder({});", names::prefix(now.schema, now.line), sql::literal(each.name)));
  }
  return texts;
}

}  // namespace render
