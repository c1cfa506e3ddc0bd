#pragma once

#include <cstddef>
#include <map>
#include <quern/connection.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/history.hpp"

namespace migrate {

/// The table <schema>.quern_migration: what was applied to a database, and how to take it back.

/// SQL that makes the schema and the ledger where they are missing, and gives the ledger of an older version what it
/// lacks.
std::string ledger_bootstrap(std::string_view schema);

/// Whether ledger_bootstrap() would change anything. Throws quern::error.
bool needs_bootstrap(quern::connection& db, std::string_view schema);

/// Everything in the ledger; empty when there is none. Throws quern::error.
std::vector<applied_step> read_ledger(quern::connection& db, std::string_view schema);

/// The SQL that undoes each step of the migration, by the step's number. Throws quern::error.
std::map<int, std::string> read_reverses(quern::connection& db, std::string_view schema, const applied_step& any);

/// How a row comes into the ledger.
struct row_state {
  bool is_draft = false;
  bool is_finished = true;
};

/// SQL that records a step.
std::string ledger_insert(std::string_view schema, const migration& one, std::size_t step, row_state state = {});

/// SQL that forgets that a step was begun, if it was.
std::string ledger_forget_begun(std::string_view schema, const migration& one, std::size_t step);

/// SQL that records that a step that was begun is finished.
std::string ledger_finish(std::string_view schema, const migration& one, std::size_t step);

/// SQL that records that the reverse of a step was begun.
std::string ledger_mark_begun(std::string_view schema, const applied_step& row);

/// SQL that takes a step out of the ledger.
std::string ledger_delete(std::string_view schema, const applied_step& row);

/// SQL that records that a migration, applied as a draft, was released as it is.
std::string ledger_mark_released(std::string_view schema, const migration& one);

/// `text` as an SQL literal, whatever it holds.
std::string quoted_literal(std::string_view text);

}  // namespace migrate
