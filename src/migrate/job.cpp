#include "migrate/job.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "migrate/ledger.hpp"

namespace migrate {
namespace {

// The SQL may end without a semicolon, or with a comment.
std::string closed(const sourced_sql& text) {
  return text.sql + ";\n";
}

std::string spelled_outside(const job& one) {
  std::string sql;
  for (const std::string& statement : session_opening(one)) sql += statement;
  sql += one.mark_begun;
  if (one.cleanup) sql += closed(*one.cleanup);
  sql += closed(one.text) + one.mark_done;
  return sql + std::string{session_closing};
}

std::optional<sourced_sql> as_source(const std::filesystem::path& file, const std::optional<section>& from) {
  if (!from) return std::nullopt;
  return sourced_sql{file.string(), from->sql, from->first_line};
}

void tell_transaction(job& made) {
  made.when_failed = "failed: nothing of this step remains, what was applied before it stays";
  made.when_given_up = "nothing of this step remains";
}

void tell_outside(job& made) {
  constexpr std::string_view left =
      "what this step has done outside of a transaction remains, and the next run goes on there";
  made.when_failed = fmt::format("failed: {}", left);
  made.when_given_up = left;
}

}  // namespace

job apply_job(std::string_view schema, const migration& one, std::size_t step, bool is_draft) {
  const migrate::step& from = one.steps[step];
  const std::filesystem::path& file = file_of(one, from);
  job made{.what = fmt::format("{}, step {}", title(one), from.name),
           .text = {file.string(), from.sql, from.first_line},
           .lock_timeout = from.lock_timeout,
           .statement_timeout = from.statement_timeout,
           .is_transactional = from.is_transactional,
           .probe = as_source(file, from.probe),
           .cleanup = as_source(file, from.cleanup)};
  const std::string forget = ledger_forget_begun(schema, one, step);
  if (from.is_transactional) {
    // A hook may have been mended since it was begun outside of a transaction.
    made.mark_done = (from.from_hook ? forget : "") + ledger_insert(schema, one, step, {.is_draft = is_draft});
    tell_transaction(made);
    return made;
  }
  made.mark_begun = forget + ledger_insert(schema, one, step, {.is_draft = is_draft, .is_finished = false});
  made.mark_done = ledger_finish(schema, one, step);
  made.mark_untouched = forget;
  tell_outside(made);
  return made;
}

job undo_job(std::string_view schema, const applied_step& row, const std::string& reverse) {
  job made{.what = fmt::format("taking back {}", title(row)),
           .text = {fmt::format("the reverse of {}", title(row)), reverse, 1},
           .lock_timeout = row.lock_timeout,
           .statement_timeout = row.statement_timeout,
           .is_transactional = row.is_transactional,
           .mark_done = ledger_delete(schema, row)};
  made.when_failed = "failed: the step is as it was, what was taken back before it stays so";
  made.when_given_up = "the step is as it was";
  if (row.is_transactional) return made;
  made.mark_begun = ledger_mark_begun(schema, row);
  made.when_failed = "failed outside of a transaction: the step may be half undone, and the next run goes on there";
  made.when_given_up = "the step may be half undone, and the next run goes on there";
  return made;
}

std::array<std::string, 4> transaction_opening(const job& one) {
  return {"begin isolation level read committed;\n",
          fmt::format("set local lock_timeout = {};\n", one.lock_timeout.count()),
          fmt::format("set local statement_timeout = {};\n", one.statement_timeout.count()),
          "set local search_path = '';\n"};
}

std::string open_transaction(const job& one) {
  std::string script;
  for (const std::string& statement : transaction_opening(one)) script += statement;
  return script + closed(one.text) + one.mark_done;
}

std::array<std::string, 4> session_opening(const job& one) {
  return {fmt::format("set lock_timeout = {};\n", one.lock_timeout.count()),
          fmt::format("set statement_timeout = {};\n", one.statement_timeout.count()), "set search_path = '';\n",
          "set default_transaction_isolation = 'read committed';\n"};
}

std::string spelled(const job& one) {
  return one.is_transactional ? open_transaction(one) + "commit;\n" : spelled_outside(one);
}

}  // namespace migrate
