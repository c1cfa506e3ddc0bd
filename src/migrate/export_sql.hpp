#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/migration.hpp"

namespace migrate {

/// Parts of the SQL that does a step outside of the runner. Each ends with a line feed.

/// The SQL of a file, closed with a semicolon if it holds a statement.
std::string closed_sql(const std::string& sql);

/// Each statement by itself, closed.
std::vector<std::string> single_statements(const std::string& sql);

/// The one query of a probe as an expression.
std::string probe_expression(const std::string& sql);

/// `set local lock_timeout = …` and so on; `scope` is `set local` or `set`.
std::string settings_sql(const step& one, std::string_view scope);

inline constexpr std::string_view settings_reset =
    "reset lock_timeout;\nreset statement_timeout;\nreset search_path;\n";

/// Takes the row of a step out of the ledger, if it is there.
std::string ledger_removal(std::string_view schema, const migration& one, std::size_t step);

/// A query that fails (division by zero) unless the ledger has the step.
std::string ledger_proof(std::string_view schema, const migration& one, std::size_t step);

/// A statement that fails with these words.
std::string refusal_sql(std::string_view words);

/// A comment for what is exported of a draft.
std::string draft_comment(std::string_view title);

/// The script for psql that brings a database to the end of the migration.
std::string psql_script(const std::string& schema, const migration& one, bool is_draft);

/// What such scripts begin and end with.
std::string psql_opening(const std::string& schema);
std::string psql_closing(const std::string& schema);

}  // namespace migrate
