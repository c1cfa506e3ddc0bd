#include "render/subscriptions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "render/consumer_view.hpp"
#include "render/names.hpp"
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

}  // namespace render
