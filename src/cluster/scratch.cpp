#include "cluster/scratch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "cluster/error.hpp"

namespace cluster {
namespace {

namespace fs = std::filesystem;

fs::path fresh_directory() {
  std::string name = "/tmp/quern-scratch-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw error{fmt::format("cannot create {}: {}", name, std::strerror(errno))};
  // The server's user has to pass; what is inside is closed to others by itself.
  chmod(name.c_str(), 0711);
  return name;
}

// Everything but the lifeline: an inherited pipe would keep its reader waiting for the keeper's end.
void let_go_of_files(int lifeline) {
  const int nothing = open("/dev/null", O_RDWR);
  for (const int standard : {0, 1, 2}) dup2(nothing, standard);
  const long limit = std::min(sysconf(_SC_OPEN_MAX), 4096L);
  for (int file = 3; file < limit; ++file)
    if (file != lifeline) close(file);
}

// The life of the keeper: until the last holder of the other end of the pipe is gone.
[[noreturn]] void keep(const fs::path& directory, int lifeline) {
  setsid();
  signal(SIGPIPE, SIG_IGN);
  for (const int request : {SIGINT, SIGTERM, SIGHUP}) signal(request, SIG_IGN);
  let_go_of_files(lifeline);
  char nothing = 0;
  while (read(lifeline, &nothing, 1) < 0 && errno == EINTR) continue;
  try {
    destroy(directory);
    fs::remove_all(directory);
  } catch (...) {
    _exit(1);
  }
  _exit(0);
}

}  // namespace

scratch::scratch(setting_list settings) {
  options_ = {.directory = fresh_directory(), .programs = {}, .is_throw_away = true, .settings = std::move(settings)};
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw error{fmt::format("cannot make a pipe: {}", std::strerror(errno))};
  keeper_ = fork();
  if (keeper_ < 0) throw error{fmt::format("cannot start a process: {}", std::strerror(errno))};
  if (keeper_ == 0) {
    close(ends[1]);
    keep(options_.directory, ends[0]);
  }
  close(ends[0]);
  lifeline_ = ends[1];
  try {
    state_ = cluster::start(options_);
  } catch (...) {
    close(lifeline_);
    throw;
  }
}

scratch::~scratch() {
  close(lifeline_);
  while (waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) continue;
}

void scratch::stop(shutdown how) {
  cluster::stop(options_.directory, how);
  state_.postmaster.reset();
}

void scratch::start(setting_list settings) {
  options_.settings = std::move(settings);
  state_ = cluster::start(options_);
}

}  // namespace cluster
