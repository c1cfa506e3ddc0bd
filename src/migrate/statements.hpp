#pragma once

#include <cstddef>
#include <string>
#include <string_view>
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

/// The byte at which character `count` (from 0) of a UTF-8 text begins; its size when there are fewer.
std::size_t byte_of_character(std::string_view text, std::size_t count);

/// What in the steps and their sections cannot be sent to the server: statements that would end the step's transaction,
/// or begin one where there should be none, quotes and comments that do not end, which would swallow the row for the
/// ledger, and a probe that is more than one query.
std::vector<problem> check_statements(const migration& one);

}  // namespace migrate
