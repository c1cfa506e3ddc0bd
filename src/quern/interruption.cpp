#include "quern/interruption.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "quern/connection.hpp"

namespace quern {

interruption::interruption() {
  if (pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    throw std::system_error{errno, std::generic_category(), "pipe for an interruption"};
}

interruption::~interruption() {
  close(ends_[0]);
  close(ends_[1]);
}

void interruption::raise() noexcept {
  const int before = errno;
  is_raised_.store(true, std::memory_order_release);
  const char any = 0;
  // It fails only when the pipe is full, and then it is readable.
  [[maybe_unused]] const auto written = write(ends_[1], &any, 1);
  errno = before;
}

void interruption::lower() noexcept {
  is_raised_.store(false, std::memory_order_release);
  std::array<char, 64> dropped;
  while (read(ends_[0], dropped.data(), dropped.size()) > 0) {
  }
}

void interruption::wait() const {
  while (!wait_for(std::chrono::hours{1})) {
  }
}

bool interruption::wait_for(std::chrono::milliseconds longest) const {
  const auto until = deadline_after(longest);
  while (!is_raised()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd end{ends_[0], POLLIN, 0};
    if (poll(&end, 1, static_cast<int>(std::min<std::int64_t>(left, 3'600'000))) < 0 && errno != EINTR)
      throw std::system_error{errno, std::generic_category(), "waiting"};
  }
  return true;
}

}  // namespace quern
