#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "declaration/codes.hpp"
#include "declaration/duration.hpp"
#include "declaration/keys.hpp"
#include "declaration/read_parts.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

constexpr std::array concurrency_keys{"queue"sv, "per_key"sv, "key"sv};
constexpr std::array rate_keys{"count"sv, "per"sv, "burst"sv};

// A claim of a queue that is full looks at all of them.
constexpr std::int64_t most_in_work = 1'000;
constexpr std::int64_t most_at_once = 1'000'000;

constexpr std::int64_t millisecond = 1'000;
constexpr std::int64_t day = std::int64_t{24} * 3600 * 1'000'000;

constexpr std::int64_t longest_burst = 366 * day;

/// As many as come in a tenth of a second, and at least one: a claim of several need not wait for each of them.
std::int64_t default_burst(const rate_limit& rate) {
  const auto part = rate.count * 100 * millisecond;
  return std::clamp<std::int64_t>((part + rate.per - 1) / rate.per, 1, most_at_once);
}

}  // namespace

int read_concurrency(const entry& from, std::string_view title, report& problems) {
  if (from.value.kind == node_kind::integer)
    return static_cast<int>(read_whole(from, 1, most_in_work, problems).value_or(0));
  if (!check_kind(from, node_kind::table, fmt::format("a whole number from 1 to {}, or {{ queue = 20 }}", most_in_work),
                  problems))
    return 0;
  check_keys(from.value, {concurrency_keys, {}}, fmt::format("'concurrency' of {}", title), problems);
  const auto* whole = find_entry(from.value, "queue");
  const auto has = [&](std::string_view key) { return find_entry(from.value, key) != nullptr; };
  if (has("per_key") != has("key")) {
    problems
        .error(code::missing_key, from.where,
               fmt::format("'concurrency' of {} has no '{}'", title, has("key") ? "per_key" : "key"))
        .help = "say how many messages with the same value of which field: { per_key = 2, key = \"customer_id\" }";
  }
  if (whole == nullptr && (has("per_key") || has("key"))) return 0;
  if (whole != nullptr) return static_cast<int>(read_whole(*whole, 1, most_in_work, problems).value_or(0));
  problems.error(code::missing_key, from.where, fmt::format("'concurrency' of {} limits nothing", title)).help =
      "say how many messages of the queue may be in work at once: concurrency = 20";
  return 0;
}

std::optional<rate_limit> read_rate(const entry& from, std::string_view title, report& problems) {
  if (!check_kind(from, node_kind::table, "a table: { count = 100, per = \"1s\" }", problems)) return std::nullopt;
  const auto whose = fmt::format("'rate' of {}", title);
  check_keys(from.value, {rate_keys, {}}, whose, problems);
  const auto* count = find_entry(from.value, "count");
  const auto* per = find_entry(from.value, "per");
  if (count == nullptr || per == nullptr) {
    problems
        .error(code::missing_key, from.where, fmt::format("{} has no '{}'", whose, count == nullptr ? "count" : "per"))
        .help = "say how many messages are handed out in which time: rate = { count = 100, per = \"1s\" }";
    return std::nullopt;
  }
  const auto* burst = find_entry(from.value, "burst");
  const auto messages = read_whole(*count, 1, most_at_once, problems);
  const auto time = read_duration(*per, millisecond, day, problems);
  const auto most = burst == nullptr ? std::nullopt : read_whole(*burst, 1, most_at_once, problems);
  if (!messages || !time || (burst != nullptr && !most)) return std::nullopt;
  rate_limit result{.count = *messages, .per = *time};
  if (result.count > result.per) {
    problems
        .error(code::out_of_range, count->value.where,
               fmt::format("{} lets more than one message through in a microsecond", whose))
        .help = "no server hands out so many: leave 'rate' away, or lower 'count'";
    return std::nullopt;
  }
  result.burst = most.value_or(default_burst(result));
  if (result.burst * result.per / result.count <= longest_burst) return result;
  problems
      .error(code::out_of_range, burst == nullptr ? from.where : burst->value.where,
             fmt::format("'burst' of {} would take more than {} to come back", whose, spell_duration(longest_burst)))
      .help = "lower it: it says how many messages may be handed out at once";
  return std::nullopt;
}

}  // namespace declaration
