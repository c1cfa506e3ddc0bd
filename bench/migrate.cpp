// How long `quern migrate` takes for many queues, against psql-like execution of the same files in as many
// transactions.

#include <fmt/format.h>

#include <quern/connection.hpp>

#include "crew.hpp"
#include "many_queues.hpp"
#include "migrate/directory.hpp"
#include "scene.hpp"
#include "server.hpp"

namespace bench {
namespace {

constexpr const char* database = "quern_bench_migrate";

void make_database(const scene& where) {
  quern::connection db{where.url};
  db.execute(fmt::format("drop database if exists {} with (force)", database));
  db.execute(fmt::format("create database {} template template0", database));
  db.execute("checkpoint");
}

measure run_quern(const scene& where, const many_queues& project) {
  make_database(where);
  const double seconds = quern_seconds(where, {"migrate", "--migrations", project.migrations().string(), "--database",
                                               with_database(where.url, database)});
  return {.count = static_cast<std::uint64_t>(where.how.migrated_queues), .seconds = seconds};
}

measure execute_files(const scene& where, const many_queues& project) {
  make_database(where);
  const migrate::read_directory_result read = migrate::read_directory(project.migrations());
  quern::connection db{with_database(where.url, database)};
  const auto begin = clock::now();
  db.execute("create schema if not exists many");
  for (const migrate::migration& each : read.value.migrations) {
    check_interrupt();
    for (const migrate::step& step : each.steps) db.run_script(step.sql);
  }
  const std::chrono::duration<double> taken = clock::now() - begin;
  return {.count = static_cast<std::uint64_t>(where.how.migrated_queues), .seconds = taken.count()};
}

}  // namespace

std::vector<row> migrate_rows(const scene& where) {
  const int queues = where.how.migrated_queues;
  const many_queues project{where.directory / "migrate", queues};
  quern_seconds(where, project.generate());
  const comparison measured = compare(
      1, [&] { return run_quern(where, project); }, [&] { return execute_files(where, project); });
  const auto text = [&](double rate) { return fmt::format("{:.1f} s ({:.1f} ms each)", queues / rate, 1e3 / rate); };
  return {{.what = fmt::format("migrate {} queues", queues),
           .limit = "the same files, executed and nothing else",
           .with_quern = text(measured.quern_rate),
           .without = text(measured.limit_rate),
           .ratio = measured.ratio,
           .reached = measured.ratio}};
}

}  // namespace bench
