#include "render/line_migration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "contract/queue_names.hpp"
#include "render/done.hpp"
#include "render/expiry_change.hpp"
#include "render/index_step.hpp"
#include "render/limit_steps.hpp"
#include "render/names.hpp"
#include "render/order_steps.hpp"
#include "render/ordering.hpp"
#include "render/queue_change.hpp"
#include "render/readings.hpp"
#include "render/shared_rights.hpp"
#include "render/sql.hpp"
#include "render/subscriptions.hpp"
#include "render/unique_change.hpp"

namespace render {

namespace {

constexpr auto no_lock = "none but on the new objects";

std::vector<std::string> roles_of(const queue_model& model) {
  const auto& grants = model.newest().queue.grants;
  std::set<std::string> sorted;
  for (const auto* part : {&grants.produce, &grants.consume, &grants.operate})
    sorted.insert(part->begin(), part->end());
  return {sorted.begin(), sorted.end()};
}

/// `Changes queue email: adds the field "note"; changes lease.`
std::vector<std::string> sentence(std::string_view kind, const std::string& line,
                                  const std::vector<std::string>& words) {
  return {fmt::format("Changes {} {}: {}.", kind, line, fmt::join(words, "; "))};
}

std::string numbered(std::string_view version) {
  return fmt::format("m.contract_version = {}", version);
}

/// The steps that let a state be followed by another one with more contracts, other options, or both.
class expansion {
 public:
  expansion(renderer& with, const queue_model& before, const queue_model& after)
      : with_{with},
        change_{with, before, after},
        forward_{alter(shape_of(before), shape_of(after), after.line)},
        backward_{alter(shape_of(after), shape_of(before), after.line)},
        expiry_{change_},
        unique_{with, change_} {
    // Those of a table that comes or goes come and go with it.
    if (before.has_dead_letter() != after.has_dead_letter()) {
      for (auto* indexes : {&forward_.new_indexes, &forward_.unused_indexes})
        std::erase_if(*indexes, [](const table_index& one) { return one.table == "dead"; });
    }
    if (after.newest().contract->version > before.newest().contract->version)
      version_ = after.newest().contract->version;
  }

  std::vector<migration_step> run() && {
    const bool had_dead = change_.before().model().has_dead_letter();
    const bool has_dead = change_.model().has_dead_letter();
    if (has_dead && !had_dead) add_dead_letters();
    add_steps(expiry_.first());
    add_steps(steps_before_done(change_));
    add_steps(unique_.first());
    if (version_ != 0) expand_tables();
    for (const auto& index : forward_.new_indexes) steps_.push_back(index_building(change_.model(), index));
    add_steps(unique_.before_functions());
    add_steps(steps_before_order(change_, with_));
    add_steps(steps_before_limits(change_, with_));
    replace_functions();
    if (version_ != 0) add_version();
    add_steps(unique_.after_functions());
    change_grants();
    change_consumers();
    add_steps(steps_after_order(change_, with_));
    add_steps(steps_after_limits(change_, with_));
    drop_indexes();
    add_steps(unique_.last());
    add_steps(expiry_.last());
    add_steps(steps_after_done(change_));
    if (had_dead && !has_dead) drop_dead_letters();
    if (steps_.empty()) change_nothing();
    return std::move(steps_);
  }

 private:
  void add_steps(std::vector<migration_step> steps) { std::ranges::move(steps, std::back_inserter(steps_)); }

  std::string version_words() const { return fmt::format(" in contract v{}", version_); }

  std::string guard_version() const {
    return change_.guard(numbered(fmt::to_string(version_)), version_words(),
                         change_.model().is_stream()
                             ? "Readers of older contracts read them: try again when they are older than the retention."
                             : "Consumers of older contracts go on to handle those that they can read: try again when "
                               "they are through. Dead letters have to be redriven or purged.");
  }

  /// What only the lock knows, as `sunset`.
  void change_nothing() {
    const auto text = nothing("Nothing of it is in the database.");
    steps_.push_back({.name = "nothing", .lock = "none", .text = text, .reverse = text});
  }

  /// When nobody runs functions any more that look for them.
  void drop_indexes() {
    if (forward_.unused_indexes.empty()) return;
    steps_.push_back(settle("settle_before_indexes", true));
    for (const auto& index : forward_.unused_indexes) steps_.push_back(index_removal(change_.model(), index));
  }

  const std::vector<std::string>& names_before() const { return change_.before().model().names; }

  void add_dead_letters() {
    steps_.push_back({.name = "dead_letters",
                      .lock = no_lock,
                      .text = create_dead_letters(change_.after(), change_.before()),
                      .reverse = joined({change_.part("guard_dead"), drop_dead_text(change_.model())})});
  }

  void drop_dead_letters() {
    steps_.push_back(settle("settle_before_drop", true));
    steps_.push_back({.name = "drop_dead_letters",
                      .lock = "access exclusive on the dead letters",
                      .lock_timeout = strong_lock_timeout,
                      .text = joined({change_.part("guard_dead"), drop_dead_text(change_.model())}),
                      .reverse = create_dead_letters(change_.before(), change_.after())});
  }

  /// Under the names that both states have: a new one comes with all that belongs to it. Rights on functions that
  /// another step brings are given there, with those on these.
  std::string create_dead_letters(const rendered_queue& of, const rendered_queue& other) const {
    const auto& model = of.model();
    const bool is_alone =
        is_ordered(model) == is_ordered(other.model()) && is_blocking(model) == is_blocking(other.model());
    std::vector<std::string> texts{of.shared("dead_table")};
    for (const auto& name : names_before()) {
      for (const auto* object : {"redrive", "purge"}) texts.push_back(of.under(name, object));
      texts.push_back(is_alone
                          ? of.under(name, "rights")
                          : fmt::format("revoke all on function {0}_redrive, {0}_redrive_all, {0}_purge from public;",
                                        names::prefix(model.schema, name)));
    }
    return joined(texts);
  }

  std::string drop_dead_text(const queue_model& model) const {
    return joined({change_.part("drop_dead_letters", {.names = names_before()}),
                   fmt::format("drop table {}_dead;", names::prefix(model.schema, model.line))});
  }

  migration_step settle(std::string name, bool is_forward) const {
    return settle_step(change_, std::move(name), is_forward);
  }

  /// First what older contracts do not notice, then the permission to store the new one; backwards the other way round.
  void expand_tables() {
    // The functions of older contracts look at them from their own step on.
    const step_parts older{with_, change_.before().model()};
    const change_details levels{.levels = added_levels(change_.before().model(), change_.model())};
    steps_.push_back(
        {.name = fmt::format("hints_v{}", version_),
         .lock = no_lock,
         .text = joined({older.part("add_levels", levels), change_.after().of_version(version_, "hints")}),
         .reverse = joined({change_.part("drop_hints", {.number = version_}), older.part("drop_levels", levels)})});
    const bool has_columns = !forward_.columns.empty() || !forward_.checks.empty();
    if (has_columns) {
      steps_.push_back({.name = "columns",
                        .lock = change_.strong_lock(),
                        .lock_timeout = strong_lock_timeout,
                        .text = joined({change_.alter_tables(forward_.columns, forward_.checks), comments(forward_)}),
                        .reverse = joined({comments(backward_), take_columns_back()})});
    }
    auto checks = backward_.to_validate;
    checks.insert(checks.end(), backward_.to_validate_required.begin(), backward_.to_validate_required.end());
    checks.push_back(backward_.versions_check);
    steps_.push_back({.name = "validate",
                      .lock = "share update exclusive on the tables of messages, while they are read",
                      .statement_timeout = "1h",
                      .text = forward_.to_validate.empty() ? nothing("There is no new constraint to look at.")
                                                           : change_.validate(forward_.to_validate),
                      .reverse = joined({guard_version(), change_.validate(checks)})});
    auto back_checks = backward_.versions;
    for (const auto* actions : {&backward_.checks, &backward_.require_checks}) {
      back_checks.insert(back_checks.end(), actions->begin(), actions->end());
    }
    steps_.push_back({.name = fmt::format("allow_v{}", version_),
                      .lock = change_.strong_lock(),
                      .lock_timeout = strong_lock_timeout,
                      .text = change_.alter_tables({}, forward_.versions),
                      .reverse = change_.alter_tables(backward_.columns, back_checks)});
    steps_.push_back({.name = "validate_versions",
                      .lock = "share update exclusive on the tables of messages, while they are read",
                      .statement_timeout = "1h",
                      .text = change_.validate({forward_.versions_check}),
                      .reverse = nothing("The constraint goes with the step before.")});
    steps_.push_back(settle("settle", false));
  }

  std::string take_columns_back() const {
    const auto result = change_.require_and_drop(backward_);
    return result.empty() ? nothing("What this step has changed is back already.") : result;
  }

  std::string comments(const alteration& of) const {
    const auto table = main_table(change_.model());
    std::string result;
    for (const auto& comment : of.comments) {
      if (!result.empty()) result += '\n';
      result += fmt::format("comment on column {}.{};", table, comment);
    }
    return result;
  }

  std::string table_comment(const rendered_queue& from, const rendered_queue& to) const {
    const auto& doc = to.model().newest().queue.doc;
    if (from.model().newest().queue.doc == doc) return {};
    return fmt::format("comment on table {} is {};", main_table(to.model()), doc.empty() ? "null" : sql::literal(doc));
  }

  /// From here on older contracts read messages of the new one, of which there are none yet.
  void replace_functions() {
    auto texts = replaced_objects(change_.before(), change_.after());
    texts.push_back(table_comment(change_.before(), change_.after()));
    auto back = replaced_objects(change_.after(), change_.before());
    back.push_back(table_comment(change_.after(), change_.before()));
    if (version_ == 0 || (forward_.columns.empty() && forward_.checks.empty())) {
      texts.push_back(comments(forward_));
      back.push_back(comments(backward_));
    }
    const auto orders = reorderings(change_.before().model(), change_.model());
    for (auto* direction : {&texts, &back}) direction->insert(direction->end(), orders.begin(), orders.end());
    const auto text = joined(texts);
    if (text.empty()) return;
    if (version_ != 0) back.insert(back.begin(), guard_version());
    steps_.push_back({.name = "functions",
                      .lock = orders.empty() ? "none that anybody waits for"
                                             : "share row exclusive on what failed, while its keys are written",
                      .lock_timeout = orders.empty() ? migration_step{}.lock_timeout : strong_lock_timeout,
                      .text = text,
                      .reverse = joined(back)});
  }

  void add_version() {
    steps_.push_back(
        {.name = fmt::format("consumers_v{}", version_),
         .lock = no_lock,
         .text = joined({without_end(change_.after().file_of(version_, "consumers")), new_name()}),
         .reverse = joined({guard_unreadable(), drop_new_name(), change_.part("drop_consumers", {.number = version_}),
                            change_.part("forget_contract", {.number = version_})})});
    std::vector<std::string> own;
    for (const auto& column : forward_.new_columns) own.push_back(column);
    steps_.push_back({.name = fmt::format("producers_v{}", version_),
                      .lock = no_lock,
                      .text = without_end(change_.after().file_of(version_, "producers")),
                      .reverse = change_.part("drop_producers", {.number = version_, .own_columns = std::move(own)})});
  }

  bool has_new_name() const {
    const auto& before = names_before();
    return std::find(before.begin(), before.end(), change_.model().name()) == before.end();
  }

  /// What all contracts share, under the name that comes with this one.
  std::string new_name() const {
    return has_new_name() ? change_.after().all_under(change_.model().name()) : std::string{};
  }

  std::string drop_new_name() const {
    return has_new_name() ? change_.part("drop_name", {.names = {change_.model().name()}}) : std::string{};
  }

  /// Messages that go nowhere without consumers of the new contract.
  std::string guard_unreadable() const {
    const auto& model = change_.model();
    std::vector<std::string> readers;
    for (const auto& version : model.versions) {
      if (version.contract->version != version_) readers.push_back(readable(model, version, "m"));
    }
    return change_.guard(fmt::format("{} and not ({})", numbered(fmt::to_string(version_)), fmt::join(readers, " or ")),
                         version_words() + " that no older contract can read",
                         "Only consumers of this contract can handle them: try again when they are through. Dead "
                         "letters have to be redriven or purged.",
                         true);
  }

  /// Of a stream: who is declared now begins where the declaration says, who is not any more is forgotten.
  void change_consumers() {
    if (!change_.model().is_stream()) return;
    auto text = subscriptions(change_.before().model(), change_.model());
    if (text.empty()) return;
    steps_.push_back({.name = "consumers",
                      .lock = "none that anybody waits for",
                      .text = std::move(text),
                      // What has come to stay keeps the places of its consumers.
                      .reverse = joined({version_ == 0 ? std::string{} : guard_version(),
                                         subscriptions(change_.model(), change_.before().model())})});
  }

  void change_grants() {
    auto text = change_rights(change_, with_, change_.before(), change_.after());
    if (text.empty()) return;
    steps_.push_back({.name = "rights",
                      .lock = "none that anybody waits for",
                      .text = std::move(text),
                      .reverse = change_rights(change_, with_, change_.after(), change_.before())});
  }

  renderer& with_;
  queue_change change_;
  alteration forward_;
  alteration backward_;
  expiry_change expiry_;
  unique_change unique_;
  int version_ = 0;  // of the new contract, if there is one
  std::vector<migration_step> steps_;
};

migration_step creation(renderer& with, rendered_queue& queue) {
  const step_parts parts{with, queue.model()};
  return {.name = "create",
          .lock = no_lock,
          .text = without_end(queue.file("create")),
          .reverse = joined(
              {parts.part("lock_queue"),
               parts.guard("true", "",
                           queue.model().is_stream() ? "They go when they are older than its retention."
                                                     : "Let its consumers handle them, and purge its dead letters.",
                           true),
               drop_line(parts)})};
}

}  // namespace

bool changes_engine_only(const contract::line_change& change) {
  return change.before == change.after && !change.after.is_dropped;
}

std::string migration_name(const contract::line_change& change, std::size_t number, int engine) {
  const auto is_new = change.before.contracts.empty() || change.before.is_dropped;
  const auto has_new_contract = change.after.contracts.size() > change.before.contracts.size();
  const auto what = change.after.is_dropped       ? std::string{"drop"}
                    : is_new                      ? std::string{"create"}
                    : has_new_contract            ? fmt::format("expand_v{}", change.after.contracts.back().version)
                    : changes_engine_only(change) ? fmt::format("engine_{}", engine)
                                                  : std::string{"change_options"};
  return fmt::format("{}/{:04}_{}", change.line, number, what);
}

migration_text line_migration(renderer& with, const contract::line_change& change, rendered_queue& after,
                              const std::vector<contract::locked_enumeration>& before, const std::string& name) {
  const auto& model = after.model();
  if (change.before.contracts.empty() || change.before.is_dropped) {
    return {name,
            {fmt::format("Creates {} {}: its tables, its functions for contract v{} and the rights on them.",
                         contract::kind_of(*model.state), model.name(), model.newest().contract->version)},
            roles_of(model),
            {creation(with, after)}};
  }
  const auto old_model = model_of({model.project, model.schema}, change.line, change.before, before);
  if (changes_engine_only(change)) return {name, {}, roles_of(model), {}};
  return {name, sentence(contract::kind_of(*model.state), old_model.name(), change.words), roles_of(model),
          expansion{with, old_model, model}.run()};
}

}  // namespace render
