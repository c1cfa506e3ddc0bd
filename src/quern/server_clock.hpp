#pragma once

#include <chrono>
#include <optional>
#include <quern/connection.hpp>
#include <quern/time.hpp>

namespace quern {

/// When it will be a time of the server's by this machine's steady clock, however wrong the machine's time of day is.
class server_clock {
 public:
  /// Compares the clocks when that was not done within a minute, with one statement. Throws as connection::execute().
  void follow(connection& server);

  /// The moment, or a little before it; of what is more than a year ahead, in a year. Call follow() before.
  deadline local(timestamp moment) const;

 private:
  std::optional<deadline> compared_at_;
  timestamp server_time_{};  // at that moment or a little later
};

}  // namespace quern
