#include "migrate/roles.hpp"

#include <fmt/format.h>
#include <pg_query.h>

#include <algorithm>
#include <quern/array.hpp>
#include <quern/error.hpp>

namespace migrate {
namespace {

constexpr std::string_view duplicate_object = "42710";
constexpr std::string_view unique_violation = "23505";

// Plain where PostgreSQL reads the plain name as a role's: `user` and `none`, for instance, have to be quoted.
std::string spelled(const std::string& role) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  if (!std::ranges::all_of(role, is_plain)) return quern::quoted_identifier(role);
  const PgQueryParseResult parsed = pg_query_parse(fmt::format("create role {} nologin", role).c_str());
  const bool is_role = parsed.error == nullptr;
  pg_query_free_parse_result(parsed);
  return is_role ? role : quern::quoted_identifier(role);
}

}  // namespace

std::vector<std::string> missing_roles(quern::connection& db, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return {};
  const quern::result found = db.execute(
      "select distinct w.role from unnest($1::text[]) as w(role) "
      "where not exists (select from pg_roles r where r.rolname = w.role) order by w.role",
      wanted);
  std::vector<std::string> missing;
  for (const quern::row row : found) missing.push_back(row.get<std::string>(0));
  return missing;
}

std::string create_role_statement(const std::string& role) {
  return fmt::format("create role {} nologin;", spelled(role));
}

void create_role(quern::connection& db, const std::string& role) {
  try {
    db.execute(fmt::format("create role {} nologin", quern::quoted_identifier(role)));
  } catch (const quern::database_error& refused) {
    if (refused.sqlstate() != duplicate_object && refused.sqlstate() != unique_violation) throw;
  }
}

}  // namespace migrate
