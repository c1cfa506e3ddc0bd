#include "cluster/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "cluster/error.hpp"

extern "C" char** environ;

namespace cluster {
namespace {

class file_descriptor {
 public:
  explicit file_descriptor(int number) : number_{number} {}

  ~file_descriptor() { reset(); }

  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;

  int get() const { return number_; }

  void reset() {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

struct pipe_ends {
  file_descriptor read;
  file_descriptor write;
};

pipe_ends make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw error{fmt::format("cannot make a pipe: {}", std::strerror(errno))};
  return {file_descriptor{ends[0]}, file_descriptor{ends[1]}};
}

std::string read_all(int from) {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t count = read(from, part.data(), part.size());
    if (count == 0) return text;
    if (count > 0) text.append(part.data(), static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR) return text;
  }
}

// libpq's and the server's variables would change what the server does: PGPORT is its default port, PGTZ its zone.
std::vector<std::string> clean_environment() {
  std::vector<std::string> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    if (!variable.starts_with("PG") && !variable.starts_with("LC_") && !variable.starts_with("LANG"))
      kept.emplace_back(variable);
  }
  return kept;
}

std::vector<char*> as_pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What the terminal's Ctrl-C ends: a helper goes with its caller, a server stays.
enum class session { of_the_caller, of_its_own };

// In the child between fork and exec: only calls that are safe there. Reports why it failed as one errno.
[[noreturn]] void become_program(const account& owner, const std::string& program, char* const* arguments,
                                 char* const* environment, int output, int report, session place) noexcept {
  if (place == session::of_its_own) setsid();
  umask(077);
  const int nothing = open("/dev/null", O_RDONLY);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  if (nothing >= 0 && dup2(nothing, 0) == 0 && dup2(output, 1) == 1 && dup2(output, 2) == 2 && become(owner) &&
      chdir("/") == 0)
    execve(program.c_str(), arguments, environment);
  const int reason = errno;
  [[maybe_unused]] const ssize_t written = write(report, &reason, sizeof reason);
  _exit(127);
}

// Returns when the program runs.
pid_t start(const account& owner, const command& what, int output, session place) {
  std::vector<std::string> arguments{what.program.string()};
  arguments.insert(arguments.end(), what.arguments.begin(), what.arguments.end());
  std::vector<std::string> environment = clean_environment();
  const std::vector<char*> argument_pointers = as_pointers(arguments);
  const std::vector<char*> environment_pointers = as_pointers(environment);
  pipe_ends report = make_pipe();
  const pid_t child = fork();
  if (child < 0) throw error{fmt::format("cannot start a process: {}", std::strerror(errno))};
  if (child == 0)
    become_program(owner, arguments.front(), argument_pointers.data(), environment_pointers.data(), output,
                   report.write.get(), place);
  report.write.reset();
  const std::string failure = read_all(report.read.get());
  if (failure.size() != sizeof(int)) return child;
  waitpid(child, nullptr, 0);
  int reason = 0;
  std::memcpy(&reason, failure.data(), sizeof reason);
  throw error{fmt::format("cannot run {} as {}: {}", what.program.string(), owner.name, std::strerror(reason))};
}

}  // namespace

outcome run(const account& owner, const command& what) {
  pipe_ends output = make_pipe();
  const pid_t child = start(owner, what, output.write.get(), session::of_the_caller);
  output.write.reset();
  outcome result{.exit_code = 0, .output = read_all(output.read.get())};
  int state = 0;
  while (waitpid(child, &state, 0) < 0 && errno == EINTR) continue;
  result.exit_code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  return result;
}

pid_t spawn(const account& owner, const command& what, const std::filesystem::path& log) {
  const file_descriptor output{open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (output.get() < 0) throw error{fmt::format("cannot write {}: {}", log.string(), std::strerror(errno))};
  return start(owner, what, output.get(), session::of_its_own);
}

}  // namespace cluster
