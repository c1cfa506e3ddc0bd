#include "render/order_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "render/names.hpp"
#include "render/ordering.hpp"

namespace render {

namespace {

constexpr std::array<std::string_view, 4> order_objects{"order_hint", "head", "start", "wake_next"};

bool has_version(const queue_model& model, int number) {
  for (const auto& version : model.versions) {
    if (version.contract->version == number) return true;
  }
  return false;
}

std::string dead_table(const queue_model& model) {
  return names::prefix(model.schema, model.line) + "_dead";
}

/// From a state to one that has more: the same steps lead back from the other one.
class order_steps {
 public:
  order_steps(renderer& with, const rendered_queue& less, const rendered_queue& more)
      : with_{with},
        less_{less},
        more_{more},
        begins_order_{!is_ordered(less.model()) && is_ordered(more.model())},
        begins_blocking_{!is_blocking(less.model()) && is_blocking(more.model())} {}

  bool is_needed() const { return begins_order_ || begins_blocking_; }
  bool begins_order() const { return begins_order_; }

  /// A table of dead letters that comes or goes as a whole has the column as it is.
  bool has_column() const {
    return begins_blocking_ && less_.model().has_dead_letter() && more_.model().has_dead_letter();
  }

  std::string add_column() const {
    return fmt::format(
        "alter table {0}\n  add column is_blocking boolean not null default false;\n"
        "comment on column {0}.is_blocking is 'Whether later messages of the same key wait until this one is redriven "
        "or purged.';",
        dead_table(more_.model()));
  }

  std::string drop_column() const {
    return fmt::format("alter table {}\n  drop column is_blocking;", dead_table(more_.model()));
  }

  std::string create() const {
    std::vector<std::string> texts;
    for (const auto object : order_objects) {
      if (less_.shared(object).empty()) texts.push_back(more_.shared(object));
    }
    for (const auto& version : more_.model().versions) {
      const auto number = version.contract->version;
      if (!begins_order_ || !has_version(less_.model(), number)) continue;
      texts.push_back(more_.of_version(number, "pick_heads"));
      texts.push_back(more_.of_version(number, "consumer_rights"));
    }
    for (const auto& name : names()) {
      if (begins_blocking_) texts.push_back(more_.under(name, "blocked"));
      texts.push_back(more_.under(name, "rights"));
    }
    return joined(texts);
  }

  /// Of the contracts that both have: those of another one come and go with it.
  std::string drop() const {
    std::vector<std::string> texts;
    if (begins_blocking_) {
      for (const auto& name : names())
        texts.push_back(fmt::format("drop function {}_blocked;", names::prefix(more_.model().schema, name)));
    }
    if (begins_order_) {
      const auto& fewer = less_.model().versions.size() < more_.model().versions.size() ? less_ : more_;
      texts.push_back(step_parts{with_, fewer.model()}.part("drop_order"));
    }
    return joined(texts);
  }

 private:
  /// A name that comes with a contract, or goes with it, takes all that belongs to it along.
  std::vector<std::string> names() const {
    std::vector<std::string> both;
    std::ranges::copy_if(more_.model().names, std::back_inserter(both), [&](const std::string& name) {
      return std::ranges::find(less_.model().names, name) != less_.model().names.end();
    });
    return both;
  }

  renderer& with_;
  const rendered_queue& less_;
  const rendered_queue& more_;
  bool begins_order_;
  bool begins_blocking_;
};

constexpr auto column_lock = "access exclusive on the dead letters, for an instant";
constexpr auto objects_lock = "none but on the new objects";
constexpr auto nothing_here = "Nothing to do in this direction.";

migration_step held(const queue_change& change, bool is_forward) {
  const auto text = change.part("start_held");
  const auto none = nothing(nothing_here);
  return {.name = "held_messages",
          .lock = "none but on rows of claimed messages; waits until transactions that end them have ended",
          .lock_timeout = "0",
          .statement_timeout = "0",
          .is_transactional = false,
          .text = is_forward ? text : none,
          .reverse = is_forward ? none : text};
}

void add(std::vector<migration_step>& out, const order_steps& steps, const queue_change& change) {
  if (!steps.is_needed()) return;
  if (steps.has_column()) {
    out.push_back({.name = "blocking",
                   .lock = column_lock,
                   .lock_timeout = strong_lock_timeout,
                   .text = steps.add_column(),
                   .reverse = steps.drop_column()});
  }
  out.push_back({.name = "order", .lock = objects_lock, .text = steps.create(), .reverse = steps.drop()});
  out.push_back(settle_step(change, "settle_order", false));
}

void drop(std::vector<migration_step>& out, const order_steps& steps, const queue_change& change) {
  if (!steps.is_needed()) return;
  out.push_back(settle_step(change, "settle_before_order", true));
  out.push_back({.name = "drop_order",
                 .lock = "access exclusive on what nobody uses any more",
                 .lock_timeout = strong_lock_timeout,
                 .text = steps.drop(),
                 .reverse = steps.create()});
  if (!steps.has_column()) return;
  out.push_back({.name = "drop_blocking",
                 .lock = column_lock,
                 .lock_timeout = strong_lock_timeout,
                 .text = steps.drop_column(),
                 .reverse = steps.add_column()});
}

}  // namespace

std::vector<migration_step> steps_before_order(queue_change& change, renderer& with) {
  std::vector<migration_step> result;
  add(result, {with, change.before(), change.after()}, change);
  if (order_steps{with, change.after(), change.before()}.begins_order()) {
    result.push_back(held(change, false));
    result.push_back(settle_step(change, "settle_claims", false));
  }
  return result;
}

std::vector<migration_step> steps_after_order(queue_change& change, renderer& with) {
  std::vector<migration_step> result;
  if (order_steps{with, change.before(), change.after()}.begins_order()) {
    result.push_back(settle_step(change, "settle_claims", true));
    result.push_back(held(change, true));
  }
  drop(result, {with, change.after(), change.before()}, change);
  return result;
}

}  // namespace render
