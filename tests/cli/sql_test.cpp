#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "cluster/binaries.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

int psql(const std::string& url, const std::filesystem::path& file) {
  const std::string program = cluster::find_psql(cluster::find_binaries({}, {})).string();
  const pid_t child = fork();
  if (child == 0) {
    execl(program.c_str(), program.c_str(), "-X", "-q", "-o", "/dev/null", "-d", url.c_str(), "-f", file.c_str(),
          nullptr);
    _exit(127);
  }
  int state = 0;
  waitpid(child, &state, 0);
  return WIFEXITED(state) ? WEXITSTATUS(state) : 128;
}

/// Beside the queue that is released.
void draft_sms(const test::desk& desk) {
  desk.write("quern.toml", desk.read("quern.toml") + "[queues.sms]\npayload = \"jsonb\"\n");
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
}

}  // namespace

TEST_CASE("a database that psql has made from `quern sql` is up to date and without drift") {
  const test::database db;
  const test::desk desk;
  desk.generate({"email", "sms"});
  const test::outcome printed = desk.quern({"sql", "--for", "plain"});
  CHECK(printed.exit_code == 0);
  desk.write("all.sql", printed.out);
  CHECK(psql(db.url(), desk.root() / "all.sql") == 0);
  CHECK(psql(db.url(), desk.root() / "all.sql") == 0);
  CHECK(desk.quern({"status", "--check", "--database", db.url()}).exit_code == 0);
  CHECK(desk.quern({"drift", "--database", db.url()}).out == "no drift\n");
}

TEST_CASE("sql writes what is new and leaves what was exported alone") {
  const test::desk desk;
  desk.generate({"email"});
  const test::outcome first = desk.quern({"sql", "--for", "goose", "--out", "db"});
  CHECK(first.exit_code == 0);
  CHECK(first.out == "wrote db/00001_core_0001_create.sql\nwrote db/00002_email_0001_create.sql\n");
  CHECK(desk.quern({"sql", "--for", "goose", "--out", "db"}).out == "nothing to export: every migration is there\n");
  desk.generate({"email", "alerts"});
  const test::outcome second = desk.quern({"sql", "--for", "goose", "--out", "db"});
  CHECK(second.exit_code == 0);
  CHECK_THAT(second.out, test::ends_with("_alerts_0001_create.sql\n"));
  CHECK(std::filesystem::exists(desk.root() / "db/00003_core_0002_add_alerts.sql") ==
        (second.out.find("wrote db/00003_core_0002_add_alerts.sql\n") != std::string::npos));
  CHECK_THAT(second.out, !test::contains("email"));
}

TEST_CASE("sql refuses to change what was exported") {
  const test::desk desk;
  desk.generate({"email"});
  REQUIRE(desk.quern({"sql", "--for", "sqitch", "--out", "db"}).exit_code == 0);
  const std::string whole = desk.read("db/deploy/email_0001_create.sql");
  desk.write("db/deploy/email_0001_create.sql", whole + "-- by hand\n");
  const test::outcome refused = desk.quern({"sql", "--for", "sqitch", "--out", "db"});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err ==
        "quern: error: a file would change, and a tool that has applied the old text would refuse it; nothing was "
        "written. "
        "Nobody has applied it yet: --replace\n  deploy/email_0001_create.sql\n");
  CHECK(desk.quern({"sql", "--for", "sqitch", "--out", "db", "--replace"}).out ==
        "wrote db/deploy/email_0001_create.sql\n");
  CHECK(desk.read("db/deploy/email_0001_create.sql") == whole);
}

TEST_CASE("sql says what is wrong with its command line") {
  const test::desk desk;
  desk.generate({"email"});
  CHECK(desk.quern({"sql", "--for", "liquibase"}).exit_code == 2);
  const test::outcome homeless = desk.quern({"sql", "--for", "flyway"});
  CHECK(homeless.exit_code == 2);
  CHECK(homeless.err == "quern: error: say where with --out DIR: flyway takes a directory\n");
  CHECK(desk.quern({"sql", "--first", "0"}).exit_code == 2);
}

TEST_CASE("sql says of drafts that they are drafts, in the files and beside them, and leaves them out on demand") {
  const test::database db;
  const test::desk desk;
  desk.generate({"email"});
  const test::outcome released = desk.quern({"sql"});
  CHECK(released.err.empty());
  CHECK_THAT(released.out, !test::contains("-- draft: "));
  draft_sms(desk);
  const test::outcome drafted = desk.quern({"sql"});
  CHECK(drafted.err ==
        "quern: core/0002_add_sms, sms/0001_create are drafts, and may become another text: `quern release` makes "
        "history of a draft, --released leaves it out\n");
  CHECK_THAT(drafted.out, test::contains("\n-- draft: sms/0001_create is not released, and may become another text\n"));
  CHECK(desk.quern({"sql", "--released"}).out == released.out);
  CHECK(desk.quern({"sql", "--released"}).err.empty());
  REQUIRE(desk.quern({"sql", "--for", "goose", "--out", "db"}).exit_code == 0);
  CHECK_THAT(
      desk.read("db/00004_sms_0001_create.sql"),
      test::starts_with("-- quern export: goose sms/0001_create 1/1 1/1\n-- draft: sms/0001_create is not released, "
                        "and may become another text\n-- +goose Up\n"));
  CHECK_THAT(desk.read("db/00003_email_0001_create.sql"), !test::contains("draft: "));
  desk.write("all.sql", drafted.out);
  REQUIRE(psql(db.url(), desk.root() / "all.sql") == 0);
  CHECK(quern::connection{db.url()}
            .execute("select string_agg(line, ' ' order by line) from shop.quern_migration where is_draft")
            .value<std::string>() == "core sms");
}

TEST_CASE("embed says of drafts that they are drafts, and leaves them out on demand") {
  const test::desk desk;
  desk.generate({"email"});
  draft_sms(desk);
  const test::outcome drafted = desk.quern({"embed", "--out", "all.hpp"});
  CHECK_THAT(drafted.err,
             test::starts_with("quern: core/0002_add_sms, sms/0001_create are drafts, and may become another text: "));
  CHECK_THAT(desk.read("all.cpp"),
             test::contains("\n// Draft: sms/0001_create is not released, and may become another text.\n"));
  CHECK_THAT(desk.read("all.cpp"), test::contains(", .is_draft = true}"));
  const test::outcome released = desk.quern({"embed", "--out", "all.hpp", "--released"});
  CHECK(released.err.empty());
  CHECK_THAT(desk.read("all.cpp"), !test::contains("sms"));
  CHECK_THAT(desk.read("all.cpp"), !test::contains("is_draft"));
}

TEST_CASE("a directory that cannot be written is told of, and is no defect") {
  const test::desk desk;
  desk.generate({"email"});
  desk.write("file", "");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"sql", "--for", "flyway", "--out", "file/deep"},
        {"embed", "--out", "file/deep/m.hpp"}}) {
    const test::outcome refused = desk.quern(words);
    CHECK(refused.exit_code == 1);
    CHECK_THAT(refused.err, test::starts_with("quern: error: "));
    CHECK_THAT(refused.err, test::contains("file/deep"));
  }
  const test::outcome read_only = desk.quern({"embed", "--out", "/proc/m.hpp"});
  CHECK(read_only.exit_code == 1);
  CHECK_THAT(read_only.err, test::contains("/proc/m.hpp"));
  CHECK(desk.quern({"sql", "--for", "flyway", "--out", "/proc/self"}).exit_code == 1);
}
