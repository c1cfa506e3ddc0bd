#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cluster/account.hpp"

namespace cluster {

/// A program and its arguments; no shell takes part, so that nothing needs quoting.
struct command {
  std::filesystem::path program;
  std::vector<std::string> arguments;
};

struct outcome {
  int exit_code = 0;   // 128 + signal when a signal ended it
  std::string output;  // standard output and error together
};

/// Runs the command as the account to its end, without the caller's PG* environment and with `/` as its directory.
/// Throws error when it cannot be started.
outcome run(const account& owner, const command& what);

/// Starts the command as the account in a session of its own, its output appended to `log`. The process outlives the
/// caller. Throws error when it cannot be started.
pid_t spawn(const account& owner, const command& what, const std::filesystem::path& log);

}  // namespace cluster
