#pragma once

#include <sys/types.h>

#include <functional>

namespace cluster {

/// A process that clears up when this object or the process that made it ends, however that ends: also when it is
/// killed. It shares no open file with its maker.
class keeper {
 public:
  /// `clear_up` runs in the keeper; what it throws is lost. Throws error when no process can be started.
  explicit keeper(const std::function<void()>& clear_up);

  /// Returns when everything is cleared up.
  ~keeper();
  keeper(const keeper&) = delete;
  keeper& operator=(const keeper&) = delete;

 private:
  int lifeline_ = -1;  // the sign that the maker lives
  pid_t process_ = 0;
};

}  // namespace cluster
