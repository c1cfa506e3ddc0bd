#include <fmt/format.h>

#include <array>

#include "declaration/codes.hpp"
#include "declaration/duration.hpp"
#include "declaration/keys.hpp"
#include "declaration/names.hpp"
#include "declaration/read_parts.hpp"
#include "declaration/values.hpp"
#include "text/excerpt.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

constexpr std::array consumer_keys{"from"sv,  "where"sv,      "workers"sv,   "lease"sv,
                                   "retry"sv, "ordered_by"sv, "on_failure"sv};
constexpr std::array cooperative_keys{"lease"sv, "retry"sv, "ordered_by"sv, "on_failure"sv};
constexpr std::array starts{"start"sv, "end"sv};
constexpr std::array ways_to_work{"single"sv, "cooperative"sv};

std::string title_of(std::string_view stream, std::string_view name) {
  return fmt::format("[streams.{}.consumers.{}]", text::clipped(stream), text::clipped(name));
}

void read_cooperation(const entry& from, std::string_view title, stream_consumer& consumer, report& problems) {
  if (const auto* workers = find_entry(from.value, "workers")) {
    const auto choice = read_choice(*workers, ways_to_work, problems);
    // Of what cannot be read nothing follows.
    consumer.is_cooperative = !choice || ways_to_work[*choice] == "cooperative";
  }
  for (const auto key : cooperative_keys) {
    const auto* useless = find_entry(from.value, key);
    if (consumer.is_cooperative || useless == nullptr) continue;
    auto& problem = problems.error(code::useless_key, useless->where,
                                   fmt::format("'{}' has no effect: {} is not cooperative", key, title));
    problem.help = key == "ordered_by" ? "its events come in their order as it is: one reads them all"
                                       : "add workers = \"cooperative\": many workers then share its cursor";
  }
  if (const auto* lease = find_entry(from.value, "lease"))
    consumer.lease = read_duration(*lease, 1'000'000, longest_lease, problems).value_or(consumer.lease);
  if (const auto* retry = find_entry(from.value, "retry")) consumer.retry = read_retry(*retry, title, problems);
}

}  // namespace

std::vector<stream_consumer> read_consumers(const entry& from, std::string_view stream, report& problems) {
  std::vector<stream_consumer> result;
  if (!check_kind(from, node_kind::table, fmt::format("a table of consumers: {}", title_of(stream, "<name>")),
                  problems))
    return result;
  for (const auto& each : from.value.entries) {
    check_name(each.key, name_role::stream_consumer, each.where, problems);
    const auto title = title_of(stream, each.key);
    if (!check_kind(each, node_kind::table, fmt::format("a table: {}", title), problems)) continue;
    check_keys(each.value, {consumer_keys, {}}, title, problems);
    stream_consumer consumer;
    consumer.name = each.key;
    consumer.where = each.where;
    if (const auto* start = find_entry(each.value, "from")) {
      const auto choice = read_choice(*start, starts, problems);
      consumer.from_start = !choice || starts[*choice] == "start";
    }
    read_cooperation(each, title, consumer, problems);
    result.push_back(std::move(consumer));
  }
  return result;
}

}  // namespace declaration
