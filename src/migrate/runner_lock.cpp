#include "migrate/runner_lock.hpp"

#include <fmt/format.h>

#include <string>

#include "migrate/blockers.hpp"
#include "migrate/error.hpp"
#include "migrate/parse.hpp"
#include "migrate/patience.hpp"

namespace migrate {
namespace {

using namespace std::chrono_literals;

std::int64_t key_of(const std::string& name) {
  return static_cast<std::int64_t>(std::stoull(sha256(name).substr(0, 16), nullptr, 16));
}

bool try_lock(quern::connection& db, std::int64_t key) {
  return db.execute("select pg_try_advisory_lock($1)", key).value<bool>();
}

}  // namespace

runner_keys keys_of(std::string_view schema) {
  return {.guard = key_of(fmt::format("quern/migrate/{}", schema)),
          .work = key_of(fmt::format("quern/migrate/{}/work", schema))};
}

void take_lock(quern::connection& db, std::int64_t key, std::chrono::milliseconds how_long,
               const std::function<void(std::string_view)>& progress) {
  patience left{how_long, 20ms, 500ms};
  int told_of = 0;
  std::string holder = "another session";
  while (!try_lock(db, key)) {
    if (const auto holders = holders_of(db, key); !holders.empty()) {
      holder = spell(holders.front());
      if (holders.front().pid != told_of) progress(fmt::format("another runner is at work, waiting for {}", holder));
      told_of = holders.front().pid;
    }
    if (left.is_over())
      throw error{reason::gave_up_waiting,
                  fmt::format("gave up after {} s: another runner is at work: {}",
                              std::chrono::duration_cast<std::chrono::seconds>(how_long).count(), holder)};
    left.pause();
  }
}

}  // namespace migrate
