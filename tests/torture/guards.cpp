#include "guards.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace torture {
namespace {

constexpr std::string_view seal = "sql/stream/seal_to_end.sql.mustache";
constexpr std::string_view truncate = "sql/stream/truncate.sql.mustache";
constexpr std::string_view pick = "sql/version/pick.sql.mustache";
constexpr std::string_view pick_heads = "sql/version/pick_heads.sql.mustache";
constexpr std::string_view log_end = "sql/queue/log_end.sql.mustache";
constexpr std::string_view head = "sql/queue/head.sql.mustache";

text::source without(const text::source& from, const replacement& change) {
  std::string text = from.content;
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(change.part, at)) != std::string::npos; at += change.by.size()) {
    text.replace(at, change.part.size(), change.by);
    ++found;
  }
  if (found == 0) throw std::logic_error{fmt::format("{} does not hold: {}", change.name, change.part)};
  return {from.name, std::move(text)};
}

}  // namespace

const std::vector<guard>& guards() {
  static const std::vector<guard> all{
      {"stream.running",
       "a seal looks for transactions that ran at the seal before",
       "I1",
       {{seal, "e.stamp = any (v_page.lo_running)", "false"}}},
      {"stream.seal_lock",
       "one seals at a time",
       "no unexpected error",
       {{seal, "not pg_try_advisory_xact_lock({{advisory_key}} + 1)", "false"}}},
      {"stream.read_after_lock",
       "a seal looks for the newest page when it has the lock",
       "I2",
       {{seal, "v_last {{prefix}}_page;", "v_last {{prefix}}_page := {{prefix}}_newest_page();"},
        {seal, "  v_last := {{prefix}}_newest_page();\n", "  perform pg_sleep(0.002);\n"}}},
      {"stream.own_pages",
       "nobody shows pages that he has sealed and not committed",
       "I2",
       {{seal, "hidden := pg_current_xact_id_if_assigned();", "hidden := null;"}}},
      {"stream.settled",
       "nobody shows offsets before he has committed that another seal could give otherwise",
       "I2",
       {{seal, "where r.stamp < v_page.last_stamp", "where false"}}},
      {"stream.one_follows",
       "one position follows another",
       "I5",
       {{"sql/stream/consumer_table.sql.mustache",
         "primary key (consumer, position_id),\n  constraint {{line}}_position_follows unique (consumer, previous_id)",
         "primary key (consumer, position_id)"},
        {"sql/stream/position.sql.mustache", "on conflict (consumer, previous_id) do nothing", ""},
        {"sql/stream/claims.sql.mustache", "on conflict (consumer, previous_id) do nothing", ""}}},
      {"stream.open_claim",
       "only a claim that is open can be acknowledged",
       "I5",
       {{"sql/stream/claim_end.sql.mustache",
         "not v_claim.is_open or v_claim.lease_until = '-infinity' or v_up_to < v_claim.next_offset",
         "v_up_to < v_claim.next_offset"}}},
      {"stream.unconsumed",
       "what a consumer has not acknowledged is kept",
       "no unexpected error",
       {{truncate, ") < v_last.last_offset", ") < 0"}}},
      {"stream.retention",
       "what is within the retention is kept",
       "I6",
       {{truncate, "clock_timestamp() - {{retention}}", "clock_timestamp()"}}},
      {"queue.attempt",
       "only the present attempt ends a message",
       "only the present attempt ends a message",
       {{"sql/queue/ack.sql.mustache", "and m.attempt = p_attempt", ""},
        {"sql/queue/ack.sql.mustache", "and d.attempt = p_attempt", ""}}},
      {"queue.attempt_of_many",
       "only the present attempt ends a message, also of those that end together",
       "only the present attempt ends a message",
       {{"sql/queue/ack_many.sql.mustache", "and m.attempt = a.attempt", ""},
        {"sql/queue/ack_many.sql.mustache", "and d.attempt = a.attempt", ""}}},
      {"log.open_claim",
       "nobody ends what another one has ended or taken over",
       "only the present attempt ends a message",
       {{log_end, "from {{prefix}}_held as h\n    where h.first_id",
         "from {{prefix}}_claim as h\n    where h.first_id"},
        {log_end,
         "\n          and not exists (select from {{prefix}}_end as e where e.claim_id = v_claim.claim_id and "
         "e.message_id = 0)"
         "\n        order by",
         "\n        order by"}}},
      {"queue.lease",
       "what is leased is claimed by nobody",
       "a lease holds",
       {{pick, "and m.lease_until <= v_now", ""}}},
      {"order.begun",
       "what is begun holds its key",
       "one of a key at a time",
       {{head, "where {{key_d}} = p_key", "where {{key_d}} = p_key and false"},
        {pick_heads, "and (d.lease_until = '-infinity') = false", "and false"},
        {pick_heads, "when o.lease_until > '-infinity' or o.message_id < n.message_id", "when false"}}},
      {"order.smallest",
       "the smallest id of a key goes first, also when it has to wait",
       "a key's order is kept",
       {{head, "order by t.is_waiting, t.message_id", "order by t.is_waiting, t.is_delayed, t.message_id"},
        {pick_heads, "or o.message_id < n.message_id", ""}}},
      {"order.dead",
       "a dead letter blocks its key",
       "a key's order is kept",
       {{head, "and e.is_blocking", "and false"}, {pick_heads, "and e.is_blocking", "and false"}}},
  };
  return all;
}

const guard& guard_named(std::string_view name) {
  const auto which = std::ranges::find(guards(), name, &guard::name);
  if (which == guards().end()) throw std::invalid_argument{fmt::format("there is no guard \"{}\"", name)};
  return *which;
}

void remove_guards(std::vector<render::template_source>& templates, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    for (const replacement& change : guard_named(name).changes) {
      const auto changed = std::ranges::find(templates, change.name, &render::template_source::name);
      if (changed == templates.end()) throw std::logic_error{fmt::format("there is no template {}", change.name)};
      changed->source = without(changed->source, change);
    }
  }
}

}  // namespace torture
