#pragma once

#include <cstdint>
#include <quern/connection.hpp>
#include <string>
#include <vector>

namespace migrate {

/// A session that others wait for.
struct blocker {
  int pid = 0;  // 0: a prepared transaction, which has no session
  std::string user;
  std::string application;
  std::string state;  // of pg_stat_activity
  std::string query;  // its present or last one, shortened; empty when this user may not see it
  double age = 0;     // of its transaction, or else of the session, in seconds
  bool operator==(const blocker&) const = default;
};

/// `process 123 (user web, application psql, idle in transaction, for 12 s): select 1`.
std::string spell(const blocker& one);

/// The sessions that the session `pid` waits for; empty when it does not wait for a lock.
std::vector<blocker> blockers_of(quern::connection& db, int pid);

/// The sessions that hold an advisory lock exclusively.
std::vector<blocker> holders_of(quern::connection& db, std::int64_t advisory_key);

}  // namespace migrate
