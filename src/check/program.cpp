#include "check/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

extern "C" char** environ;

namespace check {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error{error, std::generic_category(), what};
}

class pipe_end {
 public:
  explicit pipe_end(int descriptor = -1) : descriptor_{descriptor} {}
  pipe_end(pipe_end&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  pipe_end& operator=(pipe_end&& other) noexcept {
    close();
    descriptor_ = std::exchange(other.descriptor_, -1);
    return *this;
  }
  ~pipe_end() { close(); }

  int get() const { return descriptor_; }

  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
};

struct pipe_pair {
  pipe_end read{};
  pipe_end write{};
};

pipe_pair make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail(errno, "pipe");
  return {pipe_end{ends[0]}, pipe_end{ends[1]}};
}

/// A file without a name that holds the input: it cannot block as a pipe does.
std::unique_ptr<FILE, int (*)(FILE*)> file_with(const std::string& input) {
  std::unique_ptr<FILE, int (*)(FILE*)> file{tmpfile(), fclose};
  if (!file) fail(errno, "a temporary file");
  if (fwrite(input.data(), 1, input.size(), file.get()) != input.size() || fflush(file.get()) != 0)
    fail(errno, "a temporary file");
  rewind(file.get());
  return file;
}

std::vector<std::string> environment_in_english() {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string variable = *entry;
    if (!variable.starts_with("LC_ALL=") && !variable.starts_with("LANGUAGE=")) all.push_back(variable);
  }
  all.emplace_back("LC_ALL=C");
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> made;
  made.reserve(texts.size() + 1);
  for (std::string& text : texts) made.push_back(text.data());
  made.push_back(nullptr);
  return made;
}

pid_t start(std::vector<std::string> words, int in, int out, int err) {
  std::vector<std::string> variables = environment_in_english();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  pid_t child = 0;
  const int trouble = posix_spawnp(&child, words.front().c_str(), &actions, nullptr, pointers(words).data(),
                                   pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (trouble != 0) fail(trouble, words.front());
  return child;
}

/// False at the end.
bool read_some(pipe_end& from, std::string& into) {
  std::array<char, 65536> buffer;
  const ssize_t count = ::read(from.get(), buffer.data(), buffer.size());
  if (count < 0 && errno == EINTR) return true;
  if (count > 0) into.append(buffer.data(), static_cast<std::size_t>(count));
  if (count <= 0) from.close();
  return count > 0;
}

void read_both(pipe_end& out, pipe_end& err, program_outcome& into) {
  while (out.get() >= 0 || err.get() >= 0) {
    std::array<pollfd, 2> waiting{{{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
    if (poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) fail(errno, "poll");
    if (waiting[0].revents != 0) read_some(out, into.out);
    if (waiting[1].revents != 0) read_some(err, into.err);
  }
}

}  // namespace

program_outcome run_program(const std::vector<std::string>& words, const std::string& input) {
  const auto in = file_with(input);
  pipe_pair out = make_pipe();
  pipe_pair err = make_pipe();
  const pid_t child = start(words, fileno(in.get()), out.write.get(), err.write.get());
  out.write.close();
  err.write.close();
  program_outcome made;
  read_both(out.read, err.read, made);
  int state = 0;
  while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  made.exit_code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  return made;
}

}  // namespace check
