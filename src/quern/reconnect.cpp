#include "quern/reconnect.hpp"

#include <algorithm>

#include "quern/error.hpp"

namespace quern {

std::optional<std::chrono::milliseconds> backoff::next() {
  const deadline now = std::chrono::steady_clock::now();
  if (!failing_since_) {
    failing_since_ = now;
    wait_ = options_.first_wait;
    return options_.limit.count() > 0 ? std::optional{std::chrono::milliseconds{0}} : std::nullopt;
  }
  if (std::chrono::duration_cast<std::chrono::milliseconds>(now - *failing_since_) >= options_.limit)
    return std::nullopt;
  const auto most = std::max<std::int64_t>(1, wait_.count());
  wait_ = std::min(wait_ * 2, options_.longest_wait);
  return std::chrono::milliseconds{std::uniform_int_distribution<std::int64_t>{(most + 1) / 2, most}(random_)};
}

void reopen_for_writing(connection& lost) {
  lost.reopen();
  if (lost.reported_setting("in_hot_standby") != "on") return;
  failure details;
  details.message = "the server is a standby, on which nothing can be claimed";
  details.is_connection_lost = true;
  throw_failure(std::move(details));
}

}  // namespace quern
