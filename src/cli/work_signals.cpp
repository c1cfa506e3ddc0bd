#include "cli/work_signals.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace cli {
namespace {

constexpr std::array caught{SIGTERM, SIGINT, SIGCHLD};

// Where a handler of signals, which has no object, finds it.
std::array<int, 2> ends{-1, -1};

void note(int which) {
  const int before = errno;
  const char word = which == SIGCHLD ? 'c' : 's';
  // It fails only when the pipe is full, and then it is readable.
  [[maybe_unused]] const ssize_t written = write(ends[1], &word, 1);
  errno = before;
}

}  // namespace

work_signals::work_signals() {
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  for (const int one : caught) sigaction(one, &action, nullptr);
  // A handler need not read its input.
  std::signal(SIGPIPE, SIG_IGN);
}

work_signals::~work_signals() {
  for (const int one : caught) std::signal(one, SIG_DFL);
  std::signal(SIGPIPE, SIG_DFL);
  for (const int end : ends) close(end);
}

int work_signals::file() const noexcept {
  return ends[0];
}

int work_signals::stops() noexcept {
  std::array<char, 256> words{};
  for (ssize_t count = 0; (count = read(ends[0], words.data(), words.size())) > 0;)
    for (ssize_t i = 0; i < count; ++i) stops_ += words[static_cast<std::size_t>(i)] == 's' ? 1 : 0;
  return stops_;
}

}  // namespace cli
