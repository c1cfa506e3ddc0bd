#pragma once

#include <sys/types.h>

namespace cli {

/// A process that kills the process groups of handlers when this program is gone, however it ended: also when it was
/// killed. A handler tells of its group itself before it runs, so that no moment is left in which nobody knows of it.
class handler_keeper {
 public:
  /// Throws std::system_error when no process can be started.
  handler_keeper();

  /// Kills what is left, and returns when that is done.
  ~handler_keeper();
  handler_keeper(const handler_keeper&) = delete;
  handler_keeper& operator=(const handler_keeper&) = delete;

  /// Called by a handler between fork and exec; async-signal-safe.
  void tell(pid_t group) const noexcept;

  /// The group is empty.
  void forget(pid_t group) const noexcept;

 private:
  int lifeline_ = -1;
  pid_t process_ = 0;
};

}  // namespace cli
