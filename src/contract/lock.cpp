#include "contract/lock.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "declaration/duration.hpp"

namespace contract {

const line* find_line(const lock& lock, std::string_view name) {
  const auto is_before = [](const line& line, std::string_view wanted) { return line.name < wanted; };
  const auto place = std::lower_bound(lock.lines.begin(), lock.lines.end(), name, is_before);
  return place != lock.lines.end() && place->name == name ? &*place : nullptr;
}

released_part all_of(const line& line, const lock& lock) {
  const auto& contracts = line.state.contracts;
  const auto retired = contracts.size() - live(contracts).size();
  released_part result{contracts.size(), retired, line.migrations.size(), line.state.options, line.state.is_dropped, {},
                       line.engine};
  if (line.name != core_line) return result;
  result.enumerations = lock.enumerations;
  result.schedules = lock.schedules;
  return result;
}

lock without_drafts(const lock& lock) {
  auto result = lock;
  for (auto& line : result.lines) {
    if (!line.released) continue;
    auto& [contracts, retired, migrations, options, is_dropped, enumerations, engine, schedules] = *line.released;
    line.state.contracts.resize(contracts);
    for (std::size_t i = 0; i < contracts; ++i) line.state.contracts[i].is_retired = i < retired;
    line.state.options = std::move(options);
    line.state.is_dropped = is_dropped;
    line.migrations.resize(migrations);
    line.engine = engine;
    if (line.name == core_line) {
      result.enumerations = std::move(enumerations);
      result.schedules = std::move(schedules);
    }
    line.released.reset();
  }
  std::erase_if(result.lines, [](const contract::line& line) { return line.migrations.empty(); });
  return result;
}

lock onto(const lock& own, const lock& base) {
  const auto ours = without_drafts(own);
  auto result = with_drafts_released(base);
  for (const auto& line : ours.lines) {
    const auto has_name = [&](const contract::line& one) { return one.name == line.name; };
    const auto place = std::find_if(result.lines.begin(), result.lines.end(), has_name);
    if (place == result.lines.end()) {
      result.lines.push_back(line);
    } else if (place->migrations.size() < line.migrations.size() &&
               std::equal(place->migrations.begin(), place->migrations.end(), line.migrations.begin())) {
      *place = line;
    } else {
      continue;
    }
    if (line.name != core_line) continue;
    result.enumerations = ours.enumerations;
    result.schedules = ours.schedules;
  }
  std::sort(result.lines.begin(), result.lines.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  if (result.project.empty()) {
    result.project = ours.project;
    result.schema = ours.schema;
  }
  return result;
}

lock with_drafts_released(lock lock) {
  for (auto& line : lock.lines) line.released.reset();
  return lock;
}

namespace {

void add_grants(std::vector<option>& options, const declaration::queue& queue) {
  const auto add = [&](std::string_view part, const std::vector<std::string>& roles) {
    options.emplace_back(fmt::format("grants.{}", part), fmt::format("{}", fmt::join(roles, ", ")));
  };
  add("produce", queue.grants.produce);
  add("consume", queue.grants.consume);
  add("operate", queue.grants.operate);
}

void add_docs(std::vector<option>& options, const declaration::queue& queue) {
  for (const auto& field : queue.payload) {
    if (!field.doc.empty()) options.emplace_back("payload." + field.name + ".doc", field.doc);
  }
}

void add_retry(std::vector<option>& options, const std::string& before, const declaration::retry_policy& retry) {
  options.emplace_back(before + "retry.max_attempts", fmt::to_string(retry.max_attempts));
  options.emplace_back(before + "retry.backoff", spell(retry.backoff));
  options.emplace_back(before + "retry.initial", declaration::spell_duration(retry.initial));
  options.emplace_back(before + "retry.max", declaration::spell_duration(retry.max));
  options.emplace_back(before + "retry.jitter", fmt::to_string(retry.jitter));
}

void add_consumer(std::vector<option>& options, const declaration::stream_consumer& consumer) {
  const auto before = fmt::format("consumers.{}.", consumer.name);
  options.emplace_back(before + "from", consumer.from_start ? "start" : "end");
  if (!consumer.filter.empty()) options.emplace_back(before + "where", consumer.filter);
  if (!consumer.is_cooperative) return;
  options.emplace_back(before + "workers", "cooperative");
  options.emplace_back(before + "lease", declaration::spell_duration(consumer.lease));
  add_retry(options, before, consumer.retry);
  if (!consumer.order) return;
  options.emplace_back(before + "ordered_by", consumer.order->field);
  options.emplace_back(before + "on_failure", spell(consumer.order->on_failure));
}

std::vector<option> options_of_stream(const declaration::queue& stream) {
  std::vector<option> result{
      {"kind", "stream"},
      {"doc", stream.doc},
      {"retention", declaration::spell_duration(stream.stream->retention)},
      {"sunset", declaration::spell_duration(stream.sunset)},
  };
  for (const auto& each : stream.stream->consumers) add_consumer(result, each);
  add_grants(result, stream);
  add_docs(result, stream);
  return result;
}

}  // namespace

bool is_stream(const queue_state& state) {
  return !state.options.empty() && state.options.front() == option{"kind", "stream"};
}

bool is_log(const queue_state& state) {
  return std::find(state.options.begin(), state.options.end(), option{"storage", "log"}) != state.options.end();
}

std::vector<option> options_of(const declaration::queue& queue) {
  if (queue.stream) return options_of_stream(queue);
  std::vector<option> result{
      {"doc", queue.doc},
      {"lease", declaration::spell_duration(queue.lease)},
      {"sunset", declaration::spell_duration(queue.sunset)},
  };
  add_retry(result, "", queue.retry);
  result.emplace_back("dead_letter", queue.dead_letter ? "true" : "false");
  if (queue.expires) result.emplace_back("expires", declaration::spell_duration(*queue.expires));
  add_grants(result, queue);
  if (queue.unique && queue.unique->within) {
    result.emplace_back("unique.within", declaration::spell_duration(*queue.unique->within));
  }
  if (queue.order && queue.order->per_key > 0) {
    result.emplace_back("concurrency.key", queue.order->field);
    result.emplace_back("concurrency.per_key", fmt::to_string(queue.order->per_key));
  } else if (queue.order) {
    result.emplace_back("ordered_by", queue.order->field);
    result.emplace_back("on_failure", spell(queue.order->on_failure));
  }
  if (queue.concurrency > 0) result.emplace_back("concurrency.queue", fmt::to_string(queue.concurrency));
  if (queue.rate) {
    result.emplace_back("rate.count", fmt::to_string(queue.rate->count));
    result.emplace_back("rate.per", declaration::spell_duration(queue.rate->per));
    result.emplace_back("rate.burst", fmt::to_string(queue.rate->burst));
  }
  if (queue.is_log) result.emplace_back("storage", "log");
  if (queue.keep_done) result.emplace_back("keep_done", declaration::spell_duration(*queue.keep_done));
  add_docs(result, queue);
  return result;
}

locked_enumeration locked(const declaration::enumeration& enumeration) {
  return {enumeration.name, enumeration.doc, enumeration.values};
}

}  // namespace contract
