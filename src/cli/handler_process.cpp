#include "cli/handler_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <system_error>

#include "cli/standard_streams.hpp"
#include "text/utf8.hpp"

extern "C" char** environ;

namespace cli {
namespace {

constexpr std::size_t longest_words = 2000;

void close_file(int& file) noexcept {
  if (file >= 0) close(file);
  file = -1;
}

/// Both ends are closed in what is executed.
class pipe_ends {
 public:
  pipe_ends() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
  }

  ~pipe_ends() {
    for (int& end : ends_) close_file(end);
  }

  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;

  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }

  /// From here on the caller's, and without waiting.
  int take(std::size_t end) {
    fcntl(ends_[end], F_SETFL, fcntl(ends_[end], F_GETFL) | O_NONBLOCK);
    return std::exchange(ends_[end], -1);
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

std::vector<std::string> environment_with(const environment_variables& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    const std::string_view name = variable.substr(0, variable.find('='));
    bool is_replaced = false;
    for (const auto& [other, value] : added) is_replaced = is_replaced || other == name;
    if (!is_replaced) all.emplace_back(variable);
  }
  for (const auto& [name, value] : added) all.push_back(fmt::format("{}={}", name, value));
  return all;
}

// Between fork and exec only what is async-signal-safe.
[[noreturn]] void become(const char* command, char** environment, const pipe_ends& input, const pipe_ends& errors,
                         const pipe_ends* output, const handler_keeper& keeper) {
  setpgid(0, 0);
  keeper.tell(getpid());
  for (const int one : {SIGCHLD, SIGINT, SIGTERM, SIGPIPE}) signal(one, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const bool has_output = output == nullptr || dup2(output->writing(), 1) == 1;
  if (has_output && dup2(input.reading(), 0) == 0 && dup2(errors.writing(), 2) == 2)
    execle("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr), environment);
  _exit(127);
}

}  // namespace

handler_process::handler_process(const std::string& command, const environment_variables& added, std::string input,
                                 handler_output output, const handler_keeper& keeper)
    : keeper_{&keeper}, input_{std::move(input)} {
  pipe_ends input_pipe;
  pipe_ends error_pipe;
  std::optional<pipe_ends> output_pipe;
  if (output == handler_output::kept) output_pipe.emplace();
  std::vector<std::string> variables = environment_with(added);
  std::vector<char*> pointers;
  pointers.reserve(variables.size() + 1);
  for (std::string& one : variables) pointers.push_back(one.data());
  pointers.push_back(nullptr);
  process_ = fork();
  if (process_ < 0) throw std::system_error{errno, std::generic_category(), "cannot start a handler: fork"};
  if (process_ == 0)
    become(command.c_str(), pointers.data(), input_pipe, error_pipe, output_pipe ? &*output_pipe : nullptr, keeper);
  // Whichever comes first: a signal to the group finds it.
  setpgid(process_, process_);
  input_file_ = input_pipe.take(1);
  error_file_ = error_pipe.take(0);
  if (output_pipe) output_file_ = output_pipe->take(0);
}

handler_process::handler_process(handler_process&& from) noexcept {
  *this = std::move(from);
}

handler_process& handler_process::operator=(handler_process&& from) noexcept {
  if (this == &from) return *this;
  end_group();
  keeper_ = from.keeper_;
  process_ = std::exchange(from.process_, 0);
  input_file_ = std::exchange(from.input_file_, -1);
  error_file_ = std::exchange(from.error_file_, -1);
  output_file_ = std::exchange(from.output_file_, -1);
  input_ = std::move(from.input_);
  written_ = from.written_;
  errors_ = std::move(from.errors_);
  output_ = std::move(from.output_);
  return *this;
}

handler_process::~handler_process() {
  end_group();
}

// While its leader is a zombie, nobody else can have the group's number.
void handler_process::end_group() noexcept {
  if (process_ != 0) {
    ::kill(-process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
    keeper_->forget(process_);
    process_ = 0;
  }
  close_file(input_file_);
  close_file(error_file_);
  close_file(output_file_);
}

void handler_process::add_to(std::vector<pollfd>& waited) const {
  if (input_file_ >= 0) waited.push_back({input_file_, POLLOUT, 0});
  if (error_file_ >= 0) waited.push_back({error_file_, POLLIN, 0});
  if (output_file_ >= 0) waited.push_back({output_file_, POLLIN, 0});
}

void handler_process::pump() {
  write_input();
  read_errors();
  read_output();
}

// A handler need not read its input.
void handler_process::write_input() {
  while (input_file_ >= 0) {
    const ssize_t count = write(input_file_, input_.data() + written_, input_.size() - written_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count >= 0) written_ += static_cast<std::size_t>(count);
    if (count < 0 || written_ == input_.size()) close_file(input_file_);
  }
}

void handler_process::read_errors() {
  std::array<char, 4096> block{};
  while (error_file_ >= 0) {
    const ssize_t count = read(error_file_, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      close_file(error_file_);
      return;
    }
    const std::string_view words{block.data(), static_cast<std::size_t>(count)};
    write_error(words);
    errors_ += words;
    if (errors_.size() > longest_words) errors_.erase(0, errors_.size() - longest_words);
  }
}

// One byte more than is kept says that there was more.
void handler_process::read_output() {
  std::array<char, 65536> block{};
  while (output_file_ >= 0) {
    const ssize_t count = read(output_file_, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      close_file(output_file_);
      return;
    }
    output_.append(block.data(), std::min(static_cast<std::size_t>(count), longest_output + 1 - output_.size()));
  }
}

std::optional<handler_end> handler_process::try_end() {
  siginfo_t state{};
  if (waitid(P_PID, static_cast<id_t>(process_), &state, WEXITED | WNOHANG | WNOWAIT) != 0 || state.si_pid == 0)
    return std::nullopt;
  ::kill(-process_, SIGKILL);
  read_errors();
  read_output();
  end_group();
  if (state.si_code == CLD_EXITED)
    return handler_end{state.si_status == 0, fmt::format("exit status {}", state.si_status)};
  return handler_end{false, fmt::format("killed by signal {}", state.si_status)};
}

void handler_process::terminate() const noexcept {
  if (process_ != 0) ::kill(-process_, SIGTERM);
}

void handler_process::kill() const noexcept {
  if (process_ != 0) ::kill(-process_, SIGKILL);
}

std::optional<std::string> handler_process::take_output() {
  if (output_.size() > longest_output) return std::nullopt;
  return std::exchange(output_, {});
}

std::string handler_process::last_words() const {
  std::string words;
  for (std::size_t at = 0; at < errors_.size();) {
    const auto [code_point, size] = text::character_at(errors_, at);
    const bool is_kept = size > 1 || (static_cast<unsigned char>(errors_[at]) < 0x80 && errors_[at] != '\0');
    // The first bytes may be the rest of a character that was cut.
    if (is_kept)
      words.append(errors_, at, size);
    else if (!words.empty())
      words += "\xef\xbf\xbd";
    at += size;
  }
  while (!words.empty() && (words.back() == '\n' || words.back() == '\r')) words.pop_back();
  return words;
}

}  // namespace cli
