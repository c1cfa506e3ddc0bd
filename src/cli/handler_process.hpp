#pragma once

#include <poll.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/handler_keeper.hpp"

namespace cli {

using environment_variables = std::vector<std::pair<std::string, std::string>>;

/// How a handler ended.
struct handler_end {
  bool is_success = false;
  std::string words{};  // `exit status 3`, `killed by signal 9`
};

/// What a handler writes on standard output: is that passed on, or is it kept.
enum class handler_output { passed_on, kept };

/// A command of /bin/sh that runs in a process group of its own, with a text on its standard input. What it writes on
/// standard error is passed on, and its end is kept. Nothing of the group is left when this object ends.
class handler_process {
 public:
  /// Throws std::system_error when it cannot be started. The keeper must outlive it.
  handler_process(const std::string& command, const environment_variables& added, std::string input,
                  handler_output output, const handler_keeper& keeper);
  handler_process(handler_process&& from) noexcept;
  handler_process& operator=(handler_process&& from) noexcept;
  ~handler_process();

  /// What pump() waits for.
  void add_to(std::vector<pollfd>& waited) const;

  /// Writes and reads what can be had without waiting.
  void pump();

  /// How it ended, when it has.
  std::optional<handler_end> try_end();

  void terminate() const noexcept;
  void kill() const noexcept;

  /// The last 2,000 bytes of its standard error, as UTF-8.
  std::string last_words() const;

  /// Its standard output, where that is kept, once it has ended; nothing when it was more than `longest_output`.
  std::optional<std::string> take_output();

  static constexpr std::size_t longest_output = std::size_t{64} << 20;

 private:
  void write_input();
  void read_errors();
  void read_output();
  void end_group() noexcept;

  const handler_keeper* keeper_ = nullptr;
  pid_t process_ = 0;  // and its group; 0: there is none any more
  int input_file_ = -1;
  int error_file_ = -1;
  int output_file_ = -1;
  std::string input_;
  std::size_t written_ = 0;
  std::string errors_;
  std::string output_;
};

}  // namespace cli
