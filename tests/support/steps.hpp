#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "migrate/parse.hpp"

namespace test {

/// The SQL of each of a migration's steps, without what would take them back, out of `email/0001_create.sql` and its
/// text. For rooms that link quern_migrate. Throws std::runtime_error when the text is no migration.
inline std::vector<std::string> steps_of(const std::string& path, const std::string& text) {
  const auto slash = path.find('/');
  migrate::migration read{.line = path.substr(0, slash),
                          .number = std::stoi(path.substr(slash + 1)),
                          .name = path.substr(slash + 6, path.size() - slash - 10)};
  std::vector<migrate::problem> problems;
  migrate::parse_migration(text, read, problems);
  if (!problems.empty()) throw std::runtime_error{migrate::spell(problems.front())};
  std::vector<std::string> steps;
  for (const auto& step : read.steps) steps.push_back(step.sql);
  return steps;
}

/// All of them as one text.
inline std::string sql_of(const std::string& path, const std::string& text) {
  std::string sql;
  for (const auto& step : steps_of(path, text)) sql += step + "\n";
  return sql;
}

}  // namespace test
