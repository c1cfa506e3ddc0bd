#include "migrate/export_sql.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pg_query.h>

#include <set>

#include "migrate/ledger.hpp"
#include "migrate/runner_lock.hpp"
#include "migrate/statements.hpp"

namespace migrate {
namespace {

std::string ledger(std::string_view schema) {
  return quern::quoted_identifier(schema) + ".quern_migration";
}

std::string place(const migration& one) {
  return fmt::format("line = {} and number = {}", quoted_literal(one.line), one.number);
}

std::string_view without_white_space(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \t\n");
  return end == std::string_view::npos ? std::string_view{} : text.substr(0, end + 1);
}

// Whether somebody else has applied the migration from another text.
std::string history_check(const std::string& schema, const migration& one) {
  std::set<std::string> checksums;
  for (const step& part : one.steps) checksums.insert(quoted_literal(checksum_of(one, part)));
  return fmt::format(
      "select exists (\n  select from {} where {}\n    and (name <> {} or checksum not in ({}))\n"
      ") as quern_is_other \\gset\n\\if :quern_is_other\n{}\\endif\n",
      ledger(schema), place(one), quoted_literal(one.name), fmt::join(checksums, ", "),
      refusal_sql(fmt::format("{} was edited after it was applied", title(one))));
}

std::string role_check(const migration& one) {
  std::string sql;
  for (const std::string& role : one.roles)
    sql += fmt::format(
        "select not exists (select from pg_catalog.pg_roles where rolname = {}) as quern_is_missing \\gset\n"
        "\\if :quern_is_missing\n{}\\endif\n",
        quoted_literal(role),
        refusal_sql(fmt::format("{} grants to the role {}, which the server does not have", title(one), role)));
  return sql;
}

std::string row(const std::string& schema, const migration& one, std::size_t step, bool is_draft) {
  return ledger_removal(schema, one, step) + ledger_insert(schema, one, step, {.is_draft = is_draft});
}

std::string in_transaction(const std::string& schema, const migration& one, std::size_t step, bool is_draft) {
  const migrate::step& part = one.steps[step];
  return "begin isolation level read committed;\n" + settings_sql(part, "set local") + closed_sql(part.sql) +
         row(schema, one, step, is_draft) + "commit;\n";
}

// A probe that says that the step is done leaves only the ledger to be written.
std::string outside(const std::string& schema, const migration& one, std::size_t step, bool is_draft) {
  const migrate::step& part = one.steps[step];
  std::string sql = settings_sql(part, "set");
  sql += part.probe && !split_statements(part.probe->sql).starts.empty()
             ? fmt::format("select {} as quern_is_done \\gset\n", probe_expression(part.probe->sql))
             : "\\set quern_is_done off\n";
  sql += "\\if :quern_is_done\n\\else\n";
  if (part.cleanup) sql += closed_sql(part.cleanup->sql);
  sql += closed_sql(part.sql) + "\\endif\n";
  return sql + "begin;\n" + row(schema, one, step, is_draft) + "commit;\n" + std::string{settings_reset};
}

}  // namespace

std::string closed_sql(const std::string& sql) {
  const std::string_view text = without_white_space(sql);
  if (split_statements(sql).starts.empty() || text.ends_with(';')) return std::string{text} + '\n';
  return std::string{text} + "\n;\n";
}

std::vector<std::string> single_statements(const std::string& sql) {
  const std::vector<std::size_t> starts = split_statements(sql).starts;
  std::vector<std::string> made;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t end = i + 1 < starts.size() ? starts[i + 1] : sql.size();
    made.push_back(closed_sql(sql.substr(starts[i], end - starts[i])));
  }
  return made;
}

std::string probe_expression(const std::string& sql) {
  PgQuerySplitResult parts = pg_query_split_with_scanner(sql.c_str());
  std::string query = sql;
  if (parts.error == nullptr && parts.n_stmts > 0)
    query = sql.substr(static_cast<std::size_t>(parts.stmts[0]->stmt_location),
                       static_cast<std::size_t>(parts.stmts[0]->stmt_len));
  pg_query_free_split_result(parts);
  return fmt::format("coalesce((\n{}\n), false)", without_white_space(query));
}

std::string settings_sql(const step& one, std::string_view scope) {
  return fmt::format("{0} lock_timeout = {1};\n{0} statement_timeout = {2};\n{0} search_path = '';\n", scope,
                     one.lock_timeout.count(), one.statement_timeout.count());
}

std::string ledger_removal(std::string_view schema, const migration& one, std::size_t step) {
  return fmt::format("delete from {} where {} and step = {};\n", ledger(schema), place(one), step + 1);
}

std::string ledger_proof(std::string_view schema, const migration& one, std::size_t step) {
  return fmt::format("select 1 / count(*) from {} where {} and step = {};\n", ledger(schema), place(one), step + 1);
}

std::string refusal_sql(std::string_view words) {
  return fmt::format("do $quern$ begin raise exception using message = {}; end $quern$;\n", quoted_literal(words));
}

std::string draft_comment(std::string_view title) {
  return fmt::format("-- draft: {} is not released, and may become another text\n", title);
}

std::string psql_script(const std::string& schema, const migration& one, bool is_draft) {
  std::string sql = history_check(schema, one) + role_check(one);
  for (std::size_t step = 0; step < one.steps.size(); ++step)
    sql += fmt::format(
        "\n-- {}, step {}; locks: {}\n"
        "select not exists (\n  select from {} where {} and step = {} and is_finished\n"
        ") as quern_is_pending \\gset\n\\if :quern_is_pending\n{}\\echo applied {}, step {}\n\\endif\n",
        title(one), one.steps[step].name, one.steps[step].lock, ledger(schema), place(one), step + 1,
        one.steps[step].is_transactional ? in_transaction(schema, one, step, is_draft)
                                         : outside(schema, one, step, is_draft),
        title(one), one.steps[step].name);
  return sql;
}

std::string psql_opening(const std::string& schema) {
  const runner_keys keys = keys_of(schema);
  return fmt::format(
      "-- Brings a database to the end of these migrations: psql -X -f FILE. What is applied already is passed over, "
      "and a\n"
      "-- run that was stopped goes on where it was.\n"
      "\\set ON_ERROR_STOP on\n"
      "set client_encoding = 'UTF8';\n"
      "set standard_conforming_strings = on;\n"
      "set client_min_messages = warning;\n"
      "select pg_try_advisory_lock({}) and pg_try_advisory_lock({}) as quern_is_alone \\gset\n"
      "\\if :quern_is_alone\n\\else\n{}\\endif\n\n{}",
      keys.guard, keys.work, refusal_sql("another runner is at work"), ledger_bootstrap(schema));
}

std::string psql_closing(const std::string& schema) {
  const runner_keys keys = keys_of(schema);
  return fmt::format("\nselect pg_advisory_unlock({}) and pg_advisory_unlock({}) as quern_is_unlocked \\gset\n",
                     keys.work, keys.guard);
}

}  // namespace migrate
