// quern enqueue: messages out of JSON.

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <quern/connection.hpp>
#include <quern/time.hpp>
#include <quern/transaction.hpp>
#include <string>
#include <vector>

#include "cli/awaited.hpp"
#include "cli/command.hpp"
#include "cli/operated.hpp"
#include "cli/payloads.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

struct enqueue_arguments {
  operated_place place{};
  std::string queue{};
  std::string json{};
  std::string delay{};
  std::optional<int> priority{};
  std::optional<std::string> headers{};
  std::string wait{};  // `true`, or for how long
};

// The newest of those that know both of what is given.
std::string function_with_options(operated_schema& in, const operated_queue& into, const enqueue_arguments& given) {
  std::vector<std::string> wanted;
  if (given.priority) wanted.emplace_back("p_priority");
  if (given.headers) wanted.emplace_back("p_headers");
  const auto rows = in.db.execute(
      "select p.proname::text from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace where n.nspname = $1 "
      "and starts_with(p.proname::text, $2) and p.proargnames @> $3 order by length(p.proname) desc, p.proname desc "
      "limit 1",
      into.schema, into.name + "_enqueue_json_v", wanted);
  if (rows.empty())
    throw failure{exit_code::input_wrong, fmt::format("{} has no {}", into.title(),
                                                      !given.headers    ? "priorities"
                                                      : !given.priority ? "headers"
                                                                        : "priorities and headers")};
  return fmt::format("{}.{}", quern::quoted_identifier(into.schema),
                     quern::quoted_identifier(rows[0].get<std::string>(0)));
}

std::string function_for(operated_schema& in, const operated_queue& into, const enqueue_arguments& given) {
  return given.priority || given.headers ? function_with_options(in, into, given) : into.function("enqueue_json");
}

// One statement calls it for all payloads in their order; a duplicate has the id of the message that is the same, which
// the queue has noted for this transaction. $1: payloads, $2: delay, $3: priority, $4: headers.
std::string statement(operated_schema& in, const operated_queue& into, const enqueue_arguments& given) {
  const std::string call =
      fmt::format("{}(p.payload::jsonb, p_delay => $2{}{})", function_for(in, into, given),
                  given.priority ? ", p_priority => $3" : "", given.headers ? ", p_headers => $4::text::jsonb" : "");
  return fmt::format(
      "select e.message_id, coalesce(e.message_id::text = current_setting('quern.duplicate_of', true), false) from "
      "unnest($1) with ordinality as p (payload, place) cross join lateral (select {} as message_id offset 0) as e "
      "where ($3 is null or $3 = $3) and ($4::text is null or $4::text = $4::text)",
      call);
}

std::optional<std::chrono::microseconds> longest_wait(const enqueue_arguments& given) {
  if (given.wait.empty() || given.wait == "true") return std::nullopt;
  return std::chrono::microseconds{parse_length("--wait", given.wait)};
}

exit_code run(const enqueue_arguments& given) {
  std::optional<quern::interval> delay;
  if (!given.delay.empty()) delay = quern::interval{std::chrono::microseconds{parse_length("--delay", given.delay)}};
  const auto longest = longest_wait(given);
  if (!given.wait.empty() && given.json == "-")
    throw failure{exit_code::usage, "--wait is for one message: --json '{…}'"};
  operated_schema in = open_schema(given.place, "quern enqueue");
  const operated_queue into = find_queue(in, given.queue);
  if (into.is_stream)
    throw failure{exit_code::input_wrong, fmt::format("{} is no queue: quern publish {}", into.title(), into.name)};
  if (!given.wait.empty()) expect_results(in, into);
  const std::string sql = statement(in, into, given);
  std::int64_t duplicates = 0;
  std::int64_t last = 0;
  const auto send = [&](const std::vector<std::string>& payloads) {
    quern::transaction all{in.db};
    const auto sent = in.db.execute(sql, payloads, delay, given.priority, given.headers);
    all.commit();
    for (const auto row : sent) {
      const bool is_duplicate = row.get<bool>(1);
      duplicates += is_duplicate ? 1 : 0;
      last = row.get<std::int64_t>(0);
      if (given.wait.empty()) say(fmt::format("{}{}", last, is_duplicate ? " duplicate" : ""));
    }
  };
  const std::int64_t count = send_all(given.json, send);
  if (!given.wait.empty()) return say_result(in, into, last, longest);
  if (given.json == "-")
    tell(fmt::format(
        "{} enqueued{}", count - duplicates,
        duplicates > 0 ? fmt::format(", {} {} there already", duplicates, duplicates == 1 ? "was" : "were") : ""));
  return exit_code::done;
}

}  // namespace

void add_enqueue(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<enqueue_arguments>();
  const command_line command = program.add_command(
      "enqueue", "Enqueue messages out of JSON; prints their ids, and of what is there already: ID duplicate");
  command.add_option("queue", given->queue, "The queue").required();
  command.add_option("--json", given->json, "The payload, or -: one payload a line of standard input").required();
  command.add_option("--delay", given->delay, "Not handed out before so long: 10m").not_empty();
  command.add_option("--priority", given->priority, "0 is first");
  command.add_option("--headers", given->headers, "A JSON object that travels along, of a queue with headers");
  command.add_flag(
      "--wait", given->wait,
      "Until it is handled, with --wait=30s no longer than that; prints its result, JSON, and not its id, of "
      "a queue with keep_done");
  add_operated(command, given->place);
  on_operation(command, result, [given] { return run(*given); });
}

}  // namespace cli
