#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "quern/interruption.hpp"
#include "quern/session.hpp"

// Waiting without holding up a stop.
namespace quern {
namespace {

// -1 for a wait without end. Rounded up, so that a wait never ends before its time and then spins.
int milliseconds_until(deadline until) {
  if (until == no_deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

std::optional<notification> next_notification(PGconn* handle) {
  PGnotify* const raw = PQnotifies(handle);
  if (raw == nullptr) return std::nullopt;
  const std::unique_ptr<PGnotify, decltype(&PQfreemem)> owner{raw, &PQfreemem};
  return notification{raw->relname, raw->extra, raw->be_pid};
}

// Sleeps until the socket has something, the interruption is raised or the time is over.
void sleep_on(int socket, int stop, deadline until) {
  std::array<pollfd, 2> waits{pollfd{socket, POLLIN, 0}, pollfd{stop, POLLIN, 0}};
  if (poll(waits.data(), waits.size(), milliseconds_until(until)) < 0 && errno != EINTR)
    throw std::system_error{errno, std::generic_category(), "waiting for PostgreSQL"};
}

}  // namespace

std::optional<notification> connection::wait_for_notification(deadline until, const interruption* by) {
  session_->expect_ready("wait for a notification");
  for (;;) {
    if (PQconsumeInput(session_->pq()) == 0) session_->fail("wait for a notification", false);
    if (auto found = next_notification(session_->pq())) return found;
    if (by != nullptr && by->is_raised()) return std::nullopt;
    if (std::chrono::steady_clock::now() >= until) return std::nullopt;
    sleep_on(PQsocket(session_->pq()), by == nullptr ? -1 : by->readable_end(), until);
  }
}

std::optional<notification> connection::wait_for_notification(deadline until, const std::stop_token& stop) {
  if (!stop.stop_possible()) return wait_for_notification(until, nullptr);
  interruption by;
  const std::stop_callback raise{stop, [&by] { by.raise(); }};
  return wait_for_notification(until, &by);
}

}  // namespace quern
