// quern peek: messages and events as they are stored; claims nothing.

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <quern/connection.hpp>
#include <quern/json.hpp>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/operated.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

using nlohmann::ordered_json;

struct peek_arguments {
  operated_place place{};
  std::string target{};
  std::vector<std::string> ids{};
  bool is_dead = false;
  bool is_leased = false;
  bool is_json = false;
  std::optional<std::int64_t> after{};
  int limit = 20;
};

/// A message, an event, or an event that failed at a consumer.
struct item {
  std::int64_t id = 0;
  std::string state{};
  std::optional<int> attempt{};
  std::string at{};                    // enqueued or published
  std::optional<std::string> until{};  // due, leased until or dead since
  std::optional<int> contract{};
  std::optional<std::string> last_error{};
  std::string payload{};
};

// Which rows are shown.
enum class wanted { waiting, leased, dead, named };

// In UTC, whatever the session's time zone is.
std::string as_text(std::string_view time) {
  return fmt::format("to_char({} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')", time);
}

// What a row has beside its payload. A name of these can be no field's, where the table has such a column.
std::string payload_of(std::string_view row, std::string_view also = "") {
  return fmt::format(
      "to_jsonb({0}) - array['message_id', 'lease_until', 'enqueued_at', 'attempt', 'release_count', 'is_blocking', "
      "'contract_version', 'last_error', 'due_at', 'dead_at'{1}]",
      row, also);
}

std::string without_log(const operated_queue& of) {
  return of.is_log ? ", 'segment', 'stamp'" : "";
}

constexpr std::string_view without_claim =
    ", 'consumer', 'event_offset', 'claim_id', 'session_key', 'failed_at', 'order_key', 'published_at'";

// Of messages that were never tried, or for the first time. $1: ids, $2: how many.
std::string fresh_messages(const operated_queue& of, wanted which) {
  const std::string condition = which == wanted::named    ? "m.message_id = any ($1)"
                                : which == wanted::leased ? "s.lease_until > clock_timestamp()"
                                                          : "s.lease_until <= clock_timestamp()";
  const std::string source =
      of.is_log
          ? fmt::format(
                "{} as s join {} as m on m.stamp = s.stamp and m.message_id = "
                "s.message_id",
                of.table("live"), of.table("message"))
          : fmt::format("{0} as m join lateral (select m.lease_until, m.attempt) as s on true", of.table("message"));
  const std::string attempt = of.is_log ? "case when s.lease_until > '-infinity' then 1 else 0 end" : "s.attempt";
  // The view of a log has no order of its own that could be had without sorting all of it.
  const std::string order = of.is_log ? "" : "order by m.message_id";
  return fmt::format(
      "select m.message_id, case when s.lease_until > clock_timestamp() then 'leased' else 'ready' end, {}, {}, case "
      "when "
      "s.lease_until > clock_timestamp() then {} end, m.contract_version::int4, null::text, {} from {} where {} {} "
      "limit "
      "$2",
      attempt, as_text("m.enqueued_at"), as_text("s.lease_until"), payload_of("m", without_log(of)), source, condition,
      order);
}

std::string delayed_messages(const operated_queue& of, wanted which) {
  const std::string condition = which == wanted::named    ? "m.message_id = any ($1)"
                                : which == wanted::leased ? "m.lease_until > clock_timestamp()"
                                                          : "m.lease_until <= clock_timestamp()";
  return fmt::format(
      "select m.message_id, case when m.lease_until > clock_timestamp() then 'leased' when m.due_at > "
      "clock_timestamp() "
      "then 'delayed' else 'ready' end, m.attempt, {}, {}, m.contract_version::int4, m.last_error, {} from {} as m "
      "where "
      "{} order by m.due_at, m.message_id limit $2",
      as_text("m.enqueued_at"), as_text("m.due_at"), payload_of("m"), of.table("delayed"), condition);
}

std::string dead_messages(const operated_queue& of, wanted which) {
  return fmt::format(
      "select m.message_id, 'dead', m.attempt, {}, {}, m.contract_version::int4, m.last_error, {} from {} as m where "
      "{} "
      "order by m.message_id limit $2",
      as_text("m.enqueued_at"), as_text("m.dead_at"), payload_of("m", ", 'is_blocking'"), of.table("dead"),
      which == wanted::named ? "m.message_id = any ($1)" : "$1 is not null");
}

std::string failed_events(const operated_queue& of, wanted which) {
  const std::string condition = which == wanted::named    ? "f.event_offset = any ($1)"
                                : which == wanted::dead   ? "f.dead_at is not null"
                                : which == wanted::leased ? "f.claim_id is not null and f.dead_at is null"
                                                          : "f.claim_id is null and f.dead_at is null";
  return fmt::format(
      "select f.event_offset, case when f.dead_at is not null then 'dead' when f.claim_id is not null then 'leased' "
      "when "
      "f.due_at > clock_timestamp() then 'delayed' else 'ready' end, f.attempt, {}, {}, f.contract_version::int4, "
      "f.last_error, {} from {} as f where $1 is not null and f.consumer = $3 and {} order by f.event_offset limit $2",
      as_text("f.published_at"), as_text("coalesce(f.dead_at, f.due_at)"), payload_of("f", without_claim),
      of.table("failed"), condition);
}

// Columns of other contracts are null. What has no schema stands in one column, whose name no field can have.
std::string payload_text(const std::string& stored) {
  ordered_json all = ordered_json::parse(stored);
  ordered_json fields = ordered_json::object();
  bool has_fields = false;
  for (auto& [name, value] : all.items()) {
    if (value.is_null()) continue;
    has_fields = has_fields || (name != "payload" && !name.starts_with("priority"));
    fields[name] = std::move(value);
  }
  return (fields.contains("payload") && !has_fields ? fields["payload"] : fields).dump();
}

item read_item(const quern::row& row) {
  return {row.get<std::int64_t>(0),
          row.get<std::string>(1),
          row.get<std::optional<int>>(2),
          row.get<std::string>(3),
          row.get<std::optional<std::string>>(4),
          row.get<std::optional<int>>(5),
          row.get<std::optional<std::string>>(6),
          payload_text(row.get<quern::json>(7).text)};
}

template <class... More>
void read_items(std::vector<item>& into, operated_schema& in, const std::string& sql, const peek_arguments& given,
                const std::vector<std::int64_t>& ids, const More&... more) {
  const auto left = given.limit - static_cast<int>(into.size());
  if (left <= 0) return;
  for (const auto row : in.db.execute(sql, ids, static_cast<std::int64_t>(left), more...))
    into.push_back(read_item(row));
}

wanted which_of(const peek_arguments& given) {
  if (!given.ids.empty()) return wanted::named;
  if (given.is_dead) return wanted::dead;
  return given.is_leased ? wanted::leased : wanted::waiting;
}

std::vector<item> messages(operated_schema& in, const operated_queue& of, const peek_arguments& given) {
  const wanted which = which_of(given);
  const auto ids = parse_ids(given.ids);
  std::vector<item> found;
  if (which != wanted::dead) {
    read_items(found, in, fresh_messages(of, which), given, ids);
    read_items(found, in, delayed_messages(of, which), given, ids);
  }
  if (which == wanted::dead) expect_dead_letters(in, of, "purge");
  if (which == wanted::dead || (which == wanted::named && has_function(in, of, "purge")))
    read_items(found, in, dead_messages(of, which), given, ids);
  return found;
}

// The last ones, where nothing is said of an offset.
std::vector<item> events(operated_schema& in, const operated_queue& of, const peek_arguments& given) {
  if (!given.ids.empty() || given.is_dead || given.is_leased)
    throw failure{exit_code::usage,
                  fmt::format("events of a stream are shown by --after and --limit; dead ones are those of a consumer: "
                              "quern peek {}/CONSUMER --dead",
                              of.name)};
  std::int64_t after = 0;
  if (given.after) {
    after = *given.after;
  } else {
    const auto ends = in.db.execute(
        fmt::format("select greatest(first_offset - 1, last_offset - $1) from {}()", of.function("stats")),
        static_cast<std::int64_t>(given.limit));
    after = ends.value<std::int64_t>();
  }
  std::vector<item> found;
  const auto rows = in.db.execute(fmt::format("select event_offset, {}, payload from {}($1, $2)",
                                              as_text("published_at"), of.function("read_json")),
                                  after, given.limit);
  for (const auto row : rows)
    found.push_back({.id = row.get<std::int64_t>(0),
                     .at = row.get<std::string>(1),
                     .payload = ordered_json::parse(row.get<quern::json>(2).text).dump()});
  return found;
}

ordered_json as_json(const item& one, bool is_event) {
  ordered_json made{{is_event ? "event_offset" : "message_id", one.id}};
  if (!one.state.empty()) made["state"] = one.state;
  if (one.attempt) made["attempt"] = *one.attempt;
  made[is_event ? "published_at" : "enqueued_at"] = one.at;
  if (one.until) {
    const char* const what = one.state == "dead" ? "dead_at" : one.state == "leased" ? "lease_until" : "due_at";
    made[what] = *one.until;
  }
  if (one.contract) made["contract_version"] = *one.contract;
  if (one.last_error) made["last_error"] = *one.last_error;
  made["payload"] = ordered_json::parse(one.payload);
  return made;
}

std::string spell_state(const item& one) {
  if (one.state == "dead") return red("dead", stream::output) + " since " + one.until.value_or("");
  if (one.state == "leased") return yellow("leased", stream::output) + " until " + one.until.value_or("");
  if (one.state == "delayed") return yellow("delayed", stream::output) + " until " + one.until.value_or("");
  return green(one.state, stream::output);
}

void say_item(const item& one) {
  std::string head = fmt::format("{}  {}", bold(fmt::to_string(one.id), stream::output), one.at);
  if (!one.state.empty()) head += "  " + spell_state(one);
  if (one.attempt && *one.attempt > 0) head += fmt::format("  attempt {}", *one.attempt);
  say(head);
  say("  " + one.payload);
  if (one.last_error) say("  " + red(*one.last_error, stream::output));
}

exit_code run(const peek_arguments& given) {
  if (given.is_dead && given.is_leased) throw failure{exit_code::usage, "--dead or --leased, not both"};
  operated_schema in = open_schema(given.place, "quern peek");
  const operated_target target = find_target(in, given.target);
  std::vector<item> found;
  if (!target.consumer.empty())
    read_items(found, in, failed_events(target.queue, which_of(given)), given, parse_ids(given.ids), target.consumer);
  else if (target.queue.is_stream)
    found = events(in, target.queue, given);
  else
    found = messages(in, target.queue, given);
  for (const item& one : found) {
    if (given.is_json)
      say(as_json(one, target.queue.is_stream).dump());
    else
      say_item(one);
  }
  if (found.empty() && !given.is_json) tell(fmt::format("nothing of that kind in {}", target.title()));
  return exit_code::done;
}

}  // namespace

void add_peek(CLI::App& program, exit_code& result) {
  const auto given = std::make_shared<peek_arguments>();
  CLI::App* const command =
      program.add_subcommand("peek", "Show messages that wait, or are dead, and events; claims nothing");
  command
      ->add_option("queue", given->target,
                   "A queue, a stream (its events), or STREAM/CONSUMER (events that failed there)")
      ->required();
  command->add_option("id", given->ids, "These messages, in whatever state they are");
  add_operated(*command, given->place);
  command->add_flag("--dead", given->is_dead, "The dead letters");
  command->add_flag("--leased", given->is_leased, "What is being worked on");
  command->add_option("--after", given->after, "Events after this offset (default: the last ones)");
  command->add_option("--limit", given->limit, "At most so many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_flag("--json", given->is_json, "One JSON object a line; the payload as it is stored");
  on_operation(*command, result, [given] { return run(*given); });
}

}  // namespace cli
