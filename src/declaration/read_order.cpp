#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "declaration/codes.hpp"
#include "declaration/keys.hpp"
#include "declaration/read_parts.hpp"
#include "declaration/types.hpp"
#include "text/excerpt.hpp"
#include "text/suggestion.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

// A claim tries a lock for each of them.
constexpr std::int64_t most_per_key = 100;

constexpr std::array policies{"block"sv, "skip"sv};

/// Values of the others are equal in ways that a reader would not expect, or have no equality at all.
bool can_be_key(const field_type& type) {
  switch (type.base) {
    case base_type::float32:
    case base_type::float64:
    case base_type::interval:
    case base_type::jsonb:
      return false;
    default:
      return !type.is_array;
  }
}

class order_reader {
 public:
  /// Of a queue, or of a stream for one of its consumers.
  order_reader(const node& table, const queue& of, const entry* payload, report& problems)
      : table_{table}, of_{of}, payload_{payload}, problems_{problems} {}

  std::optional<ordering> read() {
    const auto* from = find_entry(table_, "ordered_by");
    const auto* policy = find_entry(table_, "on_failure");
    ordering result;
    if (policy != nullptr) {
      if (const auto choice = read_choice(*policy, policies, problems_))
        result.on_failure = static_cast<failure_policy>(*choice);
      if (from == nullptr)
        problems_
            .error(code::useless_key, policy->where,
                   fmt::format("'on_failure' has no effect: the {} is not ordered", of_.stream ? "consumer" : "queue"))
            .help = "leave it away, or say by which field: ordered_by = \"customer_id\"";
    }
    if (from == nullptr || !check_kind(*from, node_kind::string, "the name of a field", problems_)) return {};
    result.field = from->value.text;
    result.where = from->where;
    if (!check_field(*from)) return {};
    check_dead_letters(*from, result);
    check_priorities(*from);
    return result;
  }

  /// Of `concurrency`, where it says something of keys.
  std::optional<ordering> read_limit() {
    const auto* most = find_entry(table_, "per_key");
    const auto* from = find_entry(table_, "key");
    if (most == nullptr || from == nullptr) return {};
    is_limit_ = true;
    const auto count = read_whole(*most, 1, most_per_key, problems_);
    if (of_.order) {
      problems_.error(code::useless_key, most->where, "'per_key' has no effect beside 'ordered_by'").help =
          "one message of a key is in work at a time as it is: leave one of the two away";
      return {};
    }
    if (!check_kind(*from, node_kind::string, "the name of a field", problems_) || !check_field(*from)) return {};
    check_priorities(*from);
    if (!count) return {};
    return ordering{.field = from->value.text,
                    .on_failure = failure_policy::skip,
                    .per_key = static_cast<int>(*count),
                    .where = from->where};
  }

 private:
  text::diagnostic& refuse(const entry& from, std::string message) {
    return problems_.error(code::invalid_order, from.value.where, std::move(message));
  }

  bool check_field(const entry& from) {
    const auto& name = from.value.text;
    if (of_.is_schemaless) {
      refuse(from, fmt::format("'{}' needs a field, and a payload of JSON has none", is_limit_ ? "key" : "ordered_by"))
          .help = "declare the payload's fields: one of type jsonb can hold the rest";
      return false;
    }
    const auto has_name = [&](const field& one) { return one.name == name; };
    const auto field = std::find_if(of_.payload.begin(), of_.payload.end(), has_name);
    if (field == of_.payload.end()) return refuse_unknown(from);
    if (can_be_key(field->type)) return true;
    refuse(from, fmt::format("{} cannot be {} by '{}' of type {}", of_.stream ? "events" : "messages",
                             is_limit_ ? "limited" : "ordered", name, spell(field->type)))
        .help = "a key is of type bool, int16, int32, int64, numeric, text, bytes, uuid, date, timestamp or an enum";
    return false;
  }

  bool refuse_unknown(const entry& from) {
    // It may be that field of which something is wrong.
    if (payload_ != nullptr && payload_->value.kind == node_kind::table &&
        find_entry(payload_->value, from.value.text) != nullptr)
      return false;
    std::vector<std::string_view> names;
    for (const auto& one : of_.payload) names.push_back(one.name);
    auto& problem = refuse(from, fmt::format("the payload has no field '{}'", text::clipped(from.value.text)));
    if (const auto near = text::nearest_name(from.value.text, names))
      problem.help = fmt::format("did you mean \"{}\"?", *near);
    return false;
  }

  void check_dead_letters(const entry& from, const ordering& order) {
    if (of_.stream || of_.dead_letter || order.on_failure == failure_policy::skip) return;
    refuse(from, "a message that ran out of attempts cannot block its key when it is not kept").help =
        "write on_failure = \"skip\", or leave dead_letter = false away";
  }

  void check_priorities(const entry& from) {
    if (of_.priorities == 0) return;
    problems_
        .error(code::not_built_yet, from.where,
               fmt::format("'{}' beside 'priorities' is not built yet", is_limit_ ? "per_key" : "ordered_by"))
        .help =
        is_limit_ ? "leave one of the two away" : "leave one of the two away: which of them wins would not be clear";
  }

  const node& table_;
  const queue& of_;
  const entry* payload_;
  report& problems_;
  bool is_limit_ = false;
};

}  // namespace

std::optional<ordering> read_order(const node& table, const queue& of, report& problems) {
  return order_reader{table, of, find_entry(table, "payload"), problems}.read();
}

std::optional<ordering> read_key_limit(const entry& concurrency, const queue& of, const entry* payload,
                                       report& problems) {
  if (concurrency.value.kind != node_kind::table) return {};
  return order_reader{concurrency.value, of, payload, problems}.read_limit();
}

void read_orders(const entry& consumers, queue& of, const entry* payload, report& problems) {
  if (consumers.value.kind != node_kind::table) return;
  for (const auto& each : consumers.value.entries) {
    if (each.value.kind != node_kind::table) continue;
    for (auto& consumer : of.stream->consumers) {
      // Of others the keys are useless, which was said.
      if (consumer.name == each.key && consumer.is_cooperative)
        consumer.order = order_reader{each.value, of, payload, problems}.read();
    }
  }
}

}  // namespace declaration
