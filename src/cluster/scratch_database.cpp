#include "cluster/scratch_database.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <quern/connection_string.hpp>
#include <quern/error.hpp>
#include <random>
#include <vector>

namespace cluster {
namespace {

constexpr std::string_view prefix = "quern_scratch_";
constexpr std::string_view comment = "Scratch database of quern. It is dropped when the program that made it ends.";

// One class of advisory locks; within it, a database is known by the number in its name. Advisory locks belong to the
// database of their session, but pg_locks shows those of all.
constexpr std::int32_t lock_class = 0x7175'6572;

std::string quoted_text(std::string_view text) {
  return fmt::format("'{}'", text);  // only texts without quotes
}

void drop(quern::connection& db, const std::string& name) {
  db.execute(fmt::format("drop database if exists {} with (force)", name));
}

quern::connection connect(const std::string& server) {
  return quern::connection{server, {.application_name = "quern scratch"}};
}

void remove_left_overs(quern::connection& db) {
  const quern::result found = db.execute(
      "select d.datname::text from pg_database as d "
      "where d.datname ~ ('^' || $1 || '[0-9a-f]{8}$') and shobj_description(d.oid, 'pg_database') = $2 "
      "and pg_has_role(d.datdba, 'member') "
      "and not exists (select from pg_locks as l where l.locktype = 'advisory' and l.objsubid = 2 "
      "and l.classid::bigint = $3 and l.objid::bigint = ('x' || right(d.datname, 8))::bit(32)::bigint)",
      prefix, comment, std::int64_t{lock_class});
  for (const quern::row row : found) try {
      drop(db, row.get<std::string>(0));
    } catch (const quern::database_error&) {
      // Somebody else is removing it, or a kind of use that cannot be ended: the next one tries again.
    }
}

void lock(quern::connection& db, std::uint32_t number) {
  db.execute("select pg_advisory_lock($1, $2)", lock_class, static_cast<std::int32_t>(number));
}

void create(quern::connection& db, const std::string& name) {
  const quern::result like = db.execute(
      "select pg_encoding_to_char(encoding)::text, quote_literal(datcollate), quote_literal(datctype) "
      "from pg_database where datname = current_database()");
  const quern::row row = like.single_row();
  db.execute(fmt::format("create database {} template template0 encoding {} lc_collate {} lc_ctype {}", name,
                         quoted_text(row.get<std::string>(0)), row.get<std::string>(1), row.get<std::string>(2)));
  db.execute(fmt::format("comment on database {} is {}", name, quoted_text(comment)));
}

}  // namespace

bool may_create_databases(quern::connection& db) {
  return db
      .execute(
          "select (rolcreatedb or rolsuper) and not current_setting('transaction_read_only')::bool from pg_roles where "
          "rolname = current_user")
      .value<bool>();
}

scratch_database::scratch_database(const std::string& server) {
  const std::uint32_t number = std::random_device{}();
  name_ = fmt::format("{}{:08x}", prefix, number);
  url_ = quern::with_database(server, name_);
  quern::connection db = connect(server);
  remove_left_overs(db);
  lock(db, number);
  // The lock is free when the session that makes the database has ended, whatever it was doing.
  keeper_.emplace([server, number, name = name_] {
    quern::connection own = connect(server);
    lock(own, number);
    drop(own, name);
  });
  session_ = std::move(db);
  create(*session_, name_);
}

}  // namespace cluster
