#include "cli/job_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <quern/json.hpp>
#include <quern/time.hpp>
#include <utility>

#include "cli/command.hpp"
#include "render/names.hpp"

namespace cli {
namespace {

// Of those that the database has, the given one or the oldest.
int choose_contract(operated_schema& in, const operated_queue& of, std::optional<int> wanted) {
  const auto rows = in.db.execute(
      "select substr(p.proname::text, length($2) + 1)::int4 from pg_proc as p join pg_namespace as n on n.oid = "
      "p.pronamespace where n.nspname = $1 and starts_with(p.proname::text, $2) and substr(p.proname::text, length($2) "
      "+ "
      "1) ~ '^[0-9]+$' order by 1",
      of.schema, of.name + "_claim_json_v");
  for (const auto row : rows)
    if (!wanted || row.get<int>(0) == *wanted) return row.get<int>(0);
  throw failure{exit_code::input_wrong, wanted ? fmt::format("{} has no contract v{}", of.title(), *wanted)
                                               : fmt::format("{} has no contract", of.title())};
}

// What the functions that do not say a contract leave out.
bool has_headers(operated_schema& in, const operated_queue& of, int version) {
  return in.db
      .execute(
          "select exists (select from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace where "
          "n.nspname = $1 and p.proname::text = $2 and 'headers' = any (p.proargnames))",
          of.schema, fmt::format("{}_claim_json_v{}", of.name, version))
      .value<bool>();
}

bool may_call(operated_schema& in, const operated_queue& of, std::string_view verb) {
  return in.db
      .execute(
          "select exists (select from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace where n.nspname = "
          "$1 and p.proname::text = $2 and has_function_privilege(p.oid, 'execute'))",
          of.schema, fmt::format("{}_{}", of.name, verb))
      .value<bool>();
}

void expect_claims(const operated_target& from) {
  if (from.queue.is_stream && from.consumer.empty())
    throw failure{exit_code::input_wrong, fmt::format("say which cooperative consumer of {}: {}/CONSUMER",
                                                      from.queue.title(), from.queue.name)};
}

constexpr std::string_view as_text = "to_char(c.{} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";

}  // namespace

job_source::job_source(operated_schema& in, operated_target from, std::optional<int> contract,
                       std::chrono::microseconds lease, bool with_results)
    : from_{std::move(from)},
      lease_{lease},
      channel_{render::names::channel(in.name, from_.queue.line)},
      wake_key_{render::names::advisory_key(in.name, from_.queue.line)} {
  expect_claims(from_);
  if (with_results) expect_results(in, from_.queue);
  const operated_queue& queue = from_.queue;
  const int version = choose_contract(in, queue, contract);
  const std::string due = queue.function(fmt::format("next_due_v{}", version));
  // $1 consumer, $2 id, $3 batch, $4 attempt, $5 what is special; of a claim $2 count, $3 lease.
  if (queue.is_stream) {
    claim_ =
        fmt::format("select c.event_offset, c.batch, c.attempt, {}, c.payload, null::text from {}($1, $2, $3) as c",
                    fmt::format(as_text, "published_at"), queue.function(fmt::format("claim_json_v{}", version)));
    ack_ = fmt::format("select {}($1, $3, $2) > 0", queue.function("ack"));
    nack_ = fmt::format("select {}($1, $3, $2, $5)", queue.function("nack"));
    release_ = fmt::format("select {}($1, $3)", queue.function("release"));
    extend_ = fmt::format("select {}($1, $3, $5) is not null", queue.function("extend"));
    next_due_ = fmt::format("select extract(epoch from {}($1) - clock_timestamp())::float8", due);
  } else {
    const bool is_with_headers = has_headers(in, queue, version);
    claim_ = fmt::format(
        "select c.message_id, 0::int8, c.attempt, {}, c.payload, {} from {}($2, $3) as c",
        fmt::format(as_text, "enqueued_at"), is_with_headers ? "coalesce(c.headers::text, 'null')" : "null::text",
        queue.function(contract || is_with_headers ? fmt::format("claim_json_v{}", version) : "claim_json"));
    ack_ = fmt::format("select {}($2, $4)", queue.function("ack"));
    ack_result_ = fmt::format("select {}($1, $2, $3::text::jsonb)", queue.function("ack_result"));
    nack_ = fmt::format("select {}($2, $4, $5)", queue.function("nack"));
    release_ = fmt::format("select {}($2, $4)", queue.function("release"));
    extend_ = fmt::format("select {}($2, $4, $5) is not null", queue.function("extend"));
    next_due_ = fmt::format("select extract(epoch from {}() - clock_timestamp())::float8", due);
    if (may_call(in, queue, "held_back")) held_back_ = fmt::format("select {}({}())", queue.function("held_back"), due);
  }
}

std::vector<job> job_source::claim(quern::connection& db, int count) const {
  std::vector<job> claimed;
  // Each event is claimed alone: what is claimed together ends in order.
  const int at_once = from_.queue.is_stream ? 1 : count;
  while (static_cast<int>(claimed.size()) < count) {
    const std::size_t before = claimed.size();
    try {
      for (const auto row : db.execute(claim_, from_.consumer, at_once, quern::interval{lease_}))
        claimed.push_back({row.get<std::int64_t>(0), row.get<std::int64_t>(1), row.get<int>(2), row.get<std::string>(3),
                           row.get<quern::json>(4).text, row.get<std::optional<std::string>>(5)});
    } catch (const quern::database_error&) {
      // What was claimed before is worked on; the next call meets the refusal again.
      if (claimed.empty()) throw;
    }
    if (claimed.size() == before || !from_.queue.is_stream) break;
  }
  return claimed;
}

bool job_source::ack(quern::connection& db, const job& one) const {
  return db.execute(ack_, from_.consumer, one.id, one.batch, one.attempt).value<bool>();
}

bool job_source::ack(quern::connection& db, const job& one, const std::string& result) const {
  return db.execute(ack_result_, one.id, one.attempt, result).value<bool>();
}

bool job_source::release(quern::connection& db, const job& one) const {
  return db.execute(release_, from_.consumer, one.id, one.batch, one.attempt).value<bool>();
}

bool job_source::extend(quern::connection& db, const job& one) const {
  return db.execute(extend_, from_.consumer, one.id, one.batch, one.attempt, quern::interval{lease_}).value<bool>();
}

std::string job_source::nack(quern::connection& db, const job& one, const std::string& error) const {
  return db.execute(nack_, from_.consumer, one.id, one.batch, one.attempt, error).value<std::string>();
}

std::optional<std::chrono::microseconds> job_source::next_due(quern::connection& db) const {
  const auto seconds = db.execute(next_due_, from_.consumer).value<std::optional<double>>();
  if (!seconds) return std::nullopt;
  constexpr double longest = 3600;
  return std::chrono::microseconds{static_cast<std::int64_t>(std::clamp(*seconds, 0.0, longest) * 1e6)};
}

bool job_source::is_held_back(quern::connection& db) const {
  return !held_back_.empty() && db.execute(held_back_).value<bool>();
}

environment_variables job_source::variables_of(const job& one) const {
  const auto attempt = fmt::to_string(one.attempt);
  if (from_.queue.is_stream)
    return {{"QUERN_STREAM", from_.queue.name},
            {"QUERN_CONSUMER", from_.consumer},
            {"QUERN_EVENT_OFFSET", fmt::to_string(one.id)},
            {"QUERN_ATTEMPT", attempt},
            {"QUERN_PUBLISHED_AT", one.at}};
  environment_variables variables{{"QUERN_QUEUE", from_.queue.name},
                                  {"QUERN_MESSAGE_ID", fmt::to_string(one.id)},
                                  {"QUERN_ATTEMPT", attempt},
                                  {"QUERN_ENQUEUED_AT", one.at}};
  if (one.headers) variables.emplace_back("QUERN_HEADERS", *one.headers);
  return variables;
}

std::string job_source::title_of(const job& one) const {
  const std::string consumer = from_.consumer.empty() ? "" : "/" + from_.consumer;
  return fmt::format("{}{} {}", from_.queue.name, consumer, one.id);
}

}  // namespace cli
