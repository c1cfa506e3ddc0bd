#include "declaration/keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <variant>

#include "declaration/codes.hpp"
#include "declaration/duration.hpp"
#include "text/excerpt.hpp"
#include "text/suggestion.hpp"

namespace declaration {
namespace {

bool is_among(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void check_keys(const node& table, const known_keys& keys, std::string_view title, report& problems) {
  for (const auto& each : table.entries) {
    if (is_among(keys.built, each.key) || is_among(keys.misplaced, each.key)) continue;
    if (is_among(keys.planned, each.key)) {
      auto& problem =
          problems.error(code::not_built_yet, each.where, fmt::format("'{}' in {} is not built yet", each.key, title));
      problem.help = "it is planned; until then it is refused rather than ignored";
      continue;
    }
    auto& problem = problems.error(code::unknown_key, each.where,
                                   fmt::format("unknown key '{}' in {}", text::clipped(each.key), title));
    const auto better = text::nearest_name(each.key, keys.built);
    problem.help = better ? fmt::format("did you mean '{}'?", *better)
                          : fmt::format("known keys: {}", fmt::join(keys.built, ", "));
  }
}

bool check_kind(const entry& from, node_kind kind, std::string_view expected, report& problems) {
  if (from.value.kind == kind) return true;
  // A table with a header of its own has its body as its place: the key is shorter.
  const auto& where = from.value.kind == node_kind::table ? from.where : from.value.where;
  problems.error(code::wrong_type, where,
                 fmt::format("'{}' must be {}, not {}", text::clipped(from.key), expected, kind_name(from.value.kind)));
  return false;
}

std::optional<std::string> read_text(const entry& from, std::string_view expected, report& problems) {
  if (!check_kind(from, node_kind::string, expected, problems)) return std::nullopt;
  if (from.value.text.find('\0') == std::string::npos) return from.value.text;
  problems.error(code::nul_character, from.value.where,
                 fmt::format("'{}' holds a NUL character, which PostgreSQL cannot store", from.key));
  return std::nullopt;
}

std::optional<bool> read_boolean(const entry& from, report& problems) {
  if (!check_kind(from, node_kind::boolean, "true or false", problems)) return std::nullopt;
  return from.value.boolean;
}

std::optional<std::int64_t> read_whole(const entry& from, std::int64_t min, std::int64_t max, report& problems) {
  const auto expected = fmt::format("a whole number from {} to {}", min, max);
  if (!check_kind(from, node_kind::integer, expected, problems)) return std::nullopt;
  if (from.value.integer >= min && from.value.integer <= max) return from.value.integer;
  problems.error(code::out_of_range, from.value.where, fmt::format("'{}' must be {}", from.key, expected));
  return std::nullopt;
}

std::optional<std::int64_t> read_duration(const entry& from, std::int64_t min, std::int64_t max, report& problems) {
  if (!check_kind(from, node_kind::string, "a duration such as \"30s\" or \"1h30m\"", problems)) return std::nullopt;
  const auto read = parse_duration(from.value.text);
  if (const auto* wrong = std::get_if<duration_problem>(&read)) {
    auto& problem = problems.error(code::invalid_duration, from.value.where,
                                   fmt::format("'{}' is no duration: {}", from.key, wrong->message));
    problem.help = "units: w, d, h, m, s, ms, us; for example \"30s\", \"1h30m\", \"7d\"";
    return std::nullopt;
  }
  const auto duration = std::get<std::int64_t>(read);
  if (duration >= min && duration <= max) return duration;
  problems.error(
      code::out_of_range, from.value.where,
      fmt::format("'{}' must be a duration from {} to {}", from.key, spell_duration(min), spell_duration(max)));
  return std::nullopt;
}

std::optional<std::size_t> read_choice(const entry& from, std::span<const std::string_view> choices, report& problems) {
  const auto expected = fmt::format("\"{}\"", fmt::join(choices, "\" or \""));
  if (!check_kind(from, node_kind::string, expected, problems)) return std::nullopt;
  const auto found = std::find(choices.begin(), choices.end(), from.value.text);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  auto& problem =
      problems.error(code::unknown_value, from.value.where, fmt::format("'{}' must be {}", from.key, expected));
  if (const auto better = text::nearest_name(from.value.text, choices))
    problem.help = fmt::format("did you mean \"{}\"?", *better);
  return std::nullopt;
}

std::vector<const node*> read_strings(const entry& from, std::string_view expected, report& problems) {
  std::vector<const node*> found;
  if (!check_kind(from, node_kind::array, expected, problems)) return found;
  for (const auto& item : from.value.items) {
    if (item.kind == node_kind::string) {
      found.push_back(&item);
    } else {
      problems.error(code::wrong_type, item.where,
                     fmt::format("'{}' must be {}, not one with {}", from.key, expected, kind_name(item.kind)));
    }
  }
  return found;
}

}  // namespace declaration
