// Who may do what with quern's objects, against what the declaration grants: each role its part, and nothing else.

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "check/server_run.hpp"
#include "contract/queue_names.hpp"
#include "contract/schedules.hpp"

namespace check {
namespace {

struct right {
  std::string object;  // `function email_ack`, `column email_message.note`
  std::string privilege;
  std::string role;
  auto operator<=>(const right&) const = default;
};

/// Of all objects of the schema; without their owners, who may everything.
constexpr std::string_view rights_query = R"(
with granted (object, acl, owner) as (
  select 'function ' || p.proname, coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner
  from pg_proc as p
  where p.pronamespace = to_regnamespace(quote_ident($1))
  union all
  select case c.relkind when 'S' then 'sequence ' when 'v' then 'view ' else 'table ' end || c.relname, c.relacl, c.relowner
  from pg_class as c
  where c.relnamespace = to_regnamespace(quote_ident($1)) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all
  select 'column ' || c.relname || '.' || a.attname, a.attacl, c.relowner
  from pg_class as c
  join pg_attribute as a on a.attrelid = c.oid
  where c.relnamespace = to_regnamespace(quote_ident($1)) and a.attnum > 0 and not a.attisdropped
  union all
  select 'schema ' || n.nspname, n.nspacl, n.nspowner
  from pg_namespace as n
  where n.nspname = $1
)
select distinct g.object::text, a.privilege_type::text,
  case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee) end::text
from granted as g
cross join lateral aclexplode(g.acl) as a
where a.grantee <> g.owner
)";

class grants_check {
 public:
  explicit grants_check(const server_run& run) : run_{run} {
    for (const auto& queue : run.of.declared->queues) expect(queue);
  }

  void compare(quern::connection& db) const {
    const std::set<right> there = read(db);
    for (const right& one : wanted_)
      if (!there.contains(one))
        add("server_grant_missing", one,
            fmt::format("{} is granted no {} on {}, and its part needs it", one.role, one.privilege, one.object));
    for (const right& one : there)
      if (!wanted_.contains(one) && is_ours(one.object))
        add("server_grant_excess", one,
            fmt::format("{} is granted {} on {}, which no part of the declaration gives it", one.role, one.privilege,
                        one.object));
  }

 private:
  void add(std::string_view code, const right& one, std::string message) const {
    run_.add_at_object(name::server_grants, code, one.object, std::move(message),
                       "grants are declared: grants = { produce = […], consume = […], operate = […] }");
  }

  void grant(const std::vector<std::string>& roles, const std::string& object, std::string_view privilege) {
    for (const std::string& role : roles) wanted_.insert({object, std::string{privilege}, role});
  }

  void grant_functions(const std::vector<std::string>& roles, const std::string& prefix,
                       std::initializer_list<std::string_view> names, const std::string& suffix = "") {
    for (const std::string_view each : names)
      grant(roles, fmt::format("function {}{}{}", prefix, each, suffix), "EXECUTE");
  }

  void expect(const declaration::queue& queue) {
    const contract::line* const line = contract::find_queue(*run_.of.lock, queue.name);
    if (line == nullptr) return;
    const auto& [produce, consume, operate] = queue.grants;
    for (const auto* part : {&produce, &consume, &operate}) {
      grant(*part, "schema " + run_.schema(), "USAGE");
      grant_functions(*part, "quern_", {"handshake"});
    }
    grant_functions(consume, "quern_", {"worker_begin", "worker_beat"});
    grant_functions(operate, "quern_", {"workers"});
    for (const auto table : {"contract", "client"}) grant(operate, fmt::format("table quern_{}", table), "SELECT");
    if (contract::is_scheduled(run_.of.lock->schedules, queue.name))
      grant_functions(operate, "quern_", {"schedule_run", "schedules"});
    const std::string tables = line->name + "_";
    if (queue.stream) return expect_stream(queue, *line, tables);
    expect_staying(queue, tables);
    for (const std::string& name : contract::live_names(line->state)) expect_shared(queue, name);
    for (const contract::payload_contract* one : contract::live(line->state.contracts)) {
      const std::string version = fmt::format("_v{}", one->version);
      const std::string prefix = one->queue + "_";
      grant_functions(produce, prefix, {"wake", "enqueue", "enqueue_many", "enqueue_json"}, version);
      grant_functions(consume, prefix, {"claim", "claim_json", "take", "next_due"}, version);
      for (const auto use : {"produced_at", "swept_at"})
        grant(operate, fmt::format("sequence {}v{}_{}", tables, one->version, use), "SELECT");
      grant(produce, fmt::format("column {}message.contract_version", tables), "INSERT");
      if (one->priorities > 0)
        grant(produce, fmt::format("column {}message.{}", tables, one->priority_column), "INSERT");
      if (one->has_headers) grant(produce, fmt::format("column {}message.quern_headers", tables), "INSERT");
      for (const contract::field& field : one->fields)
        grant(produce, fmt::format("column {}message.{}", tables, field.column), "INSERT");
    }
  }

  /// On what keeps the first name of the queue.
  void expect_staying(const declaration::queue& queue, const std::string& tables) {
    const auto& [produce, consume, operate] = queue.grants;
    grant_functions(produce, tables, {"wake"});
    grant_functions(produce, "queue_", {"enqueue"});
    grant(produce, fmt::format("sequence {}message_id", tables), "USAGE");
    grant_functions(consume, tables, {"attempt"});
    grant_functions(consume, "", {"quern_queue_of", "queue_dequeue", "queue_ack"});
    for (const auto table : {"message", "delayed"}) grant(operate, fmt::format("table {}{}", tables, table), "SELECT");
    if (queue.dead_letter) grant(operate, fmt::format("table {}dead", tables), "SELECT");
    if (queue.keep_done) {
      grant_functions(consume, tables, {"maintain"});
      grant_functions(operate, tables, {"maintain"});
      grant(operate, fmt::format("table {}done", tables), "SELECT");
    }
    if (!queue.is_log) return;
    grant(produce, fmt::format("sequence {}segment", tables), "SELECT");
    grant_functions(consume, tables, {"maintain"});
    grant_functions(operate, tables, {"maintain", "restored"});
    for (const auto table : {"claim", "end"}) grant(operate, fmt::format("table {}{}", tables, table), "SELECT");
    grant(operate, fmt::format("view {}live", tables), "SELECT");
  }

  /// On what there is under each name of it.
  void expect_shared(const declaration::queue& queue, const std::string& name) {
    const auto& [produce, consume, operate] = queue.grants;
    const std::string prefix = name + "_";
    grant_functions(produce, prefix, {"enqueue_json", "cancel"});
    grant(produce, "view " + name, "INSERT");
    grant_functions(consume, prefix, {"claim_json", "ack", "ack_many", "nack", "extend", "release"});
    for (const auto privilege : {"SELECT", "UPDATE", "DELETE"}) grant(consume, "view " + name, privilege);
    grant_functions(operate, prefix, {"cancel", "peek", "stats", "pause", "resume"});
    if (!queue.is_log) grant_functions(operate, prefix, {"cancel_all"});
    if (queue.order && queue.order->on_failure == declaration::failure_policy::block)
      grant_functions(operate, prefix, {"blocked"});
    if (queue.concurrency > 0 || queue.rate) {
      grant_functions(consume, prefix, {"held_back"});
      grant_functions(operate, prefix, {"limits"});
    }
    if (queue.dead_letter) grant_functions(operate, prefix, {"redrive", "redrive_all", "purge"});
    if (!queue.keep_done) return;
    grant_functions(produce, prefix, {"result", "await", "await_end"});
    grant_functions(consume, prefix, {"ack_results", "ack_result"});
    grant_functions(operate, prefix, {"result", "done", "done_count", "forget_done"});
  }

  void expect_stream(const declaration::queue& stream, const contract::line& line, const std::string& tables) {
    const auto& [produce, consume, operate] = stream.grants;
    grant_functions(produce, tables, {"wake"});
    grant_functions(produce, "stream_", {"publish"});
    grant(produce, fmt::format("sequence {}event_number", tables), "USAGE");
    grant(produce, fmt::format("sequence {}segment", tables), "SELECT");
    grant_functions(consume, tables, {"maintain"});
    grant_functions(consume, "stream_", {"consume"});
    grant_functions(operate, tables, {"maintain", "restored"});
    for (const auto table : {"event", "page", "consumer", "position", "claim", "failed"})
      grant(operate, fmt::format("table {}{}", tables, table), "SELECT");
    for (const std::string& name : contract::live_names(line.state)) expect_shared_of_stream(stream, name + "_");
    for (const contract::payload_contract* one : contract::live(line.state.contracts)) {
      const std::string version = fmt::format("_v{}", one->version);
      const std::string prefix = one->queue + "_";
      grant_functions(produce, prefix, {"wake", "publish", "publish_many", "publish_json"}, version);
      grant_functions(consume, prefix,
                      {"read", "read_json", "receive", "receive_json", "claim", "claim_json", "next_due"}, version);
      for (const auto use : {"produced_at", "read_at"})
        grant(operate, fmt::format("sequence {}v{}_{}", tables, one->version, use), "SELECT");
      grant(produce, fmt::format("column {}event.contract_version", tables), "INSERT");
      for (const contract::field& field : one->fields)
        grant(produce, fmt::format("column {}event.{}", tables, field.column), "INSERT");
    }
  }

  void expect_shared_of_stream(const declaration::queue& stream, const std::string& prefix) {
    const auto& [produce, consume, operate] = stream.grants;
    grant_functions(produce, prefix, {"publish_json"});
    grant_functions(consume, prefix,
                    {"seal", "offset_at", "subscribe", "ack", "seek", "lag", "enlist", "nack", "extend", "release",
                     "held", "looked_up_to", "read_json"});
    grant_functions(operate, prefix,
                    {"seal", "offset_at", "subscribe", "unsubscribe", "seek", "share", "unshare", "redrive_all",
                     "redrive", "purge", "peek_failed", "blocked", "lag", "stats", "read_json"});
  }

  std::set<right> read(quern::connection& db) const {
    std::set<right> there;
    for (const quern::row row : db.execute(rights_query, run_.schema()))
      there.insert({row.get<std::string>(0), row.get<std::string>(1), row.get<std::string>(2)});
    return there;
  }

  /// What hooks have made is for its makers to grant; but nothing in the schema is for everyone.
  bool is_ours(const std::string& object) const {
    const std::string name = object.substr(object.find(' ') + 1);
    if (object.starts_with("schema ")) return true;
    if (name.starts_with("quern_") || name.starts_with("queue_") || name.starts_with("stream_")) return true;
    return std::ranges::any_of(run_.of.lock->lines, [&](const contract::line& line) {
      const auto bears = [&](const std::string& one) { return name == one || name.starts_with(one + "_"); };
      if (line.name == contract::core_line || line.state.is_dropped) return false;
      return bears(line.name) || std::ranges::any_of(contract::all_names(line.state), bears);
    });
  }

  const server_run& run_;
  std::set<right> wanted_;
};

}  // namespace

void check_grants(const server_run& run, const scratch_place& installed) {
  run.how.progress("comparing rights with the declared grants");
  quern::connection db{installed.url(), {.application_name = "quern check"}};
  grants_check{run}.compare(db);
}

}  // namespace check
