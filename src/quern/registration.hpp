#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <quern/connection.hpp>
#include <quern/uuid.hpp>
#include <string>
#include <string_view>

namespace quern {

/// A worker's entry in the list that `select * from <schema>.quern_workers()` shows. Where the role may not make one,
/// there is none. Part of worker. Threads share it.
class registration {
 public:
  /// The statements are those of the contract.
  registration(prepared begin, prepared beat, std::string_view queue, std::string_view consumer)
      : begin_{begin}, beat_{beat}, queue_{queue}, consumer_{consumer} {}

  /// Enters for this session, once, in place of what was entered before. Without a session of its own (behind a pooler)
  /// the entry is alive as long as it beats. Throws as connection::execute(), but not that the role may not.
  void begin(connection& on, bool has_session);

  /// Says that the worker lives, every few seconds and when the status is another one. Over any connection, from any
  /// thread.
  void beat(connection& over, std::string_view status);

  /// The same, unless another thread is at it.
  void beat_if_free(connection& over, std::string_view status);

  /// Says so for the last time, over the connection of begin(); nothing where it is lost.
  void end(connection& on, std::string_view status) noexcept;

 private:
  static constexpr std::chrono::seconds period{5};

  void send_beat(connection& over, std::string_view status);

  prepared begin_;
  prepared beat_;
  std::string queue_;
  std::string consumer_;
  std::mutex mutex_;
  std::optional<uuid> worker_id_;
  std::optional<int> session_;  // that it was entered for, while it is there
  std::string status_;
  deadline next_beat_{};
};

}  // namespace quern
