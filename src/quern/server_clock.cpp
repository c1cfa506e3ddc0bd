#include "quern/server_clock.hpp"

#include <algorithm>

namespace quern {
namespace {

constexpr prepared ask_time{"select pg_catalog.clock_timestamp()"};
constexpr std::chrono::minutes period{1};

}  // namespace

void server_clock::follow(connection& server) {
  const deadline now = std::chrono::steady_clock::now();
  if (compared_at_ && now - *compared_at_ < period) return;
  server_time_ = server.execute(ask_time).value<timestamp>();
  compared_at_ = now;
}

deadline server_clock::local(timestamp moment) const {
  constexpr timestamp::duration longest = std::chrono::days{366};
  return compared_at_.value_or(deadline{}) + std::clamp(moment - server_time_, -longest, longest);
}

}  // namespace quern
