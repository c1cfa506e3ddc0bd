#include <nlohmann/json.hpp>
#include <string>

#include "cli/program.hpp"
#include "support/catch.hpp"

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
