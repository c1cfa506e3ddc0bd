#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

// NOLINTNEXTLINE(readability-identifier-naming): CLI11's own name.
namespace CLI {
class App;
class Option;
}  // namespace CLI

/// The door to CLI11, which only command_line.cpp includes: its headers and what every user of them compiles again
/// would take longer than all else in this room.
namespace cli {

/// An argument or an option of a command; a handle, which the program outlives.
class command_option {
 public:
  explicit command_option(CLI::Option* one) : one_{one} {}

  const command_option& required() const;

  /// --help shows what the variable holds now.
  const command_option& shows_default() const;

  /// The two cannot be given together.
  const command_option& excludes(const command_option& other) const;

  /// Whole numbers from the first up to and including the last.
  const command_option& between(std::int64_t first, std::int64_t last) const;

  const command_option& one_of(const std::vector<std::string>& words) const;

  /// `--name ''` is wrong.
  const command_option& not_empty() const;

  /// What is wrong with a text, or nothing.
  const command_option& check(std::function<std::string(const std::string&)> problem_with) const;

 private:
  CLI::Option* one_;
};

/// A command, or the program itself; a handle as well. What is written into must outlive the parsing.
class command_line {
 public:
  explicit command_line(CLI::App* one) : one_{one} {}

  command_line add_command(const std::string& name, const std::string& help) const;

  /// An option `--name`, or an argument `name`. Value is a text, a path or a number, an optional of these, or a vector
  /// of texts: command_line.cpp lists them.
  template <class Value>
  command_option add_option(const std::string& name, Value& into, const std::string& help) const;

  /// An option whose value is one of some words, and no other text, which --help calls `type`.
  template <class Value>
  command_option add_choice(const std::string& name, Value& into, const std::map<std::string, Value>& words,
                            const std::string& type, const std::string& help) const {
    std::map<std::string, int> numbers;
    for (const auto& [word, value] : words) numbers.emplace(word, static_cast<int>(value));
    return add_choice(
        name, [&into](int chosen) { into = static_cast<Value>(chosen); }, numbers, type, help);
  }

  command_option add_flag(const std::string& name, bool& into, const std::string& help) const;

  /// `--name` writes `true`, `--name=VALUE` the value.
  command_option add_flag(const std::string& name, std::string& into, const std::string& help) const;

  /// One of its commands has to be named; options of its own may stand behind them as well.
  void needs_command() const;

  /// From the first word on that it does not know, or from `--` on, all is left to rest().
  void takes_rest() const;
  std::vector<std::string> rest() const;

  /// What the command does.
  void calls(std::function<void()> what) const;

 private:
  command_option add_choice(const std::string& name, const std::function<void(int)>& choose,
                            const std::map<std::string, int>& words, const std::string& type,
                            const std::string& help) const;

  CLI::App* one_;
};

/// All of the commands.
class program {
 public:
  /// `end` stands at the end of --help, of the program's and of that of each command; --version says name and version.
  program(const std::string& name, const std::string& version, const std::string& help, const std::string& end);
  ~program();

  program(const program&) = delete;
  program& operator=(const program&) = delete;

  command_line line() const { return command_line{all_.get()}; }

  /// Reads the arguments and calls what they name, or says what is wrong with them, which gives false. Throws failure
  /// where no command has the name that is given.
  bool run(int count, char** arguments) const;

 private:
  std::unique_ptr<CLI::App> all_;
};

}  // namespace cli
