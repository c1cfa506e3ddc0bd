#include "cli/handler_keeper.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <set>
#include <system_error>

namespace cli {
namespace {

// An inherited pipe would keep its reader waiting for the end of this process.
void let_go_of_files(int lifeline) {
  const int nothing = open("/dev/null", O_RDWR);
  for (const int standard : {0, 1, 2}) dup2(nothing, standard);
  const long limit = std::min(sysconf(_SC_OPEN_MAX), 4096L);
  for (int file = 3; file < limit; ++file)
    if (file != lifeline) close(file);
}

// Groups are told as they are, and forgotten as their negative. It ends with the last holder of the other end.
[[noreturn]] void keep(int lifeline) {
  setsid();
  for (const int request : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(request, SIG_IGN);
  let_go_of_files(lifeline);
  std::set<pid_t> groups;
  pid_t told = 0;
  while (true) {
    const ssize_t count = read(lifeline, &told, sizeof told);
    if (count < 0 && errno == EINTR) continue;
    if (count != sizeof told) break;
    if (told > 0)
      groups.insert(told);
    else
      groups.erase(-told);
  }
  for (const pid_t group : groups) kill(-group, SIGKILL);
  _exit(0);
}

}  // namespace

handler_keeper::handler_keeper() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
  process_ = fork();
  if (process_ < 0) throw std::system_error{errno, std::generic_category(), "fork"};
  if (process_ == 0) {
    close(ends[1]);
    keep(ends[0]);
  }
  close(ends[0]);
  lifeline_ = ends[1];
}

handler_keeper::~handler_keeper() {
  close(lifeline_);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
}

void handler_keeper::tell(pid_t group) const noexcept {
  [[maybe_unused]] const ssize_t written = write(lifeline_, &group, sizeof group);
}

void handler_keeper::forget(pid_t group) const noexcept {
  tell(-group);
}

}  // namespace cli
