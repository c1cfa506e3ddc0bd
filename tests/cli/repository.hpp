#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/program.hpp"

namespace test {

/// A git repository of its own in a desk: nothing of the user's settings is seen by git.
class repository {
 public:
  /// An empty one with the branch main.
  repository();

  /// A clone.
  explicit repository(const repository& origin);

  const test::desk& desk() const { return desk_; }

  outcome git(const std::vector<std::string>& arguments) const;

  /// What git says, without its last line end; fails the test when git fails.
  std::string must_git(const std::vector<std::string>& arguments) const;

  outcome quern(const std::vector<std::string>& arguments) const { return desk_.quern(arguments, environment()); }

  /// Fails the test with what was said unless it ends with 0; what was said.
  outcome must_quern(const std::vector<std::string>& arguments) const;

  /// What git needs beside the desk's own environment.
  static std::map<std::string, std::string> environment();

  void commit(const std::string& subject) const;

  /// Replaces the only place where `before` stands in a file.
  void edit(const std::string& file, const std::string& before, const std::string& after) const;

 private:
  test::desk desk_;
};

}  // namespace test
