#pragma once

#include <optional>
#include <string>
#include <vector>

#include "render/queue_change.hpp"
#include "render/step.hpp"
#include "render/unique_view.hpp"

namespace render {

/// What the steps of a change need for a rule of what is unique that begins, ends, or gives way to another one. The
/// functions of producers know that a message can be left out before that can happen, and as long as it can.
class unique_change {
 public:
  unique_change(renderer& with, queue_change& change);

  /// Before everything else: the table of the rule that begins.
  std::vector<migration_step> first() const;
  /// The rule that ends is not kept any more.
  std::vector<migration_step> before_functions() const;
  /// The rule that begins is kept from now on, and then also by what was pending before.
  std::vector<migration_step> after_functions() const;
  /// After everything else: the table of the rule that has ended.
  std::vector<migration_step> last() const;

 private:
  /// A rule in the state that has it.
  struct side {
    step_parts parts;
    rendered_queue* rendered;
    contract::unique_key key;
  };

  migration_step settle(const side& of, bool is_forward) const;
  migration_step triggers(const side& of, bool is_forward) const;
  migration_step fill(const side& of, bool is_forward) const;
  migration_step table(const side& of, bool is_forward) const;

  std::optional<side> ends_;
  std::optional<side> begins_;
  std::string tables_;  // of the messages
};

}  // namespace render
