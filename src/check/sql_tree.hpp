#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace check {

/// One statement of a text, parsed.
struct sql_statement {
  std::size_t begin = 0;  // in bytes of the text, behind white space and comments
  std::size_t end = 0;
  std::string kind{};     // the name of its node: IndexStmt
  nlohmann::json node{};  // as PostgreSQL's parser gives it; its locations count from `origin`
  std::size_t origin = 0;
};

struct sql_error {
  std::size_t at = 0;  // in bytes of the text
  std::string words{};
};

struct sql_tree {
  std::vector<sql_statement> statements{};
  std::vector<sql_error> errors{};
  std::vector<std::size_t> too_large{};  // where statements begin that were not parsed
};

/// A statement that is larger is data, not a change of a schema.
inline constexpr std::size_t largest_statement = std::size_t{256} * 1024;

/// Parses SQL of at most a few MB without NUL, on a deep stack: the parser prints a tree by recursion, once for every
/// `+` of a long sum. Statements around a wrong one are parsed nevertheless.
sql_tree parse_sql(const std::string& sql);

}  // namespace check
