#include "support/processes.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "support/database.hpp"

namespace test {

holder::holder(const std::string& url, const std::string& sql)
    : db_{with_application(url, "the holder")}, held_{std::in_place, db_} {
  db_.execute(sql);
}

other_process::other_process(const std::function<void()>& work) : process_{fork()} {
  if (process_ != 0) return;
  int code = 1;
  try {
    work();
    code = 0;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "the other process: %s\n", failed.what());
  }
  _exit(code);
}

other_process::~other_process() {
  kill_now();
}

void other_process::kill_now() {
  if (process_ <= 0) return;
  kill(process_, SIGKILL);
  wait_for_end();
}

bool other_process::has_ended() {
  if (process_ > 0 && waitpid(process_, &state_, WNOHANG) == process_) process_ = 0;
  return process_ == 0;
}

int other_process::wait_for_end() {
  if (process_ > 0) waitpid(process_, &state_, 0);
  process_ = 0;
  return state_;
}

void die() {
  kill(getpid(), SIGKILL);
  std::abort();
}

bool has_died(int state) {
  return WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL;
}

}  // namespace test
