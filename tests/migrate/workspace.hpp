#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/directory.hpp"
#include "migrate/error.hpp"
#include "migrate/runner.hpp"

namespace test {

/// A step as a migration file spells it.
struct step_text {
  std::string name;
  std::string sql;
  std::string lock_timeout = "5s";
  std::string statement_timeout = "0";
  std::string transaction = "yes";
  std::string sections = "";  // `-- probe\n…`, `-- cleanup\n…`, `-- reverse\n…`
};

/// The text of a migration file.
std::string migration_text(std::string_view title, const std::vector<step_text>& steps, std::string_view roles = "");

/// A directory of migrations, removed at the end.
class workspace {
 public:
  workspace();
  ~workspace();
  workspace(const workspace&) = delete;
  workspace& operator=(const workspace&) = delete;

  const std::filesystem::path& root() const { return root_; }

  /// Writes a file below the directory: `email/0001_create.sql`.
  void write(const std::filesystem::path& name, std::string_view text) const;

  /// Writes the migration `email/0001_create`.
  void add(const std::string& title, const std::vector<step_text>& steps, std::string_view roles = "") const;

  void remove(const std::filesystem::path& name) const { std::filesystem::remove(root_ / name); }

  /// What the runner is given; fails the test when a file is malformed.
  migrate::directory read() const;

 private:
  std::filesystem::path root_;
};

/// What apply() threw; fails the test when it did not.
migrate::error refusal(const migrate::directory& files, const migrate::request& how);

}  // namespace test
