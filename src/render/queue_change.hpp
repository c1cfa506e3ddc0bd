#pragma once

#include <string>
#include <vector>

#include "render/alteration.hpp"
#include "render/rendered_queue.hpp"
#include "render/step.hpp"
#include "render/views.hpp"

namespace render {

/// Parts of steps that are about a queue as it is, or is going to be.
class step_parts {
 public:
  step_parts(renderer& with, const queue_model& model) : with_{with}, model_{model} {}

  const queue_model& model() const { return model_; }

  /// A template of sql/change.
  std::string part(std::string_view name, const change_details& details = {}) const;

  /// Fails with QN008 when there are messages that fulfil the condition on the row m. What is done and still stands in
  /// a log counts as well, unless that may stay. `is_ahead`: where the queue is not there yet, it passes.
  std::string guard(const std::string& remaining, const std::string& words, const std::string& hint,
                    bool leaves_done = false, bool is_ahead = false) const;

 private:
  renderer& with_;
  const queue_model& model_;
};

/// The parts that the steps between two states of a queue are put together from.
class queue_change : public step_parts {
 public:
  queue_change(renderer& with, const queue_model& before, const queue_model& after)
      : step_parts{with, after}, before_{with, before}, after_{with, after} {}

  rendered_queue& before() { return before_; }
  const rendered_queue& before() const { return before_; }
  rendered_queue& after() { return after_; }
  const rendered_queue& after() const { return after_; }

  /// `alter table` of the tables that hold messages, and of that of the dead letters when both states have it.
  std::string alter_tables(const std::vector<std::string>& actions) const;
  /// The same of columns alone and of constraints, which dead letters do not have.
  std::string alter_tables(const std::vector<std::string>& columns, const std::vector<std::string>& checks) const;

  /// Makes columns `not null` that are checked to be so, then drops the checks and the columns that nobody needs: in
  /// two statements, because one would drop the checks first, and look at every row.
  std::string require_and_drop(const alteration& what) const;

  std::string validate(const std::vector<std::string>& constraints) const;

  /// `access exclusive on shop.email_message, …, for an instant`.
  std::string strong_lock() const;

 private:
  std::vector<std::string> tables(bool with_dead) const;

  rendered_queue before_;
  rendered_queue after_;
};

/// The priorities that messages may have in one state and not in the other, without the first.
std::vector<int> added_levels(const queue_model& before, const queue_model& after);

/// The table of all messages that are not delayed, or of all events: `shop.email_message`.
std::string main_table(const queue_model& model);

/// Waits must be short where everybody waits behind them; the runner tries again.
inline constexpr const char* strong_lock_timeout = "15ms";

/// Waits until functions as they were are not running any more: on the way there, or on the way back.
migration_step settle_step(const step_parts& parts, std::string name, bool is_forward);

/// Takes rights from roles that lost them and gives them to all that have them now; empty when nothing changes.
std::string change_rights(const queue_change& change, renderer& with, const rendered_queue& before,
                          const rendered_queue& now);

}  // namespace render
