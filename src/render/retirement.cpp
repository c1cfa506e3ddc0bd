#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "contract/queue_names.hpp"
#include "render/index_step.hpp"
#include "render/line_migration.hpp"
#include "render/names.hpp"
#include "render/ordering.hpp"
#include "render/queue_change.hpp"

namespace render {

namespace {

/// The steps that take a contract away: first its functions, then the permission to store it, its traces in the
/// functions of the others, and when nobody runs these any more as they were, its columns.
class retiring {
 public:
  retiring(renderer& with, const queue_model& before, const queue_model& after)
      : with_{with},
        change_{with, before, after},
        shapes_{alter(shape_of(before), shape_of(after), after.line)},
        number_{before.oldest().contract->version} {}

  std::vector<migration_step> run() && {
    stop();
    refuse();
    check();
    steps_.push_back({.name = "functions",
                      .lock = "none that anybody waits for",
                      .text = joined(replaced_objects(change_.before(), change_.after()))});
    steps_.push_back({.name = "settle",
                      .lock = "none; waits until older transactions have ended",
                      .lock_timeout = "0",
                      .statement_timeout = "0",
                      .is_transactional = false,
                      .text = change_.part("settle")});
    for (const auto& index : shapes_.unused_indexes) {
      auto step = index_removal(change_.model(), index);
      step.reverse.reset();
      steps_.push_back(std::move(step));
    }
    drop();
    return std::move(steps_);
  }

 private:
  change_details about() const { return {.number = number_}; }

  std::string guard() const {
    return change_.guard(fmt::format("m.contract_version = {}", number_), fmt::format(" in contract v{}", number_),
                         change_.model().is_stream()
                             ? "Try again when they are older than the retention."
                             : "Let consumers handle them: those of the newer contracts take the ones that they can "
                               "read. Dead letters have to be redriven or purged.");
  }

  void stop() {
    const bool keeps_door = keeps_name() || change_.model().is_stream();
    steps_.push_back({.name = "stop",
                      .lock = keeps_door ? "none that anybody waits for"
                                         : fmt::format("access exclusive on {}, which is dropped",
                                                       names::door(change_.model().schema, name())),
                      .lock_timeout = keeps_door ? std::string{"5s"} : strong_lock_timeout,
                      .text = joined({change_.part("guard_unused", about()), guard(), leave_name(),
                                      change_.part("retire_contract", about()), drop_functions()})});
  }

  const std::string& name() const { return change_.before().model().oldest().contract->queue; }

  bool keeps_name() const {
    const auto& left = change_.model().names;
    return std::find(left.begin(), left.end(), name()) != left.end();
  }

  /// What all contracts of the name share goes with the last of them.
  std::string leave_name() const {
    if (!keeps_name()) return change_.part("drop_name", {.names = {name()}});
    return replacing(change_.after().under(name(), "json_door"));
  }

  std::string drop_functions() const {
    const auto& model = change_.model();
    // What programs call bears the name; the others that of the line.
    std::vector<std::string_view> called{"enqueue_json", "enqueue_many", "enqueue", "wake",
                                         "claim_json",   "claim",        "take",    "next_due"};
    std::vector<std::string_view> internal{"pick"};
    if (is_ordered(model)) internal.insert(internal.end(), {"lock_heads", "pick_heads"});
    if (model.is_stream()) {
      called = {"publish_json", "publish_many", "publish",    "wake",  "receive_json", "receive",
                "read_json",    "read",         "claim_json", "claim", "next_due"};
      internal = {"look"};
    }
    std::vector<std::string> names;
    names.reserve(called.size() + internal.size());
    for (const auto what : called)
      names.push_back(fmt::format("{}_{}_v{}", names::prefix(model.schema, name()), what, number_));
    for (const auto what : internal) {
      const auto prefix = names::prefix(model.schema, model.line);
      names.push_back(fmt::format("{}_{}_v{}", prefix, what, number_));
    }
    return fmt::format("drop function {};", fmt::join(names, ", "));
  }

  void refuse() {
    auto checks = shapes_.versions;
    for (const auto* actions : {&shapes_.checks, &shapes_.require_checks}) {
      checks.insert(checks.end(), actions->begin(), actions->end());
    }
    steps_.push_back({.name = fmt::format("refuse_v{}", number_),
                      .lock = change_.strong_lock(),
                      .lock_timeout = strong_lock_timeout,
                      .text = change_.alter_tables(shapes_.columns, checks)});
  }

  void check() {
    auto names = shapes_.to_validate;
    names.insert(names.end(), shapes_.to_validate_required.begin(), shapes_.to_validate_required.end());
    names.push_back(shapes_.versions_check);
    steps_.push_back({.name = "validate",
                      .lock = "share update exclusive on the tables of messages, while they are read",
                      .statement_timeout = "1h",
                      .text = joined({guard(), change_.validate(names)})});
  }

  void drop() {
    steps_.push_back({.name = "drop",
                      .lock = change_.strong_lock(),
                      .lock_timeout = strong_lock_timeout,
                      .text = joined({change_.require_and_drop(shapes_), drop_hints()})});
  }

  std::string drop_hints() {
    const auto& before = change_.before().model();
    const step_parts old{with_, before};
    return joined({old.part("drop_hints", about()),
                   change_.part("drop_levels", {.levels = added_levels(change_.model(), before)})});
  }

  renderer& with_;
  queue_change change_;
  alteration shapes_;
  int number_;
  std::vector<migration_step> steps_;
};

}  // namespace

migration_text retirement(renderer& with, const sql_project& project, const contract::queue_state& before,
                          const contract::queue_state& after,
                          const std::vector<contract::locked_enumeration>& enumerations, const std::string& name) {
  const auto line = name.substr(0, name.find('/'));
  const auto old_model = model_of(project, line, before, enumerations);
  const auto model = model_of(project, line, after, enumerations);
  const auto number = old_model.oldest().contract->version;
  return {name,
          {fmt::format("Retires contract v{} of {} {}: refused while a client used it lately or its {} remain.", number,
                       contract::kind_of(before), model.name(), model.is_stream() ? "events" : "messages")},
          {},
          retiring{with, old_model, model}.run()};
}

}  // namespace render
