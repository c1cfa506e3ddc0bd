#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using nlohmann::json;

const std::string hook = "migrations/email/hooks/0001_after.sql";

/// A project whose hook has an error in line 1 and a warning in line 2.
void make_project(const test::desk& desk) {
  desk.generate({"email"});
  desk.write(hook, "lock table shop.customer;\ndrop index shop.customer_name;\n");
}

}  // namespace

TEST_CASE("check ends with 0 when nothing is wrong, and says so") {
  const test::desk desk;
  desk.generate({"email"});
  const auto run = desk.quern({"check"});
  CHECK(run.exit_code == 0);
  CHECK(run.out == "6 checks: nothing found\n");
  CHECK(run.err.empty());
}

TEST_CASE("check ends with 1 for an error, and for a warning only when it is strict") {
  const test::desk desk;
  make_project(desk);
  auto run = desk.quern({"check"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.out, test::ends_with("6 checks: 1 error and 1 warning\n"));
  CHECK(run.err.empty());
  desk.write(hook, "drop index shop.customer_name;\n");
  CHECK(desk.quern({"check"}).exit_code == 0);
  CHECK(desk.quern({"check", "--strict"}).exit_code == 1);
}

TEST_CASE("a machine's format is all that is on standard output, or in the file") {
  const test::desk desk;
  make_project(desk);
  auto run = desk.quern({"check", "--format", "json"});
  CHECK(run.exit_code == 1);
  CHECK(run.err.empty());
  CHECK(json::parse(run.out)["errors"] == 1);
  CHECK(json::parse(desk.quern({"check", "--format", "sarif"}).out)["version"] == "2.1.0");
  CHECK_THAT(desk.quern({"check", "--format", "junit"}).out, test::starts_with("<?xml version=\"1.0\""));
  run = desk.quern({"check", "--format", "json", "--output", "found.json"});
  CHECK(run.out.empty());
  CHECK(json::parse(desk.read("found.json"))["errors"] == 1);
  run = desk.quern({"check", "--output", "no/such/directory"});
  CHECK(run.exit_code == 1);
  CHECK(run.err == "quern: error: no/such/directory cannot be written\n");
  CHECK(desk.quern({"check", "--format", "html"}).exit_code == 2);
}

TEST_CASE("in GitHub Actions check annotates by itself, from the root of the repository, and writes a summary") {
  const test::desk desk;
  make_project(desk);
  const std::string summary = (desk.root() / "summary.md").string();
  desk.write("summary.md", "before\n");
  const std::map<std::string, std::string> actions{{"GITHUB_ACTIONS", "true"},
                                                   {"GITHUB_WORKSPACE", desk.root().parent_path().string()},
                                                   {"GITHUB_STEP_SUMMARY", summary}};
  const auto run = desk.quern({"check"}, actions);
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.out, test::starts_with("::error file=" + desk.root().filename().string() + "/" + hook + ",line=1,"));
  CHECK_THAT(desk.read("summary.md"), test::starts_with("before\n### quern check: 1 error and 1 warning\n"));
  CHECK_THAT(desk.quern({"check", "--format", "text"}, actions).out, test::starts_with(hook + ":1:12: error: "));
}

TEST_CASE("a base that cannot be read ends check with 2 and what to do") {
  const test::desk desk;
  desk.generate({"email"});
  const auto run = desk.quern({"check", "--against", "origin/main"});
  CHECK(run.exit_code == 2);
  CHECK(run.out.empty());
  CHECK_THAT(run.err, test::contains("is in no git repository"));
  const auto without = desk.quern({"check", "--against", "origin/main"}, {{"PATH", "/nowhere"}});
  CHECK(without.exit_code == 2);
  CHECK_THAT(without.err, test::contains("the program `git` is not installed"));
}

TEST_CASE("a base is a lock file or a directory too") {
  const test::desk desk;
  desk.generate({"email"});
  desk.write("base.lock", desk.read("migrations/quern.lock"));
  CHECK(desk.quern({"check", "--against", "base.lock"}).out == "7 checks: nothing found\n");
  CHECK(desk.quern({"check", "--against", "."}).out == "7 checks: nothing found\n");
  desk.write("base.lock", "{");
  const auto run = desk.quern({"check", "--against", "base.lock"});
  CHECK(run.exit_code == 2);
  CHECK_THAT(run.err, test::contains("base.lock:1:1: error: "));
}

TEST_CASE("check looks where it is told to: another declaration, migrations, generated files and templates") {
  const test::desk desk;
  desk.generate({"email"});
  std::filesystem::create_directory(desk.root() / "moved");
  for (const auto* name : {"quern.toml", "migrations", "generated"})
    std::filesystem::rename(desk.root() / name, desk.root() / "moved" / name);
  CHECK_THAT(desk.quern({"check"}).out, test::starts_with("quern.toml: error: "));
  CHECK(desk.quern({"check", "--file", "moved/quern.toml"}).out == "6 checks: nothing found\n");
  std::filesystem::rename(desk.root() / "moved/migrations", desk.root() / "history");
  std::filesystem::rename(desk.root() / "moved/generated", desk.root() / "made");
  CHECK_THAT(desk.quern({"check", "--file", "moved/quern.toml"}).out, test::contains("[not_generated]\n"));
  const std::vector<std::string> call{"check", "--file", "moved/quern.toml", "--migrations", "history",
                                      "--out", "made"};
  CHECK(desk.quern(call).out == "6 checks: nothing found\n");
  desk.write("own/sql/queue/wake.sql.mustache", "-- {{unknown}}\n");
  auto with_templates = call;
  with_templates.insert(with_templates.end(), {"--templates", "own"});
  const auto run = desk.quern(with_templates);
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.out + run.err, test::contains("own/sql/queue/wake.sql.mustache:1:"));
}

TEST_CASE("check with a server tries everything out there, and the database itself is not touched") {
  const test::database db;
  const test::desk desk;
  desk.generate({"email"});
  const auto run = desk.quern({"check", "--database", db.url(), "--thorough"});
  CHECK(run.out == "14 checks: nothing found\n");
  CHECK(run.exit_code == 0);
  CHECK(quern::connection{db.url()}.execute("select to_regnamespace('shop') is null").value<bool>());
}

TEST_CASE("check says what is wrong with the server that it was given") {
  const test::database db;
  const test::desk desk;
  desk.generate({"email"});
  test::ensure_role("no_maker");
  auto run = desk.quern({"check", "--database", test::with_user(db.url(), "no_maker")});
  CHECK(run.exit_code == 8);
  CHECK(run.err ==
        "quern: error: no scratch database can be made there: the server is read-only, or this user needs CREATEDB; "
        "--scratch uses a private server\n");
  CHECK(desk.quern({"check", "--database", db.url() + "&options=-c%20default_transaction_read_only%3Don"}).exit_code ==
        8);
  CHECK(run.out.empty());
  run = desk.quern({"check", "--database", "host=/nowhere"});
  CHECK(run.exit_code == 3);
  CHECK_THAT(run.err, test::starts_with("quern: error: the server cannot be worked with: "));
  run = desk.quern({"check", "--database", db.url(), "--scratch"});
  CHECK(run.exit_code == 2);
  CHECK_THAT(run.err, test::contains("--database excludes --scratch"));
  run = desk.quern({"check", "--thorough"});
  CHECK(run.exit_code == 2);
  CHECK(run.err == "quern: error: --thorough is of --database and --scratch: it needs a server\n");
}

TEST_CASE("a format is one of the words, and they are named to who takes another") {
  const test::desk desk;
  for (const std::string wrong : {"yaml", "2", "JSON"}) {
    const auto run = desk.quern({"check", "--format", wrong});
    CHECK(run.exit_code == 2);
    CHECK_THAT(run.err,
               test::starts_with(fmt::format(
                   "ERROR: ValidationError: --format: \"{}\" is none of github, json, junit, sarif, text\n", wrong)));
  }
}

TEST_CASE("a word that is no command is named, with the command that may be meant") {
  const test::desk desk;
  const auto said = [&](const std::vector<std::string>& words) {
    const auto ended = desk.quern(words);
    CHECK(ended.exit_code == 2);
    return ended.err;
  };
  CHECK(said({"nope"}) == "quern: error: quern has no command \"nope\": `quern --help` names those that it has\n");
  CHECK(said({"migrte", "--wait", "1"}) ==
        "quern: error: quern has no command \"migrte\"; did you mean \"migrate\"?\n");
  CHECK(said({"dev", "--dir", "x", "strat"}) ==
        "quern: error: quern dev has no command \"strat\"; did you mean \"start\"?\n");
  CHECK_THAT(said({}), test::contains("A subcommand is required"));
  CHECK_THAT(said({"--nope"}), test::contains("A subcommand is required"));
}

TEST_CASE("check warns of an accepted break whose day is over, by today's date") {
  const test::desk desk;
  const std::string head = "[project]\nname = \"shop\"\n[queues.email]\n";
  desk.write("quern.toml", head + "[queues.email.payload]\norder_id = \"int64\"\n");
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  REQUIRE(desk.quern({"release"}).exit_code == 0);
  const std::string breaks = "accept_break = { version = 2, reason = \"unused\", until = 2001-01-01 }\n";
  // Generation does not know what day it is: what is over when it is declared is not refused.
  desk.write("quern.toml", head + breaks + "[queues.email.payload]\norder_id = \"uuid\"\n");
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  const auto run = desk.quern({"check"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.out, test::starts_with("quern.toml:4:1: warning: the break of contract v2 of queue \"email\" was "
                                        "accepted until 2001-01-01, and v1 is still live [break_expired]\n"));
  CHECK(desk.quern({"check", "--strict"}).exit_code == 1);
}

TEST_CASE("explain says what a finding means, lists all, and knows what was meant") {
  const test::desk desk;
  auto run = desk.quern({"explain", "hook_lock_table"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.out, test::starts_with("hook_lock_table (error): a table is locked by hand\n\n"));
  CHECK_THAT(run.out, test::contains("Way out:"));
  CHECK(json::parse(desk.quern({"explain", "hook_lock_table", "--json"}).out)["severity"] == "error");
  run = desk.quern({"explain"});
  CHECK_THAT(run.out, test::contains("\n  unknown_key"));
  CHECK(json::parse(desk.quern({"explain", "--json"}).out).size() > 80);
  run = desk.quern({"explain", "hook_lock_tabel"});
  CHECK(run.exit_code == 2);
  CHECK(run.err ==
        "quern: error: there is no finding `hook_lock_tabel`, did you mean `hook_lock_table`?; `quern explain` lists "
        "them all\n");
}

TEST_CASE("schema prints a JSON schema of the declaration, and nothing else") {
  const test::desk desk;
  const auto run = desk.quern({"schema"});
  CHECK(run.exit_code == 0);
  CHECK(run.err.empty());
  CHECK(json::parse(run.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema");
}
