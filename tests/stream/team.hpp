#pragma once

#include <string>
#include <string_view>

#include "stream/crew.hpp"

namespace test {

/// A stream `log` whose payload is a `body` and perhaps a `who`, with four cooperative consumers, one lease and three
/// attempts: `crew` is ordered by who and blocks, `loose` skips, `picky` sees only bodies that begin with b, and `free`
/// is not ordered.
extern const std::string_view team_stream;

/// Workers that keep the order of each key.
class team : public journal {
 public:
  explicit team(const std::string& url = shared_url()) : journal{team_stream, url} {}

  hand hire(std::string_view consumer = "crew") { return hand{open(), consumer}; }

  hand enlist(std::string_view consumer = "crew") {
    auto made = hire(consumer);
    made.db.ask("select log_enlist()");
    return made;
  }

  /// Publishes events of these keys: `a b a -`, where `-` has none.
  void say(std::string_view keys);

  void pass(std::chrono::seconds time);

  /// `up_to|claims|retries|dead`
  std::string state(std::string_view consumer = "crew");

  /// What stands aside, each with the word for what it waits for: `3|turn 4|now 5|dead`.
  std::string aside(std::string_view consumer = "crew");

  /// `key|offset|waiting`
  std::string blocked();

  void kill(hand& whom);
};

}  // namespace test
