#include "migrate/catalog.hpp"

#include <cstdint>
#include <optional>
#include <quern/transaction.hpp>
#include <utility>

#include "migrate/catalog_queries.hpp"

namespace migrate {
namespace {

// What the server spells depends on settings of the session.
constexpr std::string_view plain_spelling = R"(set transaction read only;
set local search_path = '';
set local quote_all_identifiers = off;
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local timezone = 'UTC';
set local extra_float_digits = 1;
set local bytea_output = 'hex';
set local xmlbinary = 'base64';
set local standard_conforming_strings = on;
)";

void read_rows(const quern::result& rows, const std::string& schema, catalog& into) {
  for (const quern::row row : rows) {
    catalog_object read{.kind = row.get<std::string>(0), .name = row.get<std::string>(1)};
    catalog_object& one = into.objects[identity(read)];
    if (one.kind.empty()) {
      one = std::move(read);
      one.parent = row.get<std::optional<std::string>>(2).value_or(one.kind == "schema" ? "" : schema);
      one.owner = row.get<std::string>(3);
      one.position = row.get<std::int32_t>(4);
    }
    one.properties[row.get<std::string>(5)] = row.get<std::string>(6);
  }
}

}  // namespace

std::string identity(const catalog_object& one) {
  return one.kind + ' ' + one.name;
}

catalog read_catalog(quern::connection& db, std::string_view schema) {
  const quern::transaction snapshot{db, quern::isolation::repeatable_read};
  db.run_script(plain_spelling);
  const quern::result found = db.execute(
      "select n.oid::bigint, 'schema ' || quote_ident(n.nspname), quote_ident(current_user) from pg_namespace as n "
      "where n.nspname = $1",
      schema);
  catalog made;
  if (found.empty()) return made;
  const auto oid = found[0].get<std::int64_t>(0);
  const auto name = found[0].get<std::string>(1);
  made.reader = found[0].get<std::string>(2);
  for (const auto queries : {relation_queries, table_part_queries, other_queries})
    for (const std::string& query : queries()) read_rows(db.execute(query, oid), name, made);
  return made;
}

}  // namespace migrate
