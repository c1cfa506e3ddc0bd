#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <quern/connection.hpp>

#include "cli/exit_code.hpp"
#include "cli/program.hpp"
#include "migrate/runner_lock.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/files.hpp"
#include "support/places.hpp"

namespace {

std::string state_of(const test::desk& desk, const std::string& url) {
  return nlohmann::json::parse(desk.quern({"status", "--json", "--database", url}).out)["state"];
}

}  // namespace

TEST_CASE("migrate brings a database up to date, and status says how far it is") {
  const test::database db;
  const test::desk desk;
  desk.generate({"email"});
  CHECK(state_of(desk, db.url()) == "pending");
  const test::outcome before = desk.quern({"status", "--check", "--database", db.url()});
  CHECK(before.exit_code == 1);
  CHECK(before.out == "core: 0 applied\n  pending core/0001_create\nemail: 0 applied\n  pending email/0001_create\n");

  const test::outcome done = desk.quern({"migrate", "--database", db.url()});
  CHECK(done.exit_code == 0);
  CHECK(done.err.empty());
  CHECK_THAT(done.out, test::starts_with("applied core/0001_create ("));
  CHECK_THAT(done.out, test::contains("\napplied email/0001_create ("));
  CHECK_THAT(done.out, test::ends_with("\n2 migrations applied\n"));

  CHECK(state_of(desk, db.url()) == "up_to_date");
  const test::outcome after = desk.quern({"status", "--check", "--database", db.url()});
  CHECK(after.exit_code == 0);
  CHECK_THAT(after.out, test::ends_with("the database is up to date\n"));
  CHECK(desk.quern({"migrate", "--database", db.url()}).out == "nothing to apply: the database is up to date\n");
  CHECK(desk.quern({"migrate", "--dry-run", "--database", db.url()}).out == "-- nothing to apply\n");
}

TEST_CASE("status as JSON lists every step") {
  const test::database db;
  const test::desk desk;
  desk.generate({"email"});
  REQUIRE(desk.quern({"migrate", "--to", "core/1", "--database", db.url()}).exit_code == 0);
  const auto state = nlohmann::json::parse(desk.quern({"status", "--json", "--database", db.url()}).out);
  REQUIRE(state["applied"].size() == 1);
  CHECK(state["applied"][0]["line"] == "core");
  CHECK(state["applied"][0]["applied_by"] == "postgres");
  CHECK(state["pending"] == nlohmann::json::parse(R"([{"line": "email", "number": 1, "name": "create", "next_step": 1,
                                                       "step_count": 1}])"));
}

TEST_CASE("what a dry run prints can be given to psql") {
  const test::database db;
  const test::desk desk;
  desk.generate({"email"});
  const test::outcome printed = desk.quern({"migrate", "--dry-run", "--database", db.url()});
  CHECK(state_of(desk, db.url()) == "pending");
  quern::connection{db.url()}.run_script(printed.out);
  CHECK(state_of(desk, db.url()) == "up_to_date");
}

TEST_CASE("a file that is not the one of quern.lock stops everything with exit code 6") {
  const test::database db;
  const test::desk desk;
  desk.generate({"email"});
  desk.write("migrations/email/0001_create.sql", desk.read("migrations/email/0001_create.sql") + "-- edited\n");
  const test::outcome edited = desk.quern({"migrate", "--database", db.url()});
  CHECK(edited.exit_code == 6);
  CHECK_THAT(edited.err, test::contains("migrations/email/0001_create.sql: was edited: its checksum is "));
  std::filesystem::remove(desk.root() / "migrations/email/0001_create.sql");
  const test::outcome missing = desk.quern({"status", "--database", db.url()});
  CHECK(missing.exit_code == 6);
  CHECK_THAT(missing.err, test::contains("migrations/email/0001_create.sql: is missing: quern.lock names it"));
  CHECK(quern::connection{db.url()}.execute("select to_regnamespace('shop') is null").value<bool>());
}

TEST_CASE("each way to fail has its exit code") {
  const test::database db;
  const test::desk desk;
  const auto migrate = [&](std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"migrate", "--database", db.url()});
    return desk.quern(more);
  };
  CHECK(migrate().exit_code == 1);
  CHECK_THAT(migrate().err, test::contains("migrations/quern.lock cannot be read: `quern generate` writes it"));
  desk.write("migrations/email/0001_create.sql", "select 1;\n");
  for (const auto* command : {"migrate", "status", "contracts"}) {
    CHECK(desk.quern({command, "--database", db.url()}).err ==
          "quern: error: migrations/quern.lock is missing beside its migrations: take it from version control again; "
          "`quern generate` writes one only where none was ever committed\n");
  }
  std::filesystem::remove_all(desk.root() / "migrations/email");
  desk.write("migrations/quern.lock", "no JSON");
  CHECK(migrate().exit_code == 1);
  std::filesystem::remove_all(desk.root() / "migrations");

  desk.generate({"email"});
  CHECK(migrate({"--to", "email"}).exit_code == 2);
  for (const std::string wait : {"-1", "soon", "", "3x"}) CHECK(migrate({"--wait", wait}).exit_code == 2);
  CHECK(migrate({"--colour"}).exit_code == 2);
  CHECK(desk.quern({}).exit_code == 2);
  CHECK(migrate({"--to", "email/0002"}).exit_code == 1);

  const test::outcome unreachable = desk.quern({"migrate", "--database", "host=/nowhere"});
  CHECK(unreachable.exit_code == 3);
  CHECK_THAT(unreachable.err, test::starts_with("quern: error: the database cannot be reached: "));
  CHECK(desk.quern({"status", "--database", "host=/nowhere"}).exit_code == 3);

  quern::connection other{db.url()};
  other.execute("select pg_advisory_lock($1)", migrate::keys_of("shop").guard);
  for (const std::string wait : {"0", "1", "100ms"}) CHECK(migrate({"--wait", wait}).exit_code == 5);
  other.execute("select pg_advisory_unlock_all()");

  other.run_script("create schema shop; create table shop.quern_queue ()");
  const test::outcome failed = migrate();
  CHECK(failed.exit_code == 4);
  CHECK_THAT(failed.err, test::contains("relation \"quern_queue\" already exists (SQLSTATE 42P07)"));
  other.run_script("drop schema shop cascade");

  other.execute(fmt::format("alter database {} set default_transaction_read_only = on", db.name()));
  CHECK(migrate().exit_code == 8);
  other.execute(fmt::format("alter database {} reset default_transaction_read_only", db.name()));
  CHECK(migrate().exit_code == 0);
}

TEST_CASE("a database that is ahead is left alone with exit code 7") {
  const test::database db;
  const test::desk newer;
  newer.generate({"email"});
  newer.generate({"email", "sms"});
  REQUIRE(newer.quern({"migrate", "--database", db.url()}).exit_code == 0);
  const test::desk older;
  older.generate({"email"});
  const test::outcome refused = older.quern({"migrate", "--database", db.url()});
  CHECK(refused.exit_code == 7);
  CHECK_THAT(refused.err, test::contains("it has sms/0001_create"));
  CHECK(older.quern({"status", "--database", db.url()}).exit_code == 0);
  CHECK(older.quern({"status", "--check", "--database", db.url()}).exit_code == 7);
  CHECK(state_of(older, db.url()) == "database_ahead");
}

TEST_CASE("the database is the one of --database, of QUERN_DATABASE, of libpq's environment, in this order") {
  const test::database one;
  const test::database other;
  const test::desk desk;
  desk.generate({"email"});
  REQUIRE(desk.quern({"migrate", "--database", one.url()}).exit_code == 0);
  CHECK(desk.quern({"status", "--check", "--database", one.url()}, {{"QUERN_DATABASE", other.url()}}).exit_code == 0);
  CHECK(desk.quern({"status", "--check"}, {{"QUERN_DATABASE", other.url()}, {"PGHOST", "/nowhere"}}).exit_code == 1);
  CHECK(desk.quern({"status", "--check"}, {{"QUERN_DATABASE", one.url()}}).exit_code == 0);
  CHECK(desk.quern({"status", "--check"}, {{"PGHOST", "/nowhere"}}).exit_code == 3);
}

TEST_CASE("every exit code is documented in the help") {
  const test::desk desk;
  for (const std::vector<std::string>& asked :
       {std::vector<std::string>{"--help"}, {"migrate", "--help"}, {"status", "--help"}, {"dev", "--help"}}) {
    const test::outcome help = desk.quern(asked);
    CHECK(help.exit_code == 0);
    for (const auto& [code, meaning] : cli::exit_code_meanings)
      CHECK_THAT(help.out, test::contains(fmt::format("{:>2}  {}", static_cast<int>(code), meaning)));
  }
}

TEST_CASE("the program says which version it is") {
  const std::string project = test::content_of(test::source_dir() / "CMakeLists.txt");
  const std::string before = "project(quern VERSION ";
  const auto begin = project.find(before) + before.size();
  const test::outcome said = test::desk{}.quern({"--version"});
  CHECK(said.exit_code == 0);
  CHECK(said.out == "quern " + project.substr(begin, project.find(' ', begin) - begin) + "\n");
}
