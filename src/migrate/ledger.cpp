#include "migrate/ledger.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace migrate {
namespace {

std::string table(std::string_view schema) {
  return quern::quoted_identifier(schema) + ".quern_migration";
}

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
comment on table {table} is 'The steps of migrations that were applied. Written by quern migrate; rows are never changed.';
)";

constexpr std::string_view query = R"(select line, number, step, step_count, name, checksum,
  to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  applied_by, (extract(epoch from duration) * 1000000)::bigint
from {table}
order by line, number, step)";

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

std::vector<applied_step> read_ledger(quern::connection& db, std::string_view schema) {
  const auto there = db.execute("select to_regclass($1) is not null", table(schema));
  if (!there.value<bool>()) return {};
  std::vector<applied_step> rows;
  const quern::result found = db.execute(fmt::format(fmt::runtime(query), fmt::arg("table", table(schema))));
  rows.reserve(found.size());
  for (const quern::row row : found)
    rows.push_back({row.get<std::string>(0), row.get<std::int32_t>(1), row.get<std::int32_t>(2),
                    row.get<std::int32_t>(3), row.get<std::string>(4), row.get<std::string>(5), row.get<std::string>(6),
                    row.get<std::string>(7), row.get<std::int64_t>(8)});
  return rows;
}

std::string ledger_insert(std::string_view schema, const migration& one, std::size_t step) {
  return fmt::format(
      "insert into {} (line, number, step, step_count, name, checksum)\nvalues ({}, {}, {}, {}, {}, {});\n",
      table(schema), quoted_literal(one.line), one.number, step + 1, one.steps.size(), quoted_literal(one.name),
      quoted_literal(checksum_of(one, one.steps[step])));
}

}  // namespace migrate
