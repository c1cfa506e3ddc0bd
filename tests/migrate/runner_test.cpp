#include "migrate/runner.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <quern/connection.hpp>

#include "cluster/scratch.hpp"
#include "migrate/workspace.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

using migrate::reason;

namespace {

migrate::request for_database(const test::database& db) {
  return {.database = db.url(), .schema = "shop", .patience = std::chrono::seconds{20}};
}

template <class T>
T ask(const test::database& db, const std::string& query) {
  return quern::connection{db.url()}.execute(query).value<T>();
}

bool exists(const test::database& db, const std::string& relation) {
  return ask<bool>(db, fmt::format("select to_regclass('{}') is not null", relation));
}

void run(const test::database& db, const std::string& sql) {
  quern::connection{db.url()}.run_script(sql);
}

}  // namespace

TEST_CASE("what is pending is applied in order and recorded") {
  const test::database db;
  const test::workspace space;
  space.add("alarm/0001_create", {{.name = "table", .sql = "create table shop.alarm (like shop.base)"}});
  space.add("core/0001_create", {{.name = "base", .sql = "create table shop.base (id bigint);"},
                                 {.name = "more", .sql = "alter table shop.base add name text;"}});
  const migrate::directory files = space.read();
  CHECK(migrate::apply(files, for_database(db)) == migrate::summary{.migrations = 2, .steps = 3});
  CHECK(exists(db, "shop.alarm"));

  const migrate::survey found = migrate::look(files, db.url(), "shop");
  CHECK(found.compared == migrate::comparison{});
  REQUIRE(found.applied.size() == 3);
  const migrate::applied_step& second = found.applied[2];
  CHECK(second.line == "core");
  CHECK(second.number == 1);
  CHECK(second.step == 2);
  CHECK(second.step_count == 2);
  CHECK(second.name == "create");
  CHECK(second.checksum == files.migrations[0].checksum);
  CHECK(second.applied_by == "postgres");
  CHECK(second.applied_at.size() == std::string_view{"2026-01-31T12:00:00.000000Z"}.size());
  CHECK(second.duration > 0);

  CHECK(migrate::apply(files, for_database(db)) == migrate::summary{});
}

TEST_CASE("status can be asked before the first migration") {
  const test::database db;
  const test::workspace space;
  space.add("core/0001_create", {{.name = "base", .sql = "create table shop.base ();"}});
  const migrate::directory files = space.read();
  const migrate::survey found = migrate::look(files, db.url(), "shop");
  CHECK(found.applied.empty());
  CHECK(found.compared.pending == std::vector<migrate::pending_migration>{{&files.migrations[0], 0}});
  CHECK_FALSE(ask<bool>(db, "select to_regnamespace('shop') is not null"));
}

TEST_CASE("a step that fails leaves nothing of it, and the next run goes on there") {
  const test::database db;
  run(db, "create table may_divide ()");
  const test::workspace space;
  space.add(
      "core/0001_create",
      {{.name = "first", .sql = "create table shop.first ();"},
       {.name = "second", .sql = "create table shop.second ();\nselect 1 / (select count(*) from public.may_divide);"},
       {.name = "third", .sql = "create table shop.third ();"}});
  const migrate::error refused = test::refusal(space.read(), for_database(db));
  CHECK(refused.why() == reason::failed);
  CHECK(refused.what() ==
        fmt::format("{}/core/0001_create.sql:17: division by zero (SQLSTATE 22012)\ncore/0001_create, step second "
                    "failed: nothing of this step remains, what was applied before it stays",
                    space.root().string()));
  CHECK(exists(db, "shop.first"));
  CHECK_FALSE(exists(db, "shop.second"));
  const migrate::directory files = space.read();
  CHECK(migrate::look(files, db.url(), "shop").compared.pending ==
        std::vector<migrate::pending_migration>{{&files.migrations[0], 1}});

  run(db, "alter table may_divide add x int; insert into may_divide values (1)");
  CHECK(migrate::apply(files, for_database(db)) == migrate::summary{.migrations = 1, .steps = 2});
  CHECK(exists(db, "shop.third"));
}

TEST_CASE("an error is shown with file and line, detail and hint") {
  const test::database db;
  const test::workspace space;
  const auto refused_with = [&](const std::string& sql) {
    space.add("core/0001_create", {{.name = "only", .sql = sql}});
    return std::string{test::refusal(space.read(), for_database(db)).what()};
  };
  const std::string file = (space.root() / "core/0001_create.sql").string();
  CHECK_THAT(refused_with("select 1;\n-- größer: 名前\nselect 'ä', colunm from (values (1)) as v(column_1);"),
             test::starts_with(file + ":11: column \"colunm\" does not exist (SQLSTATE 42703)"));
  CHECK_THAT(refused_with("create table public.twice ();\n\n-- again\ncreate table public.twice ();\n"),
             test::starts_with(file + ":12: relation \"twice\" already exists (SQLSTATE 42P07)"));
  CHECK_THAT(refused_with("selekt 1;"), test::starts_with(file + ":9: syntax error at or near \"selekt\""));
  CHECK_THAT(refused_with("select nofunction(1);"), test::contains("\n  hint: No function matches"));
  CHECK_THAT(refused_with("create table shop.a (x int unique);\ninsert into shop.a values (1), (1);"),
             test::contains("\n  detail: Key (x)=(1) already exists."));
  CHECK_THAT(refused_with("do $$ begin raise 'inside'; end $$;"), test::contains("\n  context: PL/pgSQL function"));
  CHECK_THAT(refused_with("create table shop.a ();\ncopy shop.a from stdin;"),
             test::contains("a migration cannot read from standard input"));
}

TEST_CASE("a migration that was edited after it was applied is refused with both checksums") {
  const test::database db;
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only", .sql = "create table shop.a ();"}});
  migrate::apply(space.read(), for_database(db));
  const std::string before = space.read().migrations[0].checksum;
  space.add("core/0001_create", {{.name = "only", .sql = "create table shop.b ();"}});
  space.add("email/0001_create", {{.name = "only", .sql = "create table shop.email ();"}});
  const migrate::error refused = test::refusal(space.read(), for_database(db));
  CHECK(refused.why() == reason::history_mismatch);
  CHECK_THAT(refused.what(), test::contains("core/0001_create.sql was edited after it was applied at "));
  CHECK_THAT(refused.what(), test::contains(before));
  CHECK_THAT(refused.what(), test::contains(space.read().migrations[0].checksum));
  CHECK_FALSE(exists(db, "shop.email"));
}

TEST_CASE("a checkout with other line ends is not an edit") {
  const test::database db;
  const test::workspace space;
  const std::string text = test::migration_text("core/0001_create", {{.name = "only", .sql = "select 1;\nselect 2;"}});
  space.write("core/0001_create.sql", text);
  migrate::apply(space.read(), for_database(db));
  std::string windows;
  for (const char c : text) windows += c == '\n' ? std::string{"\r\n"} : std::string{c};
  space.write("core/0001_create.sql", windows);
  CHECK(migrate::apply(space.read(), for_database(db)) == migrate::summary{});
}

TEST_CASE("a database that is ahead of the directory is left alone") {
  const test::database db;
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only", .sql = "create table shop.a ();"}});
  space.add("core/0002_newer", {{.name = "only", .sql = "create table shop.b ();"}});
  migrate::apply(space.read(), for_database(db));
  space.remove("core/0002_newer.sql");
  space.add("email/0001_create", {{.name = "only", .sql = "create table shop.email ();"}});
  const migrate::error refused = test::refusal(space.read(), for_database(db));
  CHECK(refused.why() == reason::database_ahead);
  CHECK_THAT(refused.what(), test::contains("it has core/0002_newer"));
  CHECK_FALSE(exists(db, "shop.email"));
}

TEST_CASE("missing roles are told all at once, and nothing is applied before they are there") {
  const test::database db;
  const std::string one = fmt::format("migrate_test_{}_a", getpid());
  const std::string other = fmt::format("Migrate test {}", getpid());
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only", .sql = "create table shop.a ();"}}, "postgres, " + one);
  space.add("email/0001_create", {{.name = "only", .sql = fmt::format("grant usage on schema shop to \"{}\";", other)}},
            fmt::format("{}, {}", other, one));
  migrate::request how = for_database(db);
  const migrate::error refused = test::refusal(space.read(), how);
  CHECK(refused.why() == reason::not_permitted);
  CHECK_THAT(refused.what(), test::ends_with(fmt::format(
                                 "\n  create role \"{}\" nologin;\n  create role \"{}\" nologin;", other, one)));
  CHECK_FALSE(ask<bool>(db, "select to_regnamespace('shop') is not null"));

  std::string told;
  how.creates_roles = true;
  how.progress = [&](std::string_view words) { told += words; };
  migrate::apply(space.read(), how);
  CHECK_THAT(told, test::contains("created the missing role: create role"));
  CHECK(ask<std::int64_t>(
            db, fmt::format("select count(*) from pg_roles where rolname in ('{}', '{}') and not rolcanlogin", one,
                            other)) == 2);
  run(db, fmt::format("drop owned by \"{0}\"; drop role \"{0}\"; drop role \"{1}\"", other, one));
}

TEST_CASE("a read-only database is refused in words of its own") {
  const test::database db;
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only", .sql = "create table shop.a ();"}});
  run(db, fmt::format("alter database {} set default_transaction_read_only = on", db.name()));
  const migrate::error refused = test::refusal(space.read(), for_database(db));
  CHECK(refused.why() == reason::not_permitted);
  CHECK_THAT(refused.what(), test::starts_with("the server is read-only (default_transaction_read_only is on"));
  CHECK(migrate::look(space.read(), db.url(), "shop").compared.pending.size() == 1);
}

TEST_CASE("a standby is refused in words of its own") {
  cluster::scratch server;
  server.stop();
  {
    const std::filesystem::path signal = server.data() / "standby.signal";
    std::filesystem::copy_file(server.data() / "PG_VERSION", signal);
    REQUIRE(chmod(signal.c_str(), 0666) == 0);
  }
  server.start();
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only", .sql = "create table shop.a ();"}});
  const migrate::error refused = test::refusal(space.read(), {.database = server.url(), .schema = "shop"});
  CHECK(refused.why() == reason::not_permitted);
  CHECK_THAT(refused.what(), test::starts_with("the server is a standby"));
}

TEST_CASE("a user without the right to make the schema is refused") {
  const test::database db;
  test::ensure_role("migrate_test_guest");
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only", .sql = "create table shop.a ();"}});
  migrate::request how = for_database(db);
  how.database = test::with_user(db.url(), "migrate_test_guest");
  const migrate::error refused = test::refusal(space.read(), how);
  CHECK(refused.why() == reason::not_permitted);
  CHECK_THAT(refused.what(), test::contains("permission denied for database"));
}

TEST_CASE("a server that is not there is unreachable") {
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only", .sql = "create table shop.a ();"}});
  CHECK(test::refusal(space.read(), {.database = "host=/nowhere", .schema = "shop"}).why() == reason::unreachable);
  const test::database db;
  migrate::request how = for_database(db);
  how.database = test::with_database(db.url(), "no_such_database");
  CHECK(test::refusal(space.read(), how).why() == reason::unreachable);
}

TEST_CASE("a step sees neither the user's search_path nor the database's isolation level") {
  const test::database db;
  run(db, fmt::format("alter database {0} set search_path = public; alter database {0} set "
                      "default_transaction_isolation = 'repeatable read'",
                      db.name()));
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only",
                                  .sql = "create table shop.seen as select current_setting('search_path') as path, "
                                         "current_setting('transaction_isolation') as level;"}});
  migrate::apply(space.read(), for_database(db));
  CHECK(ask<std::string>(db, "select path || '|' || level from shop.seen") == "\"\"|read committed");
}

TEST_CASE("a statement that takes longer than its step allows is cancelled") {
  const test::database db;
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only", .sql = "select pg_sleep(60);", .statement_timeout = "50ms"}});
  const migrate::error refused = test::refusal(space.read(), for_database(db));
  CHECK(refused.why() == reason::failed);
  CHECK_THAT(refused.what(), test::contains("SQLSTATE 57014"));
}

TEST_CASE("a step that commits by itself is refused before anything is applied") {
  const test::database db;
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only", .sql = "create table shop.a ();\ncommit;"}});
  const migrate::error refused = test::refusal(space.read(), for_database(db));
  CHECK(refused.why() == reason::wrong_input);
  CHECK_THAT(refused.what(), test::ends_with("core/0001_create.sql:10: `commit` is not possible here: a step is one "
                                             "transaction already"));
  CHECK_FALSE(ask<bool>(db, "select to_regnamespace('shop') is not null"));
}

TEST_CASE("a target limits what is applied to the shared objects and its own line") {
  const test::database db;
  const test::workspace space;
  for (const char* const title : {"core/0001_create", "core/0002_more", "audit/0001_create", "email/0001_create",
                                  "email/0002_add", "email/0003_add"})
    space.add(title, {{.name = "only", .sql = "select 1;"}});
  migrate::request how = for_database(db);
  how.to = migrate::target{"email", 2};
  CHECK(migrate::apply(space.read(), how).migrations == 4);
  const migrate::directory files = space.read();
  std::vector<std::string> left;
  for (const auto& one : migrate::look(files, db.url(), "shop").compared.pending) left.push_back(title(*one.what));
  CHECK(left == std::vector<std::string>{"audit/0001_create", "email/0003_add"});

  how.to = migrate::target{"email", 4};
  const migrate::error refused = test::refusal(files, how);
  CHECK(refused.why() == reason::wrong_input);
  CHECK_THAT(refused.what(), test::ends_with("that line has email/0001_create, email/0002_add, email/0003_add"));
  how.to = migrate::target{"emial", 1};
  CHECK_THAT(test::refusal(files, how).what(), test::starts_with("there are no migrations of emial in "));
}

TEST_CASE("a dry run changes nothing, and its SQL does what the runner would do") {
  const test::database db;
  const test::workspace space;
  space.add("core/0001_create",
            {{.name = "one", .sql = "create table shop.one ()"}, {.name = "two", .sql = "create table shop.two ();"}});
  const migrate::directory files = space.read();
  const std::string sql = migrate::dry_run(files, for_database(db));
  CHECK_FALSE(ask<bool>(db, "select to_regnamespace('shop') is not null"));
  run(db, sql);
  CHECK(exists(db, "shop.two"));
  CHECK(migrate::look(files, db.url(), "shop").compared == migrate::comparison{});
  CHECK(migrate::dry_run(files, for_database(db)).empty());
}
