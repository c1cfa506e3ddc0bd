#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace declaration {

/// When a schedule fires, by the clock of its zone: the values of each field, sorted. Without months, days or weekdays
/// any will do; with days and weekdays one of both suffices, as POSIX has it.
struct cron_times {
  std::vector<int> minutes{};   // 0 to 59
  std::vector<int> hours{};     // 0 to 23
  std::vector<int> days{};      // of the month, from 1
  std::vector<int> months{};    // from 1
  std::vector<int> weekdays{};  // 0 is Sunday
  bool operator==(const cron_times&) const = default;
};

/// What is wrong with a cron line, and with which of its bytes.
struct cron_problem {
  std::size_t offset = 0;
  std::size_t size = 0;
  std::string message{};
  std::string help{};
};

struct cron_result {
  cron_times times{};  // only when there are no problems
  std::vector<cron_problem> problems{};
};

/// Reads five fields (`0 9 * * mon-fri`) or one of `@hourly`, `@daily`, …; everything that is wrong is reported.
cron_result parse_cron(std::string_view written);

}  // namespace declaration
