#pragma once

#include <string>
#include <vector>

namespace check {

/// How a program ended.
struct program_outcome {
  int exit_code = 0;  // 128 + signal when a signal ended it
  std::string out{};
  std::string err{};
};

/// Runs a program that is found on the PATH, with these arguments and this standard input; no shell takes part. Its
/// messages are in English. Throws std::system_error when it cannot be started, for example because there is none.
program_outcome run_program(const std::vector<std::string>& words, const std::string& input = {});

}  // namespace check
