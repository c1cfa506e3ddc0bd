#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cli/program.hpp"

namespace test {

/// A call of `quern` in a desk's directory that goes on while the test does. It is killed at its end.
class running_call {
 public:
  running_call(const desk& at, std::vector<std::string> arguments,
               const std::map<std::string, std::string>& environment);
  running_call(const running_call&) = delete;
  running_call& operator=(const running_call&) = delete;
  ~running_call();

  void signal(int which) const;

  /// Waits for its end.
  outcome end();

 private:
  std::filesystem::path out_;
  std::filesystem::path err_;
  pid_t process_ = 0;
};

}  // namespace test
