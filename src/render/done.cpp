#include "render/done.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "render/names.hpp"
#include "render/sql.hpp"

namespace render {

namespace {

std::string payload_of(const queue_version& writer, std::string_view alias) {
  std::vector<std::string> fields;
  for (const auto& field : writer.contract->fields) {
    const auto column = sql::identifier(field.column);
    const auto name = sql::identifier(field.name);
    fields.push_back(column == name ? fmt::format("{}.{}", alias, column)
                                    : fmt::format("{}.{} as {}", alias, column, name));
  }
  if (writer.contract->is_schemaless) return fields.front();
  return fmt::format("(select to_jsonb(payload.*) from (select {}) as payload)", fmt::join(fields, ", "));
}

/// A name that comes with a contract, or goes with it, takes all that belongs to it along.
std::vector<std::string> names_of_both(const queue_change& change) {
  const auto& before = change.before().model().names;
  std::vector<std::string> both;
  std::ranges::copy_if(change.model().names, std::back_inserter(both),
                       [&](const std::string& name) { return std::ranges::find(before, name) != before.end(); });
  return both;
}

std::string create(const rendered_queue& of, const std::vector<std::string>& names) {
  std::vector<std::string> texts{of.shared("done_table"), of.shared("done_space")};
  for (const auto& name : names) {
    for (const auto* object : {"ack_results", "result", "done", "done_rights"}) texts.push_back(of.under(name, object));
  }
  return joined(texts);
}

std::string drop(const queue_change& change) {
  return joined({change.part("guard_done"), change.part("drop_done", {.names = names_of_both(change)})});
}

constexpr auto objects_lock = "none but on the new objects";

}  // namespace

std::string archived_payload(const queue_model& model, std::string_view alias) {
  if (model.versions.size() == 1) return payload_of(model.newest(), alias);
  auto result = fmt::format("case {}.contract_version", alias);
  for (const auto& writer : model.versions)
    result += fmt::format(" when {} then {}", writer.contract->version, payload_of(writer, alias));
  return result + " end";
}

void set_done(view& out, const queue_model& model) {
  const auto channel = names::done_channel(model.schema, model.line);
  out.set_flag("has_done", model.has_done());
  out.set("keep_done", sql::interval(model.newest().queue.keep_done.value_or(0)));
  out.set("done_channel", channel);
  out.set("done_channel_literal", sql::literal(channel));
  out.set("payload_m", archived_payload(model, "m"));
}

std::vector<migration_step> steps_before_done(const queue_change& change) {
  if (change.before().model().has_done() || !change.model().has_done()) return {};
  return {{.name = "done",
           .lock = objects_lock,
           .text = create(change.after(), names_of_both(change)),
           .reverse = drop(change)},
          settle_step(change, "settle_done", false)};
}

std::vector<migration_step> steps_after_done(const queue_change& change) {
  if (!change.before().model().has_done() || change.model().has_done()) return {};
  return {settle_step(change, "settle_before_drop_done", true),
          {.name = "drop_done",
           .lock = "access exclusive on the archive of handled messages",
           .lock_timeout = strong_lock_timeout,
           .text = drop(change),
           .reverse = create(change.before(), names_of_both(change))}};
}

}  // namespace render
