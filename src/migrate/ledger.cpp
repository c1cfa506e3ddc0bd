#include "migrate/ledger.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

namespace migrate {
namespace {

std::string table(std::string_view schema) {
  return quern::quoted_identifier(schema) + ".quern_migration";
}

// The columns of the first version, then those that came later: a new ledger and an upgraded one are the same.
constexpr std::string_view bootstrap = R"(create schema if not exists {schema};
create table if not exists {table} (
  line        text        not null,
  number      integer     not null,
  step        integer     not null,
  step_count  integer     not null,
  name        text        not null,
  checksum    text        not null,
  applied_at  timestamptz not null default clock_timestamp(),
  applied_by  text        not null default session_user,
  duration    interval    not null default clock_timestamp() - transaction_timestamp(),
  constraint quern_migration_pkey primary key (line, number, step),
  constraint quern_migration_step_is_counted check (step between 1 and step_count)
);
alter table {table}
  add column if not exists step_name         text     not null default '',
  add column if not exists is_hook           boolean  not null default false,
  add column if not exists is_draft          boolean  not null default false,
  add column if not exists is_finished       boolean  not null default true,
  add column if not exists is_transactional  boolean  not null default true,
  add column if not exists lock_timeout      interval not null default '0',
  add column if not exists statement_timeout interval not null default '0',
  add column if not exists reverse           text;
comment on table {table} is 'The steps of migrations that were applied. Written by quern migrate and quern rollback.';
comment on column {table}.is_finished is 'False: the step or its reverse was begun outside of a transaction and may be half done.';
comment on column {table}.reverse is 'SQL that undoes the step; null: it cannot be undone.';
)";

constexpr std::string_view columns_of_first_version = R"(select line, number, step, step_count, name, checksum,
  to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  applied_by, (extract(epoch from duration) * 1000000)::bigint)";

constexpr std::string_view later_columns = R"(,
  step_name, is_hook, is_draft, is_finished, is_transactional, reverse is not null,
  (extract(epoch from lock_timeout) * 1000)::bigint, (extract(epoch from statement_timeout) * 1000)::bigint)";

std::int64_t column_count(quern::connection& db, std::string_view schema) {
  constexpr std::string_view query =
      "select count(*) from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped";
  return db.execute(query, table(schema)).value<std::int64_t>();
}

constexpr std::int64_t columns_now = 17;

applied_step as_step(const quern::row& row, bool is_present_version) {
  applied_step made{row.get<std::string>(0),  row.get<std::int32_t>(1), row.get<std::int32_t>(2),
                    row.get<std::int32_t>(3), row.get<std::string>(4),  row.get<std::string>(5),
                    row.get<std::string>(6),  row.get<std::string>(7),  row.get<std::int64_t>(8)};
  if (!is_present_version) return made;
  made.step_name = row.get<std::string>(9);
  made.is_hook = row.get<bool>(10);
  made.is_draft = row.get<bool>(11);
  made.is_finished = row.get<bool>(12);
  made.is_transactional = row.get<bool>(13);
  made.is_reversible = row.get<bool>(14);
  made.lock_timeout = std::chrono::milliseconds{row.get<std::int64_t>(15)};
  made.statement_timeout = std::chrono::milliseconds{row.get<std::int64_t>(16)};
  return made;
}

std::string place(const migration& one, std::size_t step) {
  return fmt::format("line = {} and number = {} and step = {}", quoted_literal(one.line), one.number, step + 1);
}

std::string place(const applied_step& row) {
  return fmt::format("line = {} and number = {} and step = {}", quoted_literal(row.line), row.number, row.step);
}

}  // namespace

std::string quoted_literal(std::string_view text) {
  const bool has_backslash = text.find('\\') != std::string_view::npos;
  std::string quoted = has_backslash ? " E'" : "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + '\'';
}

std::string ledger_bootstrap(std::string_view schema) {
  return fmt::format(fmt::runtime(bootstrap), fmt::arg("schema", quern::quoted_identifier(schema)),
                     fmt::arg("table", table(schema)));
}

bool needs_bootstrap(quern::connection& db, std::string_view schema) {
  return column_count(db, schema) < columns_now;
}

std::vector<applied_step> read_ledger(quern::connection& db, std::string_view schema) {
  const std::int64_t count = column_count(db, schema);
  if (count == 0) return {};
  const bool is_present_version = count >= columns_now;
  const quern::result found =
      db.execute(fmt::format("{}{}\nfrom {}\norder by line, number, step", columns_of_first_version,
                             is_present_version ? later_columns : "", table(schema)));
  std::vector<applied_step> rows;
  rows.reserve(found.size());
  for (const quern::row row : found) rows.push_back(as_step(row, is_present_version));
  return rows;
}

std::map<int, std::string> read_reverses(quern::connection& db, std::string_view schema, const applied_step& any) {
  const std::string query = fmt::format(
      "select step, reverse from {} where line = $1 and number = $2 and reverse is not null", table(schema));
  std::map<int, std::string> reverses;
  for (const quern::row row : db.execute(query, any.line, static_cast<std::int32_t>(any.number)))
    reverses.emplace(row.get<std::int32_t>(0), row.get<std::string>(1));
  return reverses;
}

std::string ledger_insert(std::string_view schema, const migration& one, std::size_t step, row_state state) {
  const migrate::step& part = one.steps[step];
  return fmt::format(
      "insert into {} (line, number, step, step_count, name, checksum,\n"
      "  step_name, is_hook, is_draft, is_finished, is_transactional, lock_timeout, statement_timeout, reverse)\n"
      "values ({}, {}, {}, {}, {}, {},\n  {}, {}, {}, {}, {}, '{} ms', '{} ms', {});\n",
      table(schema), quoted_literal(one.line), one.number, step + 1, one.steps.size(), quoted_literal(one.name),
      quoted_literal(checksum_of(one, part)), quoted_literal(part.name), part.from_hook.has_value(), state.is_draft,
      state.is_finished, part.is_transactional, part.lock_timeout.count(), part.statement_timeout.count(),
      part.reverse ? quoted_literal(part.reverse->sql) : "null");
}

std::string ledger_forget_begun(std::string_view schema, const migration& one, std::size_t step) {
  return fmt::format("delete from {} where {} and not is_finished;\n", table(schema), place(one, step));
}

std::string ledger_finish(std::string_view schema, const migration& one, std::size_t step) {
  return fmt::format(
      "update {} set is_finished = true, applied_at = clock_timestamp(), duration = clock_timestamp() - applied_at\n"
      "where {};\n",
      table(schema), place(one, step));
}

std::string ledger_mark_begun(std::string_view schema, const applied_step& row) {
  return fmt::format("update {} set is_finished = false where {};\n", table(schema), place(row));
}

std::string ledger_delete(std::string_view schema, const applied_step& row) {
  return fmt::format("delete from {} where {};\n", table(schema), place(row));
}

std::string ledger_mark_released(std::string_view schema, const migration& one) {
  return fmt::format("update {} set is_draft = false where line = {} and number = {};\n", table(schema),
                     quoted_literal(one.line), one.number);
}

}  // namespace migrate
