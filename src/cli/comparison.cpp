#include "cli/comparison.hpp"

#include <fmt/format.h>

#include <memory>
#include <quern/connection.hpp>

#include "cli/command.hpp"
#include "cli/migrations.hpp"
#include "cli/private_server.hpp"
#include "cli/terminal.hpp"
#include "cluster/error.hpp"
#include "cluster/scratch.hpp"
#include "cluster/scratch_database.hpp"
#include "migrate/drift_expected.hpp"
#include "migrate/runner.hpp"

namespace cli {
namespace {

// An empty database to apply migrations to, wherever one may be made.
struct place {
  std::unique_ptr<cluster::scratch> server{};
  std::unique_ptr<cluster::scratch_database> database{};
};

bool may_create_databases(const std::string& url) {
  quern::connection db{url, {.application_name = "quern drift"}};
  return cluster::may_create_databases(db);
}

std::unique_ptr<cluster::scratch> private_server() try {
  return std::make_unique<cluster::scratch>();

} catch (const cluster::error& failed) {
  throw failure{
      exit_code::not_permitted,
      fmt::format("no scratch database can be made on the server: it is read-only, or this user may not; and no "
                  "private server can be started: {}\n  say where with --scratch URL, or grant CREATEDB",
                  failed.what())};
}

place find_place(const std::string& database, const std::string& scratch) {
  place made;
  if (scratch.empty() && !may_create_databases(database)) {
    tell("no scratch database can be made there: it is read-only, or this user may not; using a private server");
    made.server = private_server();
  }
  const std::string& server = made.server ? made.server->url() : scratch.empty() ? database : scratch;
  made.database = std::make_unique<cluster::scratch_database>(server);
  return made;
}

// Texts of definitions are the server's, and not the same in each version.
void warn_of_versions(const std::string& database, const std::string& scratch) {
  const int here = quern::connection{database}.server_version() / 10000;
  const int there = quern::connection{scratch}.server_version() / 10000;
  if (here != there)
    tell(fmt::format("the scratch database is on PostgreSQL {}, the compared one on {}: texts may differ by that",
                     there, here));
}

}  // namespace

void add_options(const command_line& command, comparison_arguments& given) {
  command.add_option("--database", given.database,
                     "URL, or libpq's keyword=value form (default: QUERN_DATABASE, then libpq's environment, then the "
                     "private server of this directory)");
  command.add_option("--migrations", given.migrations, "Their directory").shows_default();
  command.add_option(
      "--scratch", given.scratch,
      "A server on which this user may create a database for a moment (default: the same server, or else "
      "a private one)");
  command.add_flag("--ignore-order", given.ignores_order, "The order of columns is no difference");
}

drift compare_with_migrations(const comparison_arguments& given) {
  const checked_migrations migrations = read_migrations(given.migrations);
  const database where = choose_database(given.database);
  const migrate::survey found = migrate::look(migrations.files, where.url, migrations.schema, migrations.drafts);
  const migrate::directory applied = migrate::applied_part(migrations.files, found);
  const place scratch = find_place(where.url, given.scratch);
  if (scratch.server || !given.scratch.empty()) warn_of_versions(where.url, scratch.database->url());
  migrate::request how{.database = scratch.database->url(), .schema = migrations.schema};
  how.creates_roles = scratch.server != nullptr;
  const migrate::catalog expected = migrate::catalog_after(applied, how);
  drift made{.differences = migrate::compare(expected, migrate::catalog_of(where.url, migrations.schema)),
             .pending = found.compared.pending.size()};
  if (given.ignores_order)
    std::erase_if(made.differences, [](const auto& one) { return one.kind == migrate::difference_kind::order; });
  return made;
}

}  // namespace cli
