#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "queue/workshop.hpp"

/// Queues to which something comes at times.
namespace test {

/// The queue and a schedule for it.
inline std::string scheduled(std::string_view schedule) {
  return fmt::format("{}[streams.log]\npayload = \"jsonb\"\n{}", test::mail_queue, schedule);
}

inline std::string every_minute(std::string_view catch_up) {
  return scheduled(
      fmt::format("[schedules.tick]\ncron = \"* * * * *\"\nqueue = \"mail\"\npayload = {{ body = \"t\" }}\ncatch_up = "
                  "\"{}\"\n",
                  catch_up));
}

inline std::string every_year(std::string_view catch_up) {
  return scheduled(fmt::format(
      "[schedules.year]\ncron = \"@yearly\"\nqueue = \"mail\"\npayload = {{ body = \"y\" }}\ncatch_up = \"{}\"\n",
      catch_up));
}

/// As if no scheduler had run for so long.
inline void sleep_for(workshop& here, std::string_view time) {
  here.db.ask(
      fmt::format("update quern_schedule set counted_from = counted_from - interval '{0}', last_due_at = "
                  "last_due_at - interval '{0}'",
                  time));
}

/// How many fire now, and how many of their times are different.
inline std::string fired_count(test::session& by, int count = 100) {
  return by.ask(fmt::format(
      "select count(*), count(distinct due_at) from quern_schedule_run(p_count => {}) where due_at is not null",
      count));
}

}  // namespace test
