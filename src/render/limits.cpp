#include "render/limits.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "render/sql.hpp"

namespace render {

namespace {

constexpr std::int64_t nanoseconds = 1'000;  // in a microsecond

std::int64_t divided_up(std::int64_t what, std::int64_t by) {
  return (what + by - 1) / by;
}

void set_rate(view& out, const declaration::rate_limit& rate) {
  const auto interval = divided_up(rate.per * nanoseconds, rate.count);
  out.set("rate_count", fmt::to_string(rate.count));
  out.set("rate_per", sql::interval(rate.per));
  out.set("rate_burst", fmt::to_string(rate.burst));
  out.set("rate_interval", fmt::to_string(interval));
  out.set("rate_ahead", fmt::to_string(interval * rate.burst));
  out.set("rate_pause", sql::interval(divided_up(interval, nanoseconds)));
}

/// How many of the same key; 0 where that is not limited.
std::string per_key(const queue_model& model) {
  const auto& order = model.newest().queue.order;
  return fmt::to_string(order ? order->per_key : 0);
}

}  // namespace

bool has_places(const queue_model& model) {
  return model.newest().queue.concurrency > 0;
}

bool has_rate(const queue_model& model) {
  return model.newest().queue.rate.has_value();
}

bool has_limits(const queue_model& model) {
  return has_places(model) || has_rate(model);
}

bool has_key_limit(const queue_model& model) {
  const auto& order = model.newest().queue.order;
  return order && order->per_key > 0;
}

void set_limits(view& out, const queue_model& model) {
  set_limits_for_change(out, model);
  out.set("per_key", per_key(model));
  out.set("last_place", fmt::to_string(model.newest().queue.concurrency - 1));
  set_rate(out, model.newest().queue.rate.value_or(declaration::rate_limit{.count = 1, .per = 1, .burst = 1}));
}

void set_limits_for_version(view& out, const queue_model& model) {
  out.set_flag("has_limits", has_limits(model));
  out.set_flag("has_places", has_places(model));
  out.set_flag("has_key_limit", has_key_limit(model));
  out.set("per_key", per_key(model));
}

void set_limits_for_change(view& out, const queue_model& model) {
  out.set_flag("has_limits", has_limits(model));
  out.set_flag("has_places", has_places(model));
  out.set_flag("has_rate", has_rate(model));
  out.set_flag("has_key_limit", has_key_limit(model));
  out.set("place_count", fmt::to_string(model.newest().queue.concurrency));
}

}  // namespace render
