#pragma once

namespace cli {

/// SIGTERM, SIGINT and SIGCHLD, as something that poll() can wait for. One object at a time; the former ways of
/// handling them are back when it ends.
class work_signals {
 public:
  work_signals();
  ~work_signals();
  work_signals(const work_signals&) = delete;
  work_signals& operator=(const work_signals&) = delete;

  /// Readable when a signal came.
  int file() const noexcept;

  /// Forgets what came, and returns how many requests to stop there were so far.
  int stops() noexcept;

 private:
  int stops_ = 0;
};

}  // namespace cli
