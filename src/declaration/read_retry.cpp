#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "declaration/codes.hpp"
#include "declaration/duration.hpp"
#include "declaration/keys.hpp"
#include "declaration/read_parts.hpp"
#include "declaration/values.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

constexpr std::array retry_keys{"max_attempts"sv, "backoff"sv, "initial"sv, "max"sv, "jitter"sv};
constexpr std::array backoffs{"constant"sv, "linear"sv, "exponential"sv};

constexpr std::int64_t millisecond = 1'000;
constexpr std::int64_t most_attempts = 1000;

class retry_reader {
 public:
  explicit retry_reader(report& problems) : problems_{problems} {}

  retry_policy read(const entry& from, std::string_view title) {
    if (!check_kind(from, node_kind::table, "a table: { max_attempts = 8, ... }", problems_)) return retry_;
    check_keys(from.value, {retry_keys, {}}, fmt::format("'retry' of {}", title), problems_);
    if (const auto* attempts = find_entry(from.value, "max_attempts")) {
      retry_.max_attempts =
          static_cast<int>(read_whole(*attempts, 1, most_attempts, problems_).value_or(retry_.max_attempts));
    }
    if (const auto* backoff = find_entry(from.value, "backoff")) {
      const auto choice = read_choice(*backoff, backoffs, problems_);
      if (choice) retry_.backoff = static_cast<backoff_kind>(*choice);
    }
    if (const auto* jitter = find_entry(from.value, "jitter")) read_jitter(*jitter);
    read_delays(from.value);
    return retry_;
  }

 private:
  void read_jitter(const entry& from) {
    const bool is_whole = from.value.kind == node_kind::integer;
    if (!is_whole && !check_kind(from, node_kind::floating, "a number from 0 to 1", problems_)) return;
    const double jitter = is_whole ? static_cast<double>(from.value.integer) : from.value.floating;
    // The comparison is false for nan.
    if (jitter >= 0 && jitter <= 1) {
      retry_.jitter = std::abs(jitter);
    } else {
      problems_.error(code::out_of_range, from.value.where,
                      "'jitter' must be a number from 0 to 1: a share of the delay");
    }
  }

  void read_delays(const node& table) {
    if (const auto* initial = find_entry(table, "initial")) {
      retry_.initial = read_duration(*initial, millisecond, longest_duration, problems_).value_or(retry_.initial);
    }
    const auto* max = find_entry(table, "max");
    if (max == nullptr) {
      retry_.max = std::max(retry_.max, retry_.initial);
      return;
    }
    retry_.max =
        read_duration(*max, millisecond, longest_duration, problems_).value_or(std::max(retry_.max, retry_.initial));
    if (retry_.backoff == backoff_kind::constant) {
      auto& problem =
          problems_.error(code::useless_key, max->where, "'max' has no effect: a constant backoff does not grow");
      problem.help = "leave 'max' away, or use backoff = \"exponential\"";
    } else if (retry_.max < retry_.initial) {
      problems_.error(code::empty_range, max->value.where,
                      fmt::format("'max' ({}) is shorter than 'initial' ({})", spell_duration(retry_.max),
                                  spell_duration(retry_.initial)));
      retry_.max = retry_.initial;
    }
  }

  report& problems_;
  retry_policy retry_;
};

}  // namespace

retry_policy read_retry(const entry& from, std::string_view title, report& problems) {
  return retry_reader{problems}.read(from, title);
}

}  // namespace declaration
