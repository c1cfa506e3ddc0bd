#pragma once

#include <quern/connection.hpp>
#include <string>
#include <vector>

namespace migrate {

/// A lock that a step holds just before it commits: on a table, view, or sequence that was there before the step, and
/// at least SHARE UPDATE EXCLUSIVE. Only steps in a transaction are observed.
struct table_lock {
  std::string relation;  // `shop.email_message`
  std::string mode;      // `ShareRowExclusiveLock`
  bool operator==(const table_lock&) const = default;
};

/// Those that the session `pid` holds, sorted; asked by another session, which does not see what the first has made but
/// not committed. Throws quern::error.
std::vector<table_lock> locks_of(quern::connection& db, int pid);

}  // namespace migrate
