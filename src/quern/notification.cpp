#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "quern/session.hpp"

// Waiting without holding up a stop.
namespace quern {
namespace {

// A pipe that becomes readable when a stop is requested, so that poll(2) sees it; nothing when none can be requested.
class stop_signal {
 public:
  explicit stop_signal(const std::stop_token& stop) {
    if (!stop.stop_possible()) return;
    if (pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) != 0)
      throw std::system_error{errno, std::generic_category(), "pipe for a stop request"};
  }

  stop_signal(const stop_signal&) = delete;
  stop_signal& operator=(const stop_signal&) = delete;

  ~stop_signal() {
    if (ends_[0] == -1) return;
    close(ends_[0]);
    close(ends_[1]);
  }

  void raise() const noexcept {
    const char any = 0;
    // It fails only when the pipe is full, and then it is readable.
    [[maybe_unused]] const auto written = write(ends_[1], &any, 1);
  }

  int readable_end() const noexcept { return ends_[0]; }

 private:
  std::array<int, 2> ends_{-1, -1};
};

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

// Sleeps until the socket has something, the stop is raised or the time is over.
void sleep_on(int socket, int stop, deadline until) {
  std::array<pollfd, 2> waits{pollfd{socket, POLLIN, 0}, pollfd{stop, POLLIN, 0}};
  if (poll(waits.data(), waits.size(), milliseconds_until(until)) < 0 && errno != EINTR)
    throw std::system_error{errno, std::generic_category(), "waiting for PostgreSQL"};
}

}  // namespace

std::optional<notification> connection::wait_for_notification(deadline until, const std::stop_token& stop) {
  session_->expect_ready("wait for a notification");
  const stop_signal signal{stop};
  const std::stop_callback raise{stop, [&signal] { signal.raise(); }};
  for (;;) {
    if (PQconsumeInput(session_->pq()) == 0) session_->fail("wait for a notification", false);
    if (auto found = next_notification(session_->pq())) return found;
    if (stop.stop_requested() || std::chrono::steady_clock::now() >= until) return std::nullopt;
    sleep_on(PQsocket(session_->pq()), signal.readable_end(), until);
  }
}

}  // namespace quern
