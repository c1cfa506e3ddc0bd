#include "render/consumer_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <string>
#include <vector>

#include "declaration/filter.hpp"
#include "render/ordering.hpp"
#include "render/readings.hpp"
#include "render/sql.hpp"
#include "render/view_parts.hpp"

namespace render {

namespace {

constexpr std::string_view event_row = "p_event";

/// The value of the newest contract's field; in parentheses, when it is more than a column.
std::string field_value(const queue_model& model, const std::string& name) {
  for (const auto& field : model.newest().contract->fields) {
    if (field.name != name) continue;
    auto value = value_of(model, model.newest(), field, event_row);
    const bool is_column = std::all_of(value.begin(), value.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '"';
    });
    return is_column ? value : "(" + value + ")";
  }
  throw std::runtime_error{"the lock has a filter on a field \"" + name +
                           "\", which its newest contract does not have"};
}

/// Read anew: what stands in a lock is spelled like what stands in a declaration.
std::string condition(const queue_model& model, const std::string& filter) {
  const auto [root, problems] = declaration::parse_filter(filter);
  if (!root) throw std::runtime_error{"the lock has a filter that cannot be read: " + problems.front().message};
  const declaration::filter_spelling spelling{
      .field = [&](const declaration::filter_node& field) { return field_value(model, field.text); },
      .literal = [](std::string_view text) { return sql::literal(text); },
      .type = [&](const declaration::field_type& type) { return sql::type(type, model.schema); }};
  return spell_filter(*root, spelling);
}

void set_filters(view& out, const queue_model& model) {
  std::vector<view> filters;
  for (const auto& consumer : model.newest().queue.stream->consumers) {
    if (consumer.filter.empty()) continue;
    auto& item = filters.emplace_back();
    item.set("consumer_literal", sql::literal(consumer.name));
    item.set("condition", condition(model, consumer.filter));
    item.set("readable_event", readable(model, model.newest(), event_row));
  }
  for (auto& item : filters) set_comma(item, &item == &filters.back());
  out.set_flag("has_filters", !filters.empty());
  out.set_list("filters", std::move(filters));
}

void set_orders(view& out, const queue_model& model) {
  std::vector<view> orders;
  std::vector<view> blocking;
  for (const auto& consumer : model.newest().queue.stream->consumers) {
    if (!consumer.order) continue;
    const auto& field = consumer.order->field;
    auto& item = orders.emplace_back();
    item.set("consumer_literal", sql::literal(consumer.name));
    item.set("column", column_of(model, field));
    item.set("column_literal", sql::literal(column_of(model, field)));
    item.set("key_of_event", key_by(model, field, event_row));
    item.set("key_of_failed", key_by(model, field, "p_failed"));
    if (consumer.order->on_failure == declaration::failure_policy::block)
      blocking.emplace_back().set("consumer_literal", sql::literal(consumer.name));
  }
  for (auto& item : blocking) set_comma(item, &item == &blocking.back());
  out.set_flag("has_orders", !orders.empty());
  out.set_flag("has_blocking", !blocking.empty());
  out.set_list("orders", std::move(orders));
  out.set_list("blocking", std::move(blocking));
}

}  // namespace

std::string cooperation(const declaration::stream_consumer& consumer) {
  const auto& retry = consumer.retry;
  return fmt::format("{}, {}, {}, {}, {}, {}", sql::interval(consumer.lease), retry.max_attempts,
                     sql::literal(contract::spell(retry.backoff)), sql::interval(retry.initial),
                     sql::interval(retry.max), retry.jitter);
}

void set_consumers(view& out, const queue_model& model) {
  std::vector<view> declared;
  for (const auto& consumer : model.newest().queue.stream->consumers) {
    auto& item = declared.emplace_back();
    item.set("consumer_literal", sql::literal(consumer.name));
    item.set("from_literal", consumer.from_start ? "'start'" : "'end'");
    item.set_flag("is_cooperative", consumer.is_cooperative);
    item.set("settings", cooperation(consumer));
  }
  out.set_list("declared", std::move(declared));
  set_filters(out, model);
  set_orders(out, model);
}

}  // namespace render
