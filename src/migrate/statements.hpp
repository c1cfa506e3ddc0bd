#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "migrate/migration.hpp"
#include "migrate/parse.hpp"

namespace migrate {

/// Where each statement of an SQL text begins, in bytes, behind the white space and comments before it.
std::vector<std::size_t> statement_starts(const std::string& sql);

/// The statements in the steps that would end or begin a transaction: the step's own has to be the only one.
std::vector<problem> check_statements(const migration& one);

}  // namespace migrate
