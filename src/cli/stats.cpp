// quern stats: how many messages and events there are, in which state, and who is behind.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <quern/connection.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/operated.hpp"
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

struct queue_stats {
  std::int64_t ready = 0;
  std::int64_t delayed = 0;
  std::int64_t leased = 0;
  std::int64_t dead = 0;
  std::optional<double> oldest_age{};  // seconds
  bool is_paused = false;
  std::optional<std::int64_t> blocked{};  // keys; nothing where none can be
};

struct consumer_stats {
  std::string name;
  std::int64_t up_to = 0;
  std::int64_t behind = 0;
  std::optional<double> oldest_age{};
  std::optional<double> moved_age{};
  std::int64_t claims = 0;
  std::int64_t retries = 0;
  std::int64_t dead = 0;
};

struct stream_stats {
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  std::int64_t unsealed = 0;
  std::int64_t segments = 0;
  std::int64_t bytes = 0;
  std::vector<consumer_stats> consumers{};
};

/// Who works on a queue, or on a consumer of a stream.
struct worker_counts {
  std::int64_t alive = 0;
  std::int64_t dead = 0;
};

/// By queue, or by stream and consumer.
using all_workers = std::map<std::pair<std::string, std::string>, worker_counts>;

/// What one of them says, or why it says nothing.
struct entry {
  operated_queue of;
  std::optional<queue_stats> queue{};
  std::optional<stream_stats> stream{};
  std::string problem{};
};

/// The transaction that keeps dead rows from being cleared away for the longest time.
struct held_back {
  int pid = 0;
  double age = 0;
  std::string program{};
};

struct survey {
  std::vector<entry> entries{};
  std::size_t hidden = 0;  // which this role may not operate
  std::optional<held_back> oldest{};
  std::optional<all_workers> workers{};  // nothing where this role may not know
};

queue_stats read_queue(operated_schema& in, const operated_queue& of) {
  const auto found = in.db.execute(
      fmt::format("select ready, delayed, leased, dead, extract(epoch from oldest_age)::float8, is_paused from {}()",
                  of.function("stats")));
  const auto row = found.single_row();
  queue_stats read{row.get<std::int64_t>(0), row.get<std::int64_t>(1),          row.get<std::int64_t>(2),
                   row.get<std::int64_t>(3), row.get<std::optional<double>>(4), row.get<bool>(5)};
  if (has_function(in, of, "blocked"))
    read.blocked =
        in.db.execute(fmt::format("select count(*) from {}()", of.function("blocked"))).value<std::int64_t>();
  return read;
}

stream_stats read_stream(operated_schema& in, const operated_queue& of) {
  const auto found = in.db.execute(
      fmt::format("select first_offset, last_offset, unsealed, segments, bytes from {}()", of.function("stats")));
  const auto all = found.single_row();
  stream_stats read{all.get<std::int64_t>(0), all.get<std::int64_t>(1), all.get<std::int64_t>(2),
                    all.get<std::int64_t>(3), all.get<std::int64_t>(4)};
  const auto rows = in.db.execute(
      fmt::format("select consumer, up_to, behind, extract(epoch from oldest_age)::float8, extract(epoch from "
                  "clock_timestamp() - moved_at)::float8, claims, retries, dead from {}()",
                  of.function("lag")));
  for (const auto row : rows)
    read.consumers.push_back({row.get<std::string>(0), row.get<std::int64_t>(1), row.get<std::int64_t>(2),
                              row.get<std::optional<double>>(3), row.get<std::optional<double>>(4),
                              row.get<std::int64_t>(5), row.get<std::int64_t>(6), row.get<std::int64_t>(7)});
  return read;
}

// One that fails, for example after a restore, does not hide the others.
entry read_entry(operated_schema& in, const operated_queue& of) {
  entry read{of};
  try {
    if (of.is_stream)
      read.stream = read_stream(in, of);
    else
      read.queue = read_queue(in, of);
  } catch (const quern::database_error& refused) {
    read.problem = refused.what();
  }
  return read;
}

std::optional<held_back> oldest_transaction(operated_schema& in) {
  const auto rows = in.db.execute(
      "select a.pid, extract(epoch from clock_timestamp() - a.xact_start)::float8, a.application_name from "
      "pg_stat_activity as a where a.xact_start is not null and coalesce(a.backend_xid, a.backend_xmin) is not null "
      "and "
      "a.backend_type = 'client backend' and a.datname = current_database() and a.pid <> pg_backend_pid() "
      "order by a.xact_start limit 1");
  if (rows.empty()) return std::nullopt;
  return held_back{rows[0].get<int>(0), rows[0].get<double>(1),
                   rows[0].get<std::optional<std::string>>(2).value_or("")};
}

std::optional<all_workers> read_workers(operated_schema& in) try {
  all_workers found;
  const auto rows =
      in.db.execute(fmt::format("select queue, coalesce(consumer, ''), count(*) filter (where status in ('ready', "
                                "'polling', 'interrupted')), count(*) "
                                "filter (where status = 'dead') from {}.quern_workers() group by 1, 2",
                                quern::quoted_identifier(in.name)));
  for (const auto row : rows)
    found[{row.get<std::string>(0), row.get<std::string>(1)}] = {row.get<std::int64_t>(2), row.get<std::int64_t>(3)};
  return found;

} catch (const quern::database_error&) {
  // Migrated before there was such a list, or not for this role.
  return std::nullopt;
}

survey look(operated_schema& in, const std::vector<std::string>& names) {
  survey found;
  for (const std::string& name : names) found.entries.push_back(read_entry(in, find_queue(in, name)));
  if (names.empty()) {
    for (const operated_queue& one : all_queues(in)) {
      if (one.is_permitted)
        found.entries.push_back(read_entry(in, one));
      else
        ++found.hidden;
    }
  }
  found.oldest = oldest_transaction(in);
  found.workers = read_workers(in);
  return found;
}

ordered_json or_null(const std::optional<double>& number) {
  return number ? ordered_json(*number) : ordered_json(nullptr);
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
          {"blocked_keys", of.blocked ? ordered_json(*of.blocked) : ordered_json(nullptr)}};
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

void say_queues(const survey& found) {
  table lines{{"queue", "ready", "delayed", "leased", "dead", "oldest", "workers", ""}};
  for (const entry& one : found.entries) {
    if (!one.queue) continue;
    const queue_stats& of = *one.queue;
    const std::int64_t blocked = of.blocked.value_or(0);
    cell remark = of.is_paused ? cell{"paused", yellow} : cell{};
    if (blocked > 0)
      remark = {fmt::format("{}{} {} blocked", of.is_paused ? "paused, " : "", blocked, blocked == 1 ? "key" : "keys"),
                red};
    lines.add({{one.of.name, bold},
               count_cell(of.ready),
               count_cell(of.delayed),
               count_cell(of.leased),
               count_cell(of.dead, red),
               age_cell(of.oldest_age),
               worker_cell(found, one.of.name),
               remark});
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

exit_code say_once(operated_schema& in, const stats_arguments& given, bool is_screen) {
  const survey found = look(in, given.names);
  // From the top, over what was there.
  if (is_screen) fmt::print("\x1b[H\x1b[2J");
  if (given.is_json)
    say(as_json(found).dump(given.watch.empty() ? 2 : -1));
  else
    say_survey(found);
  const bool is_failed = std::ranges::any_of(found.entries, [](const entry& one) { return !one.problem.empty(); });
  return is_failed ? exit_code::refused : exit_code::done;
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
  command.add_option("--watch", given->watch, "Again and again, with so long between: 2s");
  command.add_flag("--json", given->is_json, "As JSON; with --watch one line each time");
  on_operation(command, result, [given] { return run(*given); });
}

}  // namespace cli
