#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "check/base.hpp"
#include "check/finding.hpp"

namespace test {

/// A temporary directory with a project `shop` of the queues email and sms, generated, as its own current directory.
class made_project {
 public:
  made_project();
  explicit made_project(const std::string& declaration);
  ~made_project();
  made_project(const made_project&) = delete;
  made_project& operator=(const made_project&) = delete;

  const std::filesystem::path& root() const { return root_; }

  /// Writes the declaration and generates from it what is new.
  void generate(const std::string& declaration) const;

  void write(const std::filesystem::path& file, const std::string& text) const;

  std::string read(const std::filesystem::path& file) const;

  /// Applies the files below a directory: NAME replaces a file, NAME.append is added to it, NAME.remove takes it away,
  /// NAME.rename holds its new name, and each line `old => new` of NAME.replace is done to its text. `\n`, `\0` and
  /// `\xNN` in those are the characters.
  void change(const std::filesystem::path& changes) const;

  /// All checks without a server, made on 2026-06-01.
  check::report check(const std::optional<check::base>& against = std::nullopt) const;

 private:
  std::filesystem::path root_;
};

}  // namespace test
