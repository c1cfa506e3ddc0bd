#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "migrate/migration.hpp"
#include "migrate/parse.hpp"

namespace migrate {

/// A text of several statements, taken apart.
struct statement_list {
  std::vector<std::size_t> starts{};  // of each, in bytes, behind the white space and comments before it
  std::string error{};                // why it cannot be taken apart, e.g. a quote that never ends; then no starts
  std::size_t error_at = 0;           // in bytes
};

statement_list split_statements(const std::string& sql);

/// What in the steps cannot be sent to the server in the step's transaction: statements that would end it, and quotes
/// and comments that do not end, which would swallow the row for the ledger.
std::vector<problem> check_statements(const migration& one);

}  // namespace migrate
