#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "migrate/history.hpp"
#include "migrate/migration.hpp"

namespace migrate {

/// SQL and where it stands, for messages.
struct sourced_sql {
  std::string where{};  // a file, or what it is
  std::string sql{};
  int first_line = 1;
};

/// Something that is done to a database together with its trace in the ledger: a step, or a step's reverse.
struct job {
  std::string what{};  // `email/0002_add_note, step columns`
  sourced_sql text{};
  std::chrono::milliseconds lock_timeout{};       // 0: none
  std::chrono::milliseconds statement_timeout{};  // 0: none
  bool is_transactional = true;
  std::optional<sourced_sql> probe{};    // not transactional: true when the job is done
  std::optional<sourced_sql> cleanup{};  // not transactional: removes what a killed try left behind
  std::string mark_begun{};              // SQL for the ledger, not transactional: before the first statement
  std::string mark_done{};               // SQL for the ledger: in the same transaction, or after the last statement
  std::string mark_untouched{};          // SQL for the ledger, not transactional: after a failure that was cleaned up
  std::string when_failed{};             // `failed: nothing of this step remains`
  std::string when_given_up{};           // `nothing of this step remains`
};

/// The job of applying a step.
job apply_job(std::string_view schema, const migration& one, std::size_t step, bool is_draft);

/// The job of undoing an applied step with the SQL that the ledger keeps for that.
job undo_job(std::string_view schema, const applied_step& row, const std::string& reverse);

/// What opens the job's transaction. Each is one statement, and all of it is ASCII: the server counts statements and
/// characters, and so finds its way back to the job's own text.
std::array<std::string, 4> transaction_opening(const job& one);

/// The job with its trace in the ledger, in a transaction that lacks its `commit`.
std::string open_transaction(const job& one);

/// What sets up a session for a job outside of a transaction, and what takes that back.
std::array<std::string, 4> session_opening(const job& one);
inline constexpr std::string_view session_closing =
    "reset lock_timeout;\nreset statement_timeout;\nreset search_path;\nreset default_transaction_isolation;\n";

/// All of the job, ready for psql.
std::string spelled(const job& one);

}  // namespace migrate
