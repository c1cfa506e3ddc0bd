// quern stats: how many messages and events there are, in which state, and who is behind.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/operated.hpp"
#include "cli/standard_streams.hpp"
#include "cli/survey.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

using nlohmann::ordered_json;

struct stats_arguments {
  operated_place place{};
  std::vector<std::string> names{};
  std::string watch{};
  bool is_json = false;
};

template <class Number>
ordered_json or_null(const std::optional<Number>& number) {
  return number ? ordered_json(*number) : ordered_json(nullptr);
}

ordered_json as_json(const std::optional<queue_limits>& of) {
  if (!of) return nullptr;
  return {{"concurrency", or_null(of->concurrency)}, {"in_work", or_null(of->in_work)},
          {"rate_count", or_null(of->rate_count)},   {"rate_per_s", or_null(of->rate_per)},
          {"rate_burst", or_null(of->rate_burst)},   {"open_in_s", of->open_in}};
}

ordered_json as_json(const entry& one, const queue_stats& of) {
  return {{"queue", one.of.name},
          {"storage", one.of.is_log ? "log" : "rows"},
          {"ready", of.ready},
          {"delayed", of.delayed},
          {"leased", of.leased},
          {"dead", of.dead},
          {"oldest_age_s", or_null(of.oldest_age)},
          {"is_paused", of.is_paused},
          {"blocked_keys", or_null(of.blocked)},
          {"limits", as_json(of.limits)}};
}

ordered_json as_json(const entry& one, const stream_stats& of) {
  ordered_json consumers = ordered_json::array();
  for (const consumer_stats& each : of.consumers)
    consumers.push_back({{"consumer", each.name},
                         {"up_to", each.up_to},
                         {"behind", each.behind},
                         {"oldest_age_s", or_null(each.oldest_age)},
                         {"moved_age_s", or_null(each.moved_age)},
                         {"claims", each.claims},
                         {"retries", each.retries},
                         {"dead", each.dead}});
  return {{"stream", one.of.name},
          {"first_offset", of.first_offset},
          {"last_offset", of.last_offset},
          {"unsealed", of.unsealed},
          {"segments", of.segments},
          {"bytes", of.bytes},
          {"consumers", std::move(consumers)}};
}

worker_counts workers_of(const survey& found, const std::string& name, const std::string& consumer = {}) {
  if (!found.workers) return {};
  const auto place = found.workers->find({name, consumer});
  return place == found.workers->end() ? worker_counts{} : place->second;
}

void add_workers(ordered_json& into, const survey& found, const std::string& name, const std::string& consumer = {}) {
  const auto [alive, dead] = workers_of(found, name, consumer);
  into["workers"] = found.workers ? ordered_json(alive) : ordered_json(nullptr);
  into["dead_workers"] = found.workers ? ordered_json(dead) : ordered_json(nullptr);
}

ordered_json as_json(const survey& found) {
  ordered_json queues = ordered_json::array();
  ordered_json streams = ordered_json::array();
  for (const entry& one : found.entries) {
    ordered_json& into = one.of.is_stream ? streams : queues;
    if (one.queue)
      add_workers(into.emplace_back(as_json(one, *one.queue)), found, one.of.name);
    else if (one.stream)
      for (ordered_json& each : into.emplace_back(as_json(one, *one.stream)).at("consumers"))
        add_workers(each, found, one.of.name, each.at("consumer").get<std::string>());
    else
      into.push_back({{one.of.is_stream ? "stream" : "queue", one.of.name}, {"error", one.problem}});
  }
  ordered_json oldest = nullptr;
  if (found.oldest)
    oldest = {{"pid", found.oldest->pid}, {"age_s", found.oldest->age}, {"application_name", found.oldest->program}};
  return {{"queues", std::move(queues)}, {"streams", std::move(streams)}, {"oldest_transaction", std::move(oldest)}};
}

cell worker_cell(const survey& found, const std::string& name, const std::string& consumer = {}) {
  if (!found.workers) return {"-"};
  const auto [alive, dead] = workers_of(found, name, consumer);
  if (dead == 0) return count_cell(alive);
  return {fmt::format("{} ({} dead)", alive, dead), yellow};
}

cell age_cell(const std::optional<double>& seconds) {
  return {seconds ? spell_age(*seconds) : "-"};
}

// `3/20, 100 per 1s`.
cell limits_cell(const std::optional<queue_limits>& of) {
  if (!of) return {"-"};
  std::string words;
  if (of->concurrency) words = fmt::format("{}/{}", of->in_work.value_or(0), *of->concurrency);
  if (of->rate_count)
    words +=
        fmt::format("{}{} per {}", words.empty() ? "" : ", ", *of->rate_count, spell_age(of->rate_per.value_or(0)));
  return {words, of->open_in > 0 ? yellow : nullptr};
}

cell remark_cell(const queue_stats& of) {
  const std::int64_t blocked = of.blocked.value_or(0);
  if (blocked > 0)
    return {fmt::format("{}{} {} blocked", of.is_paused ? "paused, " : "", blocked, blocked == 1 ? "key" : "keys"),
            red};
  return of.is_paused ? cell{"paused", yellow} : cell{};
}

void say_queues(const survey& found) {
  const bool has_limits =
      std::ranges::any_of(found.entries, [](const entry& one) { return one.queue && one.queue->limits; });
  std::vector<std::string> heads{"queue", "ready", "delayed", "leased", "dead", "oldest", "workers", ""};
  if (has_limits) heads.insert(heads.end() - 1, "limits");
  table lines{heads};
  for (const entry& one : found.entries) {
    if (!one.queue) continue;
    const queue_stats& of = *one.queue;
    std::vector<cell> cells{
        {one.of.name, bold},      count_cell(of.ready),    count_cell(of.delayed),         count_cell(of.leased),
        count_cell(of.dead, red), age_cell(of.oldest_age), worker_cell(found, one.of.name)};
    if (has_limits) cells.push_back(limits_cell(of.limits));
    cells.push_back(remark_cell(of));
    lines.add(std::move(cells));
  }
  if (!lines.empty()) lines.say();
}

void say_streams(const survey& found) {
  table streams{{"stream", "first", "last", "unsealed", "size"}};
  table consumers{{"consumer", "up to", "behind", "oldest", "moved", "claims", "retries", "dead", "workers"}};
  for (const entry& one : found.entries) {
    if (!one.stream) continue;
    const stream_stats& of = *one.stream;
    streams.add({{one.of.name, bold},
                 count_cell(of.first_offset),
                 count_cell(of.last_offset),
                 count_cell(of.unsealed),
                 {spell_bytes(of.bytes)}});
    for (const consumer_stats& each : of.consumers)
      consumers.add({{fmt::format("{}/{}", one.of.name, each.name), bold},
                     count_cell(each.up_to),
                     count_cell(each.behind, yellow),
                     age_cell(each.oldest_age),
                     age_cell(each.moved_age),
                     count_cell(each.claims),
                     count_cell(each.retries, yellow),
                     count_cell(each.dead, red),
                     worker_cell(found, one.of.name, each.name)});
  }
  if (!streams.empty()) streams.say();
  if (!consumers.empty()) consumers.say();
}

// Shorter ones are the daily life of a database.
constexpr double long_transaction = 300;

void say_survey(const survey& found) {
  say_queues(found);
  say_streams(found);
  for (const entry& one : found.entries)
    if (!one.problem.empty()) say(fmt::format("{} {}: {}", red("error", stream::output), one.of.title(), one.problem));
  if (found.hidden > 0) say(dim(fmt::format("{} more that this role may not operate", found.hidden), stream::output));
  if (found.oldest && found.oldest->age > long_transaction)
    say(yellow(fmt::format("a transaction is open for {}: process {} {}, see docs/operating.md",
                           spell_age(found.oldest->age), found.oldest->pid, found.oldest->program),
               stream::output));
}

// What all problems have in common, if there are some.
exit_code code_of(const survey& found) {
  exit_code code = exit_code::done;
  for (const entry& one : found.entries) {
    if (one.problem.empty()) continue;
    code = code == exit_code::done || code == one.code ? one.code : exit_code::refused;
  }
  return code;
}

exit_code say_once(operated_schema& in, const stats_arguments& given, bool is_screen) {
  const survey found = look(in, given.names);
  // From the top, over what was there.
  if (is_screen) write_output("\x1b[H\x1b[2J");
  if (given.is_json)
    say(as_json(found).dump(given.watch.empty() ? 2 : -1));
  else
    say_survey(found);
  return code_of(found);
}

exit_code run(const stats_arguments& given) {
  const std::int64_t pause = given.watch.empty() ? 0 : parse_length("--watch", given.watch);
  operated_schema in = open_schema(given.place, "quern stats");
  if (pause == 0) return say_once(in, given, false);
  while (true) {
    say_once(in, given, !given.is_json && is_terminal(stream::output));
    std::this_thread::sleep_for(std::chrono::microseconds{pause});
  }
}

}  // namespace

void add_stats(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<stats_arguments>();
  const command_line command = program.add_command(
      "stats", "Show queues, streams and consumers: what waits, what is being worked on, what is dead, who is behind");
  command.add_option("queue", given->names, "Queues and streams (default: all)");
  add_operated(command, given->place);
  command.add_option("--watch", given->watch, "Again and again, with so long between: 2s").not_empty();
  command.add_flag("--json", given->is_json, "As JSON; with --watch one line each time");
  on_operation(command, result, [given] { return run(*given); });
}

}  // namespace cli
