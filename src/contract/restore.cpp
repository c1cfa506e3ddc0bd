#include "contract/restore.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>

#include "declaration/duration.hpp"
#include "declaration/types.hpp"

namespace contract {

namespace {

[[noreturn]] void refuse(std::string_view what) {
  throw std::runtime_error{fmt::format("quern.lock was edited: it holds {}, which no declaration can say", what)};
}

template <class Number>
Number number(std::string_view text) {
  Number value{};
  const auto [stop, trouble] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (trouble != std::errc{} || stop != text.data() + text.size()) refuse(fmt::format("the number \"{}\"", text));
  return value;
}

std::int64_t duration(std::string_view text) {
  const auto parsed = declaration::parse_duration(text);
  if (const auto* value = std::get_if<std::int64_t>(&parsed)) return *value;
  refuse(fmt::format("the duration \"{}\"", text));
}

std::vector<std::string> list(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const auto end = std::min(text.find(", "), text.size());
    result.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return result;
}

declaration::backoff_kind backoff(std::string_view text) {
  using declaration::backoff_kind;
  for (const auto kind : {backoff_kind::constant, backoff_kind::linear, backoff_kind::exponential}) {
    if (spell(kind) == text) return kind;
  }
  refuse(fmt::format("the backoff \"{}\"", text));
}

declaration::field_type type_of(std::string_view written, const std::vector<locked_enumeration>& enumerations) {
  std::vector<std::string_view> names;
  names.reserve(enumerations.size());
  for (const auto& each : enumerations) names.push_back(each.name);
  declaration::report problems;
  const auto type = declaration::parse_type(written, {}, names, problems);
  if (!type) refuse(fmt::format("the type \"{}\"", written));
  return *type;
}

declaration::value value_of(const std::string& text, const declaration::field_type& type) {
  using declaration::base_type;
  if (type.is_array) return declaration::empty_array{};
  switch (type.base) {
    case base_type::boolean:
      return text == "true";
    case base_type::int16:
    case base_type::int32:
    case base_type::int64:
      return number<std::int64_t>(text);
    case base_type::float32:
    case base_type::float64:
      return number<double>(text);
    default:
      return text;
  }
}

/// `retry.backoff`
void set_retry(declaration::retry_policy& retry, std::string_view key, const std::string& value) {
  if (key == "retry.max_attempts") retry.max_attempts = number<int>(value);
  if (key == "retry.backoff") retry.backoff = backoff(value);
  if (key == "retry.initial") retry.initial = duration(value);
  if (key == "retry.max") retry.max = duration(value);
  if (key == "retry.jitter") retry.jitter = number<double>(value);
}

declaration::failure_policy policy(std::string_view text) {
  using declaration::failure_policy;
  for (const auto one : {failure_policy::block, failure_policy::skip}) {
    if (spell(one) == text) return one;
  }
  refuse(fmt::format("the policy \"{}\"", text));
}

/// `consumers.audit.from`, which comes before the others of that consumer
void set_consumer(declaration::stream_settings& stream, std::string_view key, const std::string& value) {
  constexpr std::string_view before = "consumers.";
  if (!key.starts_with(before)) return;
  key.remove_prefix(before.size());
  const auto end = std::min(key.find('.'), key.size());
  const auto name = key.substr(0, end);
  key.remove_prefix(std::min(end + 1, key.size()));
  if (key == "from") {
    auto& made = stream.consumers.emplace_back();
    made.name = name;
    made.from_start = value == "start";
  }
  if (stream.consumers.empty() || stream.consumers.back().name != name)
    refuse(fmt::format("the consumer \"{}\"", name));
  auto& consumer = stream.consumers.back();
  if (key == "where") consumer.filter = value;
  if (key == "workers") consumer.is_cooperative = true;
  if (key == "lease") consumer.lease = duration(value);
  set_retry(consumer.retry, key, value);
  if (key == "ordered_by") consumer.order = declaration::ordering{.field = value};
  if (key == "on_failure" && consumer.order) consumer.order->on_failure = policy(value);
}

/// `concurrency.queue`, `concurrency.key`, and `rate.count`, which comes before the others of the rate
void set_limit(declaration::queue& queue, std::string_view key, const std::string& value) {
  if (key == "concurrency.queue") queue.concurrency = number<int>(value);
  if (key == "concurrency.key") {
    queue.order = declaration::ordering{.field = value, .on_failure = declaration::failure_policy::skip};
  }
  if (key == "concurrency.per_key" && queue.order) queue.order->per_key = number<int>(value);
  if (key == "rate.count") queue.rate = declaration::rate_limit{.count = number<std::int64_t>(value)};
  if (key == "rate.per" && queue.rate) queue.rate->per = duration(value);
  if (key == "rate.burst" && queue.rate) queue.rate->burst = number<std::int64_t>(value);
}

/// One option: `key` says which.
void set(declaration::queue& queue, std::string_view key, const std::string& value) {
  if (key == "kind") {
    queue.stream.emplace();
    queue.dead_letter = false;
  }
  if (key == "retention" && queue.stream) queue.stream->retention = duration(value);
  if (queue.stream) set_consumer(*queue.stream, key, value);
  if (key == "doc") queue.doc = value;
  if (key == "lease") queue.lease = duration(value);
  if (key == "sunset") queue.sunset = duration(value);
  set_retry(queue.retry, key, value);
  if (key == "dead_letter") queue.dead_letter = value == "true";
  if (key == "expires") queue.expires = duration(value);
  if (key == "unique.within" && queue.unique && queue.unique->within) queue.unique->within = duration(value);
  if (key == "grants.produce") queue.grants.produce = list(value);
  if (key == "grants.consume") queue.grants.consume = list(value);
  if (key == "grants.operate") queue.grants.operate = list(value);
  if (key == "ordered_by") queue.order = declaration::ordering{.field = value};
  if (key == "storage") queue.is_log = value == "log";
  if (key == "keep_done") queue.keep_done = duration(value);
  if (key == "on_failure" && queue.order) queue.order->on_failure = policy(value);
  set_limit(queue, key, value);
  constexpr std::string_view payload = "payload.";
  constexpr std::string_view doc = ".doc";
  if (!key.starts_with(payload) || !key.ends_with(doc)) return;
  key = key.substr(payload.size(), key.size() - payload.size() - doc.size());
  for (auto& field : queue.payload) {
    if (field.name == key) field.doc = value;
  }
}

}  // namespace

declaration::field restore(const field& from, const std::vector<locked_enumeration>& enumerations) {
  declaration::field result;
  result.name = from.name;
  result.type = type_of(from.type, enumerations);
  // Not assigned: of that GCC 12 makes an empty function, behind whose unwind table entry no exception is caught.
  if (from.default_value) result.default_value.emplace(value_of(*from.default_value, result.type));
  auto& limits = result.constraints;
  if (from.min) limits.min.emplace(value_of(*from.min, result.type));
  if (from.max) limits.max.emplace(value_of(*from.max, result.type));
  limits.max_length = from.max_length;
  limits.pattern = from.pattern;
  return result;
}

declaration::queue restore(const queue_state& state, const payload_contract& contract,
                           const std::vector<locked_enumeration>& enumerations) {
  declaration::queue result;
  result.name = contract.queue;
  result.is_schemaless = contract.is_schemaless;
  result.priorities = contract.priorities;
  result.has_headers = contract.has_headers;
  if (!contract.is_schemaless) {
    for (const auto& field : contract.fields) result.payload.push_back(restore(field, enumerations));
  }
  if (const auto& rule = contract.unique) {
    result.unique = declaration::unique_rule{rule->fields, std::nullopt, {}};
    // The options of the queue say for how long.
    if (rule->is_timed) result.unique->within = 0;
  }
  for (const auto& [key, value] : state.options) set(result, key, value);
  return result;
}

}  // namespace contract
