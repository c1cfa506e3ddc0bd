#pragma once

#include <cstddef>
#include <quern/connection.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/history.hpp"

namespace migrate {

/// The table <schema>.quern_migration: what was applied to a database.

/// SQL that makes the schema and the ledger where they are missing.
std::string ledger_bootstrap(std::string_view schema);

/// Everything in the ledger; empty when there is none. Throws quern::error.
std::vector<applied_step> read_ledger(quern::connection& db, std::string_view schema);

/// SQL that records a step in the transaction that applied it.
std::string ledger_insert(std::string_view schema, const migration& one, std::size_t step);

/// `text` as an SQL literal, whatever it holds.
std::string quoted_literal(std::string_view text);

}  // namespace migrate
