#include "render/queue_change.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "render/limits.hpp"
#include "render/names.hpp"
#include "render/ordering.hpp"
#include "render/shared_rights.hpp"
#include "render/sql.hpp"
#include "render/table_shape.hpp"

namespace render {

namespace {

std::string alter_table(const std::string& table, const std::vector<std::string>& actions) {
  if (actions.empty()) return {};
  return fmt::format("alter table {}\n  {};", table, fmt::join(actions, ",\n  "));
}

std::vector<std::string> lost(const std::vector<std::string>& before, const std::vector<std::string>& now) {
  std::vector<std::string> result;
  for (const auto& role : before) {
    if (std::find(now.begin(), now.end(), role) == now.end()) result.push_back(role);
  }
  return result;
}

/// Names of functions: those that all contracts share, then those of each.
std::string functions(const queue_model& model, const std::vector<std::string_view>& shared,
                      const std::vector<std::string_view>& versioned) {
  std::vector<std::string> names;
  for (const auto name : shared) {
    const bool is_staying = name == "wake" || name == "attempt" || name == "maintain" || name == "restored";
    for (const auto& queue : is_staying ? std::vector{model.line} : model.names) {
      names.push_back(fmt::format("{}_{}", names::prefix(model.schema, queue), name));
    }
  }
  for (const auto& version : model.versions) {
    const auto prefix = names::prefix(model.schema, version.contract->queue);
    for (const auto name : versioned)
      names.push_back(fmt::format("{}_{}_v{}", prefix, name, version.contract->version));
  }
  return fmt::format("function {}", fmt::join(names, ", "));
}

std::string doors(const queue_model& model) {
  std::vector<std::string> names;
  for (const auto& queue : model.names) names.push_back(names::door(model.schema, queue));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string stored_columns(const queue_model& model) {
  std::vector<std::string> names{"contract_version"};
  if (model.priorities > 0) names.push_back(model.priority);
  if (model.has_headers) names.emplace_back(headers_column);
  for (const auto& column : model.columns) names.push_back(sql::identifier(column.name));
  return fmt::format("{}", fmt::join(names, ", "));
}

void revoke_producers(std::vector<revocation>& out, const queue_model& model, const std::vector<std::string>& roles) {
  if (roles.empty()) return;
  const auto prefix = names::prefix(model.schema, model.line);
  const auto list = sql::identifiers(roles);
  if (model.is_stream()) {
    out.push_back({"execute",
                   functions(model, {"wake", "publish_json"}, {"wake", "publish", "publish_many", "publish_json"}),
                   list});
    out.push_back({fmt::format("insert ({})", stored_columns(model)), prefix + "_event", list});
    out.push_back({"usage", fmt::format("sequence {}_event_number", prefix), list});
    out.push_back({"select", fmt::format("sequence {}_segment", prefix), list});
    return;
  }
  std::vector<std::string_view> shared{"wake", "enqueue_json", "cancel"};
  if (model.has_done()) shared.insert(shared.end(), {"result", "await", "await_end"});
  out.push_back({"execute", functions(model, shared, {"wake", "enqueue", "enqueue_many", "enqueue_json"}), list});
  out.push_back({fmt::format("insert ({})", stored_columns(model)), prefix + "_message", list});
  out.push_back({"usage", fmt::format("sequence {}_message_id", prefix), list});
  if (model.is_log()) out.push_back({"select", fmt::format("sequence {}_segment", prefix), list});
  out.push_back({"insert", doors(model), list});
}

void revoke_consumers(std::vector<revocation>& out, const queue_model& model, const std::vector<std::string>& roles) {
  if (roles.empty()) return;
  const auto list = sql::identifiers(roles);
  if (model.is_stream()) {
    out.push_back({"execute",
                   functions(model,
                             {"seal", "offset_at", "subscribe", "ack", "seek", "maintain", "lag", "enlist", "nack",
                              "extend", "release", "held", "looked_up_to", "read_json"},
                             {"read", "read_json", "receive", "receive_json", "claim", "claim_json", "next_due"}),
                   list});
    return;
  }
  std::vector<std::string_view> shared{"claim_json", "ack", "ack_many", "nack", "extend", "release", "attempt"};
  if (model.is_log()) shared.push_back("maintain");
  if (has_limits(model)) shared.push_back("held_back");
  if (model.has_done()) shared.insert(shared.end(), {"ack_results", "ack_result", "maintain"});
  out.push_back({"execute", functions(model, shared, {"claim", "claim_json", "take", "next_due"}), list});
  out.push_back({"select, update, delete", doors(model), list});
}

/// The notes of when the contracts were used.
std::string last_uses(const queue_model& model) {
  const auto prefix = names::prefix(model.schema, model.line);
  std::vector<std::string> names;
  for (const auto& version : model.versions) {
    names.push_back(fmt::format("{}_v{}_produced_at", prefix, version.contract->version));
    names.push_back(
        fmt::format("{}_v{}_{}", prefix, version.contract->version, model.is_stream() ? "read_at" : "swept_at"));
  }
  return fmt::format("sequence {}", fmt::join(names, ", "));
}

void revoke_operators(std::vector<revocation>& out, const queue_model& model, const std::vector<std::string>& roles) {
  if (roles.empty()) return;
  const auto prefix = names::prefix(model.schema, model.line);
  const auto list = sql::identifiers(roles);
  out.push_back({"select", last_uses(model), list});
  if (model.is_stream()) {
    out.push_back({"execute",
                   functions(model,
                             {"seal", "offset_at", "subscribe", "unsubscribe", "seek", "maintain", "share", "unshare",
                              "redrive_all", "redrive", "purge", "peek_failed", "blocked", "restored", "lag", "stats",
                              "read_json"},
                             {}),
                   list});
    out.push_back({"select",
                   fmt::format("{0}_event, {0}_page, {0}_consumer, {0}_position, {0}_claim, {0}_failed", prefix),
                   list});
    return;
  }
  std::vector<std::string_view> names{"cancel", "peek", "stats", "pause", "resume"};
  if (!model.is_log()) names.emplace_back("cancel_all");
  if (model.has_dead_letter()) names.insert(names.begin(), {"redrive", "redrive_all", "purge"});
  if (is_blocking(model)) names.push_back("blocked");
  if (has_limits(model)) names.push_back("limits");
  if (model.is_log()) names.insert(names.end(), {"maintain", "restored"});
  if (model.has_done()) names.insert(names.end(), {"result", "done", "done_count", "forget_done", "maintain"});
  out.push_back({"execute", functions(model, names, {}), list});
  if (model.has_done()) out.push_back({"select", prefix + "_done", list});
  out.push_back({"select",
                 fmt::format("{0}_message, {1}{0}_delayed{2}", prefix,
                             model.is_log() ? fmt::format("{0}_claim, {0}_end, {0}_live, ", prefix) : std::string{},
                             model.has_dead_letter() ? fmt::format(", {}_dead", prefix) : std::string{}),
                 list});
}

}  // namespace

std::string main_table(const queue_model& model) {
  return fmt::format("{}_{}", names::prefix(model.schema, model.line), model.is_stream() ? "event" : "message");
}

std::string step_parts::part(std::string_view name, const change_details& details) const {
  // What is said of the objects of a queue is said in another way of those of a stream.
  const auto own = fmt::format("sql/stream_change/{}", name);
  return with_.text(model().is_stream() && with_.has(own) ? own : fmt::format("sql/change/{}", name),
                    change_view(model(), details));
}

std::vector<std::string> queue_change::tables(bool with_dead) const {
  const auto prefix = names::prefix(model().schema, model().line);
  if (model().is_stream()) {
    // What failed at a consumer is a copy, which was checked.
    if (with_dead) return {prefix + "_event", prefix + "_failed"};
    return {prefix + "_event"};
  }
  std::vector<std::string> result{prefix + "_message", prefix + "_delayed"};
  if (with_dead && before_.model().has_dead_letter() && model().has_dead_letter()) result.push_back(prefix + "_dead");
  return result;
}

std::string queue_change::alter_tables(const std::vector<std::string>& actions) const {
  return alter_tables(actions, {});
}

std::string queue_change::alter_tables(const std::vector<std::string>& columns,
                                       const std::vector<std::string>& checks) const {
  auto both = columns;
  both.insert(both.end(), checks.begin(), checks.end());
  std::vector<std::string> texts;
  const auto with_messages = tables(false).size();
  const auto all = tables(true);
  for (std::size_t i = 0; i < all.size(); ++i) texts.push_back(alter_table(all[i], i < with_messages ? both : columns));
  std::string result;
  for (const auto& text : texts) {
    if (!text.empty()) result += (result.empty() ? "" : "\n") + text;
  }
  return result;
}

std::string queue_change::require_and_drop(const alteration& what) const {
  return joined({alter_tables(what.require), alter_tables(what.unused, what.require_done)});
}

std::string queue_change::validate(const std::vector<std::string>& constraints) const {
  std::string result;
  for (const auto& table : tables(false)) {
    for (const auto& name : constraints) {
      if (!result.empty()) result += '\n';
      result += fmt::format("alter table {} validate constraint {};", table, name);
    }
  }
  return result;
}

std::string step_parts::guard(const std::string& remaining, const std::string& words, const std::string& hint,
                              bool leaves_done, bool is_ahead) const {
  return part("guard_messages", {.remaining = remaining,
                                 .remaining_words = words,
                                 .remaining_hint = hint,
                                 .leaves_done = leaves_done,
                                 .is_ahead = is_ahead});
}

std::string queue_change::strong_lock() const {
  return fmt::format("access exclusive on {}, for an instant", fmt::join(tables(true), ", "));
}

std::vector<int> added_levels(const queue_model& before, const queue_model& after) {
  auto result = after.later_priorities();
  std::erase_if(result, [&](int level) { return level < before.priorities; });
  return result;
}

migration_step settle_step(const step_parts& parts, std::string name, bool is_forward) {
  const auto wait = parts.part("settle");
  const auto nothing_to_do = nothing("Nothing to wait for in this direction.");
  return {.name = std::move(name),
          .lock = "none; waits until older transactions have ended",
          .lock_timeout = "0",
          .statement_timeout = "0",
          .is_transactional = false,
          .text = is_forward ? wait : nothing_to_do,
          .reverse = is_forward ? nothing_to_do : wait};
}

std::string change_rights(const queue_change& change, renderer& with, const rendered_queue& before,
                          const rendered_queue& now) {
  const auto& old_grants = before.model().newest().queue.grants;
  const auto& grants = now.model().newest().queue.grants;
  if (old_grants == grants) return {};
  std::vector<revocation> revocations;
  revoke_producers(revocations, before.model(), lost(old_grants.produce, grants.produce));
  revoke_consumers(revocations, before.model(), lost(old_grants.consume, grants.consume));
  revoke_operators(revocations, before.model(), lost(old_grants.operate, grants.operate));
  std::vector<std::string> texts;
  if (!revocations.empty()) {
    texts.push_back(with.text("sql/change/revoke_rights", change_view(change.model(), {.revocations = revocations})));
    texts.push_back(revoke_shared(change, old_grants, grants));
  }
  for (const auto& version : now.model().versions) {
    texts.push_back(now.of_version(version.contract->version, "consumer_rights"));
    texts.push_back(now.of_version(version.contract->version, "producer_rights"));
  }
  for (const auto& name : now.model().names) texts.push_back(now.rights_under(name));
  return joined(texts);
}

}  // namespace render
