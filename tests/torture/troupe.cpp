#include "troupe.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <thread>

namespace torture {
namespace {

[[noreturn]] void play(const casting& who, const part& with, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int request : {SIGINT, SIGHUP}) std::signal(request, SIG_IGN);
  if (getppid() != parent) _exit(1);
  int code = 1;
  try {
    player me{with};
    who.plays(me);
    code = 0;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "\n%s: %s\n", with.file.filename().c_str(), failed.what());
  }
  _exit(code);
}

bool is_worker(const casting& who) {
  return who.role_name == "worker" || who.role_name == "staff";
}

/// How many there are of them when there are so many workers of queues in all, in the same parts.
int count_of(const casting& who, int workers) {
  if (workers == 0 || !is_worker(who)) return who.count;
  int before = 0;  // this one, in the order of the cast
  int all = 0;
  for (const casting& each : cast) {
    if (!is_worker(each)) continue;
    if (&each < &who) before += each.count;
    all += each.count;
  }
  return (before + who.count) * workers / all - before * workers / all;
}

}  // namespace

troupe::troupe(urls to, std::filesystem::path directory, std::uint64_t seed, int workers)
    : to_{std::move(to)}, directory_{std::move(directory)}, seed_{seed} {
  for (const casting& each : cast)
    for (int i = count_of(each, workers); i > 0; --i) slots_.push_back({.who = &each});
}

troupe::~troupe() {
  for (slot& each : slots_)
    if (each.process > 0) kill(each.process, SIGKILL);
  for (slot& each : slots_)
    if (each.process > 0) waitpid(each.process, nullptr, 0);
}

void troupe::start(std::size_t number) {
  slot& mine = slots_[number];
  const bool is_direct = (static_cast<int>(number) + mine.incarnation) % 2 == 0;
  const part with{.url = is_direct ? to_.direct : to_.by_proxy,
                  .file = directory_ / fmt::format("{}.{}.{}", mine.who->line, mine.who->role_name, number),
                  .slot = static_cast<int>(number),
                  .incarnation = mine.incarnation++,
                  .seed = seed_};
  std::fflush(nullptr);
  const pid_t parent = getpid();
  mine.process = fork();
  if (mine.process < 0) throw std::runtime_error{"cannot start a process"};
  if (mine.process == 0) play(*mine.who, with, parent);
}

void troupe::collect(slot& from) {
  int state = 0;
  if (from.process == 0 || waitpid(from.process, &state, WNOHANG) != from.process) return;
  from.process = 0;
  from.is_frozen = false;
  if (WIFEXITED(state) && WEXITSTATUS(state) != 0)
    throw std::runtime_error{fmt::format("a process has failed: {} of {}", from.who->role_name, from.who->line)};
}

void troupe::raise() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    collect(slots_[i]);
    if (slots_[i].process == 0) start(i);
  }
}

troupe::slot& troupe::any(std::mt19937_64& random) {
  return slots_[std::uniform_int_distribution<std::size_t>{0, slots_.size() - 1}(random)];
}

void troupe::kill_one(std::mt19937_64& random) {
  slot& victim = any(random);
  if (victim.process == 0) return;
  kill(victim.process, SIGKILL);
  waitpid(victim.process, nullptr, 0);
  victim.process = 0;
  victim.is_frozen = false;
}

void troupe::freeze_one(std::mt19937_64& random) {
  wake_all();
  slot& victim = any(random);
  if (victim.process == 0) return;
  kill(victim.process, SIGSTOP);
  victim.is_frozen = true;
}

void troupe::wake_all() {
  for (slot& each : slots_)
    if (each.is_frozen && each.process != 0) kill(each.process, SIGCONT);
  for (slot& each : slots_) each.is_frozen = false;
}

void troupe::end() {
  wake_all();
  for (slot& each : slots_)
    if (each.process != 0) kill(each.process, SIGTERM);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  const auto is_there = [](const slot& each) { return each.process != 0; };
  while (std::ranges::any_of(slots_, is_there) && std::chrono::steady_clock::now() < end) {
    for (slot& each : slots_) collect(each);
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  for (slot& each : slots_) {
    if (each.process == 0) continue;
    kill(each.process, SIGKILL);
    waitpid(each.process, nullptr, 0);
    each.process = 0;
  }
}

}  // namespace torture
