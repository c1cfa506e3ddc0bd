#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <quern/connection.hpp>
#include <quern/transaction.hpp>
#include <string>

namespace test {

/// A session that holds something until release(): what `sql` took in a transaction.
class holder {
 public:
  holder(const std::string& url, const std::string& sql);

  int pid() const { return db_.backend_pid(); }

  void release() { held_.reset(); }

 private:
  quern::connection db_;
  std::optional<quern::transaction> held_;
};

/// Work in a process of its own, killed at the end unless somebody waited for it. What it throws is told on standard
/// error.
class other_process {
 public:
  explicit other_process(const std::function<void()>& work);
  ~other_process();
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;

  void kill_now();

  /// Whether it has ended by itself; does not wait.
  bool has_ended();

  /// As waitpid() tells it: 0 when the work succeeded.
  int wait_for_end();

 private:
  pid_t process_;
  int state_ = 0;
};

/// For a process that ends itself: nothing of it runs any more, no destructor either.
[[noreturn]] void die();

/// Whether this is how a process ended.
bool has_died(int state);

}  // namespace test
