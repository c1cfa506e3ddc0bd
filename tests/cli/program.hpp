#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace test {

/// How a call of the program ended.
struct outcome {
  int exit_code = 0;
  std::string out{};
  std::string err{};
};

/// A temporary directory in which the program is called, without anything in its environment that says where a database
/// is. A private server in it is stopped at the end.
class desk {
 public:
  desk();
  ~desk();
  desk(const desk&) = delete;
  desk& operator=(const desk&) = delete;

  const std::filesystem::path& root() const { return root_; }

  /// Writes a file below the directory.
  void write(const std::filesystem::path& name, const std::string& text) const;

  std::string read(const std::filesystem::path& name) const;

  /// Writes a declaration of the project `shop` with queues of these names, generates from it, and releases it.
  void generate(const std::vector<std::string>& queues) const;

  /// What was generated is no draft any more.
  void release() const;

  /// Calls `quern` with these arguments and this on standard input.
  outcome quern(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment = {},
                const std::string& input = {}) const;

  /// Calls another program, which is looked for in PATH.
  outcome run(std::vector<std::string> words, const std::map<std::string, std::string>& environment = {},
              const std::string& input = {}) const;

 private:
  std::filesystem::path root_;
};

}  // namespace test
