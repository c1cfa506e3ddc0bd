// quern peek: messages and events as they are stored; claims nothing.

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <quern/connection.hpp>
#include <quern/transaction.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "cli/operated.hpp"
#include "cli/terminal.hpp"
#include "text/json.hpp"
#include "text/visible.hpp"

namespace cli {
namespace {

using nlohmann::ordered_json;

struct peek_arguments {
  operated_place place{};
  std::string target{};
  std::vector<std::string> ids{};
  bool is_dead = false;
  bool is_leased = false;
  bool is_done = false;
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
  std::optional<std::string> until{};  // due, leased until, dead or done since
  std::optional<int> contract{};
  std::optional<std::string> last_error{};
  std::string payload{};
  std::optional<std::string> result{};  // of a message that was handled
  std::optional<int> priority{};
  std::optional<std::string> headers{};  // of a queue with headers: an object, or null
};

// In UTC, whatever the session's time zone is.
std::string as_text(std::string_view time) {
  return fmt::format("to_char({} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')", time);
}

// The database picks the payload out of its columns and spells it: a number that is read here could become another one.
// Columns of other contracts are null. What has no schema stands in one column, whose name no field can have; what
// travels beside the payload stands in columns whose names no field can have either.
constexpr std::string_view payload_columns = R"(
  case when payload ? 'payload' then (payload -> 'payload')::text
  else (
    select coalesce(jsonb_object_agg(f.key, f.value), '{}')::text
    from jsonb_each(payload - '{quern_priority, quern_headers}'::text[]) as f
    where f.value <> 'null'
  )
  end,
  (payload ->> 'quern_priority')::int4,
  (payload -> 'quern_headers')::text
)";

std::optional<std::string> compact(const std::optional<std::string>& json) {
  return json ? std::optional{text::compact_json(*json)} : std::nullopt;
}

item read_item(const quern::row& row) {
  return {.id = row.get<std::int64_t>(0),
          .state = row.get<std::string>(1),
          .attempt = row.get<std::optional<int>>(2),
          .at = row.get<std::string>(3),
          .until = row.get<std::optional<std::string>>(4),
          .contract = row.get<std::optional<int>>(5),
          .last_error = row.get<std::optional<std::string>>(6),
          .payload = text::compact_json(row.get<std::string>(7)),
          .priority = row.get<std::optional<int>>(8),
          .headers = compact(row.get<std::optional<std::string>>(9))};
}

std::vector<std::string> states_of(const peek_arguments& given) {
  if (!given.ids.empty()) return {"ready", "delayed", "leased", "dead"};
  if (given.is_dead) return {"dead"};
  if (given.is_leased) return {"leased"};
  return {"ready", "delayed"};
}

std::optional<std::vector<std::int64_t>> ids_of(const peek_arguments& given) {
  if (given.ids.empty()) return std::nullopt;
  return parse_ids(given.ids);
}

template <class... First>
std::vector<item> stored(operated_schema& in, const std::string& function, std::string_view key, std::string_view at,
                         const peek_arguments& given, const First&... first) {
  std::string arguments;
  for (std::size_t i = 1; i <= sizeof...(first) + 3; ++i) arguments += fmt::format("{}${}", i == 1 ? "" : ", ", i);
  const auto rows =
      in.db.execute(fmt::format("select {}, state, attempt, {}, {}, contract_version::int4, last_error, {} from {}({})",
                                key, as_text(at), as_text("until"), payload_columns, function, arguments),
                    first..., states_of(given), given.limit, ids_of(given));
  std::vector<item> found;
  for (const auto row : rows) found.push_back(read_item(row));
  return found;
}

// The newest first, or those of the ids.
std::vector<item> handled_messages(operated_schema& in, const operated_queue& of, const peek_arguments& given) {
  if (!has_function(in, of, "done"))
    throw failure{exit_code::input_wrong,
                  fmt::format("{} keeps no handled messages: it has no `keep_done`", of.title())};
  const std::string from = given.ids.empty() ? "{0}($1) as d"
                                             : "unnest($2) as i (id) cross join lateral {0}(p_message_id => i.id) as d "
                                               "limit $1";
  const auto rows = in.db.execute(
      fmt::format(
          "select d.message_id, d.attempt, {}, {}, d.contract_version::int4, d.payload::text, d.result::text from ",
          as_text("d.enqueued_at"), as_text("d.done_at")) +
          fmt::format(fmt::runtime(from), of.function("done")) + (given.ids.empty() ? " where $2 is null" : ""),
      given.limit, ids_of(given));
  std::vector<item> found;
  for (const auto row : rows)
    found.push_back({.id = row.get<std::int64_t>(0),
                     .state = "done",
                     .attempt = row.get<int>(1),
                     .at = row.get<std::string>(2),
                     .until = row.get<std::string>(3),
                     .contract = row.get<int>(4),
                     .payload = text::compact_json(row.get<std::string>(5)),
                     .result = row.get<std::optional<std::string>>(6)});
  return found;
}

std::vector<item> messages(operated_schema& in, const operated_queue& of, const peek_arguments& given) {
  if (given.is_done) return handled_messages(in, of, given);
  if (given.is_dead) expect_dead_letters(in, of, "purge");
  return stored(in, of.function("peek"), "message_id", "enqueued_at", given);
}

std::vector<item> failed_events(operated_schema& in, const operated_target& target, const peek_arguments& given) {
  if (given.is_done) throw failure{exit_code::usage, "--done is of queues: a stream keeps its events as they are"};
  return stored(in, target.queue.function("peek_failed"), "event_offset", "published_at", given, target.consumer);
}

// So that what was published just now is shown too, where this role may do that and the server can be written to.
void seal(operated_schema& in, const operated_queue& of) try {
  in.db.execute(fmt::format("select {}()", of.function("seal")));

} catch (const quern::database_error& refused) {
  if (!is_not_permitted(refused)) throw;
}

// The last ones, where nothing is said of an offset.
std::vector<item> events(operated_schema& in, const operated_queue& of, const peek_arguments& given) {
  if (!given.ids.empty() || given.is_dead || given.is_leased || given.is_done)
    throw failure{exit_code::usage,
                  fmt::format("events of a stream are shown by --after and --limit; dead ones are those of a consumer: "
                              "quern peek {}/CONSUMER --dead",
                              of.name)};
  seal(in, of);
  std::int64_t after = 0;
  if (given.after) {
    after = *given.after;
  } else {
    const auto ends = in.db.execute(
        fmt::format("select greatest(first_offset - 1, last_offset - $1) from {}()", of.function("stats")),
        static_cast<std::int64_t>(given.limit));
    after = ends.value<std::int64_t>();
  }
  // A transaction that reads only is not noted as a use of the contract, which would put off that it is retired.
  quern::transaction reading{in.db};
  reading.execute("set transaction read only");
  std::vector<item> found;
  const auto rows = reading.execute(fmt::format("select event_offset, {}, payload::text from {}($1, $2)",
                                                as_text("published_at"), of.function("read_json")),
                                    after, given.limit);
  for (const auto row : rows)
    found.push_back({.id = row.get<std::int64_t>(0),
                     .at = row.get<std::string>(1),
                     .payload = text::compact_json(row.get<std::string>(2))});
  reading.commit();
  return found;
}

// Puts a JSON text at the end of an object, as it is.
void append(std::string& object, std::string_view name, const std::string& json) {
  object.insert(object.size() - 1, fmt::format(",\"{}\":{}", name, json));
}

std::string as_json(const item& one, bool is_event) {
  ordered_json made{{is_event ? "event_offset" : "message_id", one.id}};
  if (!one.state.empty()) made["state"] = one.state;
  if (one.attempt) made["attempt"] = *one.attempt;
  made[is_event ? "published_at" : "enqueued_at"] = one.at;
  if (one.until) {
    const char* const what = one.state == "dead"     ? "dead_at"
                             : one.state == "done"   ? "done_at"
                             : one.state == "leased" ? "lease_until"
                                                     : "due_at";
    made[what] = *one.until;
  }
  if (one.priority) made["priority"] = *one.priority;
  if (one.contract) made["contract_version"] = *one.contract;
  if (one.last_error) made["last_error"] = *one.last_error;
  std::string object = made.dump();
  if (one.headers) append(object, "headers", *one.headers);
  append(object, "payload", one.payload);
  if (one.result) append(object, "result", text::compact_json(*one.result));
  return object;
}

std::string spell_state(const item& one) {
  if (one.state == "dead") return red("dead", stream::output) + " since " + one.until.value_or("");
  if (one.state == "done") return green("done", stream::output) + " at " + one.until.value_or("");
  if (one.state == "leased") return yellow("leased", stream::output) + " until " + one.until.value_or("");
  if (one.state == "delayed") return yellow("delayed", stream::output) + " until " + one.until.value_or("");
  return green(one.state, stream::output);
}

void say_item(const item& one) {
  std::string head = fmt::format("{}  {}", bold(fmt::to_string(one.id), stream::output), one.at);
  if (!one.state.empty()) head += "  " + spell_state(one);
  if (one.attempt && *one.attempt > 0) head += fmt::format("  attempt {}", *one.attempt);
  if (one.priority) head += fmt::format("  priority {}", *one.priority);
  say(head);
  say("  " + text::visible(one.payload));
  if (one.headers && *one.headers != "null") say("  headers " + text::visible(*one.headers));
  if (one.result) say("  gave " + text::visible(*one.result));
  if (one.last_error) say("  " + red(text::visible(*one.last_error), stream::output));
}

void expect_one_kind(const peek_arguments& given) {
  if (given.is_dead + given.is_leased + given.is_done > 1)
    throw failure{exit_code::usage, "one of --dead, --leased and --done"};
  if (!given.ids.empty() && (given.is_dead || given.is_leased))
    throw failure{exit_code::usage, "ids are shown in whatever state they are: without --dead and --leased"};
}

exit_code run(const peek_arguments& given) {
  expect_one_kind(given);
  operated_schema in = open_schema(given.place, "quern peek");
  const operated_target target = find_target(in, given.target);
  if (given.after && (!target.queue.is_stream || !target.consumer.empty()))
    throw failure{exit_code::usage, fmt::format("--after is of streams, and no part of {}", target.title())};
  const std::vector<item> found = !target.consumer.empty() ? failed_events(in, target, given)
                                  : target.queue.is_stream ? events(in, target.queue, given)
                                                           : messages(in, target.queue, given);
  for (const item& one : found) {
    if (given.is_json)
      say(as_json(one, target.queue.is_stream));
    else
      say_item(one);
  }
  if (found.empty() && !given.is_json) tell(fmt::format("nothing of that kind in {}", target.title()));
  return exit_code::done;
}

}  // namespace

void add_peek(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<peek_arguments>();
  const command_line command =
      program.add_command("peek", "Show messages that wait, or are dead, and events; claims nothing");
  command
      .add_option("queue", given->target,
                  "A queue, a stream (its events), or STREAM/CONSUMER (events that failed there)")
      .required();
  command.add_option("id", given->ids, "These messages, in whatever state they are");
  add_operated(command, given->place);
  command.add_flag("--dead", given->is_dead, "The dead letters");
  command.add_flag("--done", given->is_done, "What was handled, the newest first, with its results");
  command.add_flag("--leased", given->is_leased, "What is being worked on");
  command.add_option("--after", given->after, "Events after this offset (default: the last ones)");
  command.add_option("--limit", given->limit, "At most so many").between(1, 1'000'000).shows_default();
  command.add_flag("--json", given->is_json, "One JSON object a line; the payload as it is stored");
  on_operation(command, result, [given] { return run(*given); });
}

}  // namespace cli
