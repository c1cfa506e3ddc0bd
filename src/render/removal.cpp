#include <fmt/format.h>

#include <string>
#include <vector>

#include "contract/queue_names.hpp"
#include "render/line_migration.hpp"
#include "render/queue_change.hpp"
#include "render/shared_rights.hpp"

namespace render {

namespace {

/// What keeps a line from being dropped, `is_ahead` of the migration that drops it or in there.
std::string guards(const step_parts& parts, const queue_model& model, bool discards_messages, bool is_ahead) {
  std::vector<std::string> result;
  for (const auto& version : model.versions) {
    result.push_back(parts.part("guard_unused", {.number = version.contract->version, .is_ahead = is_ahead}));
  }
  if (!is_ahead) result.push_back(parts.part("lock_queue"));
  if (!discards_messages) {
    result.push_back(parts.guard(
        "true", "",
        model.is_stream()
            ? "They go when they are older than its retention; or declare that they are to be discarded: "
              "events = \"discard\"."
            : "Let its consumers handle them and purge its dead letters, or declare that they are to be discarded: "
              "messages = \"discard\".",
        true, is_ahead));
  }
  return joined(result);
}

migration_step removal_step(renderer& with, const queue_model& model, bool discards_messages) {
  const step_parts parts{with, model};
  return {.name = "drop",
          .lock = "access exclusive on the queue's tables, which are dropped",
          .lock_timeout = strong_lock_timeout,
          .text = joined({guards(parts, model, discards_messages, false), drop_line(parts)})};
}

}  // namespace

migration_text removal(renderer& with, const sql_project& project, const contract::line_change& change,
                       const std::vector<contract::locked_enumeration>& enumerations, const std::string& name) {
  const auto model = model_of(project, change.line, change.before, enumerations);
  return {name,
          {fmt::format("Drops {} {}.", contract::kind_of(*model.state), model.name())},
          {},
          {removal_step(with, model, change.discards_messages)}};
}

std::string removal_guards(renderer& with, const sql_project& project, const contract::line_change& change,
                           const std::vector<contract::locked_enumeration>& enumerations) {
  const auto model = model_of(project, change.line, change.before, enumerations);
  return guards(step_parts{with, model}, model, change.discards_messages, true);
}

}  // namespace render
