#include "migrate/workspace.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <fstream>
#include <stdexcept>

namespace test {

namespace fs = std::filesystem;

std::string migration_text(std::string_view title, const std::vector<step_text>& steps, std::string_view roles) {
  std::string text = fmt::format("-- quern migration: {}\n-- For a test.\n", title);
  if (!roles.empty()) text += fmt::format("-- roles: {}\n", roles);
  for (const step_text& step : steps)
    text += fmt::format(
        "\n-- step: {}\n-- lock: whatever it takes\n-- lock_timeout: {}\n-- statement_timeout: {}\n"
        "-- transaction: {}\n{}\n{}",
        step.name, step.lock_timeout, step.statement_timeout, step.transaction, step.sql, step.sections);
  return text;
}

workspace::workspace() {
  std::string name = (fs::temp_directory_path() / "quern-migrations-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error{"cannot make a temporary directory"};
  root_ = name;
}

workspace::~workspace() {
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

void workspace::write(const fs::path& name, std::string_view text) const {
  fs::create_directories((root_ / name).parent_path());
  std::ofstream{root_ / name, std::ios::binary} << text;
}

void workspace::add(const std::string& title, const std::vector<step_text>& steps, std::string_view roles) const {
  write(title + ".sql", migration_text(title, steps, roles));
}

migrate::directory workspace::read() const {
  migrate::read_directory_result read = migrate::read_directory(root_);
  if (!read.problems.empty()) throw std::runtime_error{migrate::spell(read.problems.front())};
  return std::move(read.value);
}

migrate::error refusal(const migrate::directory& files, const migrate::request& how) {
  try {
    migrate::apply(files, how);
  } catch (const migrate::error& refused) {
    return refused;
  }
  throw std::runtime_error{"apply() did not refuse"};
}

}  // namespace test
