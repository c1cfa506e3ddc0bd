#include "cluster/keeper.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "cluster/error.hpp"

namespace cluster {
namespace {

// Everything but the lifeline: an inherited pipe would keep its reader waiting for the keeper's end.
void let_go_of_files(int lifeline) {
  const int nothing = open("/dev/null", O_RDWR);
  for (const int standard : {0, 1, 2}) dup2(nothing, standard);
  const long limit = std::min(sysconf(_SC_OPEN_MAX), 4096L);
  for (int file = 3; file < limit; ++file)
    if (file != lifeline) close(file);
}

// Until the last holder of the other end of the pipe is gone.
[[noreturn]] void keep(const std::function<void()>& clear_up, int lifeline) {
  setsid();
  signal(SIGPIPE, SIG_IGN);
  for (const int request : {SIGINT, SIGTERM, SIGHUP}) signal(request, SIG_IGN);
  let_go_of_files(lifeline);
  char nothing = 0;
  while (read(lifeline, &nothing, 1) < 0 && errno == EINTR) continue;
  try {
    clear_up();
  } catch (...) {
    _exit(1);
  }
  _exit(0);
}

}  // namespace

keeper::keeper(const std::function<void()>& clear_up) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw error{fmt::format("cannot make a pipe: {}", std::strerror(errno))};
  process_ = fork();
  if (process_ < 0) throw error{fmt::format("cannot start a process: {}", std::strerror(errno))};
  if (process_ == 0) {
    close(ends[1]);
    keep(clear_up, ends[0]);
  }
  close(ends[0]);
  lifeline_ = ends[1];
}

keeper::~keeper() {
  close(lifeline_);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace cluster
