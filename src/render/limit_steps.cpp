#include "render/limit_steps.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "render/limits.hpp"

namespace render {

namespace {

constexpr auto nothing_here = "Nothing to do in this direction.";

/// From a state to one that has more: the same steps lead back from the other one.
class limit_steps {
 public:
  limit_steps(renderer& with, const rendered_queue& less, const rendered_queue& more)
      : with_{with},
        less_{less},
        more_{more},
        begins_places_{!has_places(less.model()) && has_places(more.model())},
        begins_rate_{!has_rate(less.model()) && has_rate(more.model())},
        begins_key_limit_{!has_key_limit(less.model()) && has_key_limit(more.model())},
        begins_{!has_limits(less.model()) && has_limits(more.model())} {}

  bool is_needed() const { return begins_places_ || begins_rate_ || begins_key_limit_; }
  bool begins_places() const { return begins_places_; }

  std::string create() const {
    std::vector<std::string> texts;
    if (begins_places_) texts.push_back(joined({more_.shared("place_table"), more_.shared("places")}));
    if (begins_rate_) texts.push_back(joined({more_.shared("rate_clock"), more_.shared("rate")}));
    if (begins_key_limit_) texts.push_back(more_.shared("key_limit"));
    if (begins_) texts.push_back(more_.shared("limits"));
    for (const auto& name : names()) {
      if (begins_) texts.push_back(more_.under(name, "limit_stats"));
      // Of a name that was there before; what is left to be granted comes with the functions of the others.
      texts.push_back(more_.under(name, "limit_rights"));
    }
    return joined(texts);
  }

  std::string drop() const {
    const step_parts parts{with_, more_.model()};
    std::vector<std::string> texts;
    if (begins_) texts.push_back(parts.part("drop_limits", {.names = names()}));
    if (begins_rate_) texts.push_back(parts.part("drop_rate"));
    if (begins_places_) texts.push_back(parts.part("drop_places"));
    if (begins_key_limit_) texts.push_back(parts.part("drop_key_limit"));
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
  bool begins_places_;
  bool begins_rate_;
  bool begins_key_limit_;
  bool begins_;
};

/// What is in work already, by claims that knew of no places.
migration_step fill(const step_parts& more, bool is_forward) {
  const auto text = joined({more.part("settle"), more.part("fill_places")});
  const auto none = nothing(nothing_here);
  return {.name = is_forward ? "fill_places" : "fill_places_back",
          .lock = "none; waits until older transactions have ended",
          .lock_timeout = "0",
          .statement_timeout = "0",
          .is_transactional = false,
          .text = is_forward ? text : none,
          .reverse = is_forward ? none : text};
}

}  // namespace

std::vector<migration_step> steps_before_limits(queue_change& change, renderer& with) {
  std::vector<migration_step> result;
  const limit_steps begins{with, change.before(), change.after()};
  if (begins.is_needed()) {
    result.push_back(
        {.name = "limits", .lock = "none but on the new objects", .text = begins.create(), .reverse = begins.drop()});
    result.push_back(settle_step(change, "settle_limits", false));
  }
  if (limit_steps{with, change.after(), change.before()}.begins_places())
    result.push_back(fill({with, change.before().model()}, false));
  return result;
}

std::vector<migration_step> steps_after_limits(queue_change& change, renderer& with) {
  std::vector<migration_step> result;
  if (limit_steps{with, change.before(), change.after()}.begins_places())
    result.push_back(fill({with, change.after().model()}, true));
  const limit_steps ends{with, change.after(), change.before()};
  if (ends.is_needed()) {
    result.push_back(settle_step(change, "settle_before_limits", true));
    result.push_back({.name = "drop_limits",
                      .lock = "access exclusive on what nobody uses any more",
                      .lock_timeout = strong_lock_timeout,
                      .text = ends.drop(),
                      .reverse = ends.create()});
  }
  return result;
}

}  // namespace render
