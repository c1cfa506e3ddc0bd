#pragma once

#include <string>
#include <vector>

#include "render/queue_change.hpp"

namespace render {

/// The steps by which messages begin or cease to expire, or have another time for it. What was enqueued before they
/// began has no end.
class expiry_change {
 public:
  explicit expiry_change(const queue_change& change);

  /// Before anything looks at when a message ends: where it stands, and the functions that end it.
  std::vector<migration_step> first() const;

  /// When all functions know of it: new messages have an end. When none does any more: there is none.
  std::vector<migration_step> last() const;

 private:
  bool begins() const;
  bool ceases() const;
  std::string add(const rendered_queue& with_expiry) const;
  std::string drop() const;
  std::string set_default(const queue_model& of) const;
  migration_step default_step(std::string name) const;

  const queue_change& change_;
};

}  // namespace render
