#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <quern/connection.hpp>
#include <string_view>

namespace migrate {

/// What keeps two runners apart: two advisory locks of the database, made from the schema's name.
struct runner_keys {
  std::int64_t guard = 0;  // held by an idle session from before the ledger is read until the end
  std::int64_t work = 0;   // held by the session that changes the schema: after its runner was killed it may still work
};

runner_keys keys_of(std::string_view schema);

/// Takes the lock for the session, asking again and again: a session that waits inside of the server would hold a
/// snapshot, and a concurrent index build waits for those. Who holds it is told to `progress`, once for each holder.
/// Throws error when the patience ends.
void take_lock(quern::connection& db, std::int64_t key, std::chrono::milliseconds how_long,
               const std::function<void(std::string_view)>& progress);

}  // namespace migrate
