#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <quern/connection.hpp>
#include <quern/interruption.hpp>
#include <quern/time.hpp>
#include <string>
#include <string_view>

namespace quern {

/// How a consumer waits for a queue: it listens on the queue's channel and, only while it waits, shares the advisory
/// lock that tells producers to notify. Ends both in its destructor. The connection must outlive it.
class waiting {
 public:
  /// In how long the next delayed message is due, if there is one.
  using next_due = std::function<std::optional<interval>()>;

  /// Listens, unless `use_notifications` is false: then sleep() is all that it does. Throws std::logic_error when the
  /// connection is in a transaction, where notifications do not arrive; otherwise as connection::execute().
  waiting(connection& on, std::string_view channel, std::int64_t key, next_due due, bool use_notifications);
  waiting(const waiting&) = delete;
  waiting& operator=(const waiting&) = delete;
  ~waiting();

  /// From here on producers notify. Look for messages once more between begin() and sleep().
  void begin();

  /// Returns after `longest`, at a notification, when a delayed message is due, or when `by` is raised.
  void sleep(std::chrono::milliseconds longest, const interruption& by);

  void end();

  /// Returns after `time`, or when `by` is raised; notifications are dropped.
  void pause(std::chrono::milliseconds time, const interruption& by);

 private:
  std::chrono::microseconds until_next_due() const;

  connection* on_;
  std::string channel_;
  std::int64_t key_;
  next_due next_due_;
  bool use_notifications_;
  bool has_lock_ = false;
};

}  // namespace quern
