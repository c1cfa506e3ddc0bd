// An outside project that uses the recipe of the README for its CI: what is tested is what stands there.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "cli/repository.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/places.hpp"

namespace {

namespace fs = std::filesystem;

/// The YAML of the README's chapter "In CI".
std::string recipe() {
  const auto readme = test::content_of(test::source_dir() / "README.md");
  const std::string opening = "```yaml\n";
  const auto begin = readme.find(opening, readme.find("\n## In CI\n")) + opening.size();
  return readme.substr(begin, readme.find("```", begin) - begin);
}

/// What its steps run, without the comments.
std::vector<std::string> commands_of(std::string_view yaml) {
  const std::string_view key = "- run: ";
  std::vector<std::string> commands;
  for (auto place = yaml.find(key); place != std::string_view::npos; place = yaml.find(key, place + 1)) {
    const auto line = yaml.substr(place, yaml.find('\n', place) - place).substr(key.size());
    const auto command = line.substr(0, line.find(" #"));
    commands.emplace_back(command.substr(0, command.find_last_not_of(' ') + 1));
  }
  return commands;
}

/// What people push to: the sample, released.
class shared_repository {
 public:
  shared_repository() {
    fs::copy(test::source_dir() / "tests/sample", origin_.desk().root(), fs::copy_options::recursive);
    origin_.must_quern({"generate"});
    origin_.must_quern({"release"});
    origin_.commit("First release");
  }

  const test::repository& repository() const { return origin_; }

 private:
  test::repository origin_;
};

/// A step of the recipe as a runner of GitHub Actions makes it: `quern` is installed.
test::outcome step(const test::repository& checkout, const std::string& command, bool is_in_actions = false) {
  auto environment = test::repository::environment();
  environment["PATH"] = fmt::format("{}:{}", test::program().parent_path().string(), std::getenv("PATH"));
  if (is_in_actions) environment["GITHUB_ACTIONS"] = "true";
  return checkout.desk().run({"sh", "-ec", command}, environment);
}

/// What the first step of the recipe says to a branch; it has to end with 1 because of this finding alone.
void refuses(const test::repository& branch, const std::string& code) {
  const auto ended = step(branch, commands_of(recipe()).front());
  INFO(ended.out);
  INFO(ended.err);
  CHECK(ended.exit_code == 1);
  CHECK_THAT(ended.out, test::contains("[" + code + "]"));
  CHECK_THAT(ended.out, test::ends_with("7 checks: 1 error\n"));
}

/// A branch in a clone of its own.
test::repository branch_of(const shared_repository& shared) {
  return test::repository{shared.repository()};
}

void add_note(const test::repository& branch) {
  branch.edit("quern.toml", "subject   = \"text\"", "subject   = \"text\"\nnote      = \"text?\"");
}

}  // namespace

TEST_CASE("the recipe for CI has ten lines and sees the whole history") {
  const auto yaml = recipe();
  CHECK(std::count(yaml.begin(), yaml.end(), '\n') <= 10);
  CHECK_THAT(yaml, test::contains("fetch-depth: 0"));
  const auto commands = commands_of(yaml);
  REQUIRE(commands.size() == 2);
  CHECK(commands[0] == "quern check --against origin/main");
  CHECK(commands[1] == "quern check --against origin/main --scratch");
}

TEST_CASE("a branch with a compatible change passes every step of the recipe") {
  const shared_repository shared;
  const auto branch = branch_of(shared);
  add_note(branch);
  branch.must_quern({"generate"});
  branch.commit("Add a note");
  for (const auto& command : commands_of(recipe())) {
    if (command.find("--scratch") != std::string::npos &&
        branch.quern({"check", "--help"}).out.find("--scratch") == std::string::npos)
      continue;
    const auto ended = step(branch, command);
    INFO(command);
    INFO(ended.out);
    INFO(ended.err);
    CHECK(ended.exit_code == 0);
    CHECK_THAT(ended.out, test::ends_with("checks: nothing found\n"));
  }
}

TEST_CASE("a branch that says nothing about payloads passes") {
  const shared_repository shared;
  const auto branch = branch_of(shared);
  branch.desk().write("main.cpp", "int main() {}\n");
  branch.commit("Begin");
  CHECK(step(branch, commands_of(recipe()).front()).out == "7 checks: nothing found\n");
}

TEST_CASE("the recipe refuses a migration that was edited") {
  const shared_repository shared;
  const auto branch = branch_of(shared);
  branch.desk().write("migrations/mail/0001_create.sql", branch.desk().read("migrations/mail/0001_create.sql") + "\n");
  branch.commit("Tidy up");
  refuses(branch, "migration_edited");
}

TEST_CASE("the recipe refuses a declaration from which nothing was generated") {
  const shared_repository shared;
  const auto branch = branch_of(shared);
  add_note(branch);
  branch.commit("Add a note");
  refuses(branch, "not_generated");
}

TEST_CASE("the recipe refuses to take a field away that released programs read") {
  const shared_repository shared;
  const auto branch = branch_of(shared);
  branch.edit("quern.toml", "subject   = \"text\"\n", "");
  CHECK(branch.quern({"generate"}).exit_code == 1);
  branch.commit("Drop the subject");
  refuses(branch, "removal_needs_default");
}

TEST_CASE("the recipe refuses a dangerous hook") {
  const shared_repository shared;
  const auto branch = branch_of(shared);
  add_note(branch);
  branch.must_quern({"generate"});
  branch.desk().write("migrations/mail/hooks/0002_before.sql", "lock table corner_shop.sent_mail;\n");
  branch.commit("Add a note");
  refuses(branch, "hook_lock_table");
}

TEST_CASE("the recipe refuses what was generated on two branches, before and after a merge") {
  const shared_repository shared;
  const auto branch = branch_of(shared);
  add_note(branch);
  branch.must_quern({"generate"});
  branch.commit("Add a note");
  const auto& main = shared.repository();
  main.edit("quern.toml", "doc    = \"Mail that has to be sent.\"", "doc    = \"Mail.\"");
  main.must_quern({"generate"});
  main.commit("Be brief");
  branch.must_git({"fetch", "-q"});
  const auto check = commands_of(recipe()).front();
  auto ended = step(branch, check);
  CHECK(ended.exit_code == 1);
  CHECK_THAT(ended.out, test::contains("origin/main has mail/0002_change_options.sql where 0002_expand_v2.sql stands "
                                       "here [history_diverged]"));
  CHECK_THAT(ended.out, test::contains("merge origin/main, then run `quern rebase --onto origin/main`"));
  CHECK(branch.git({"merge", "origin/main"}).exit_code == 1);
  CHECK_THAT(step(branch, check).out, test::contains("[lock_conflict]"));
  branch.must_quern({"rebase", "--onto", "origin/main"});
  branch.commit("Merge");
  CHECK(step(branch, check).out == "7 checks: nothing found\n");
}

TEST_CASE("in GitHub Actions the recipe annotates the lines, and says the same otherwise") {
  const shared_repository shared;
  const auto branch = branch_of(shared);
  branch.edit("quern.toml", "subject   = \"text\"\n", "");
  const auto ended = step(branch, commands_of(recipe()).front(), true);
  CHECK(ended.exit_code == 1);
  CHECK_THAT(ended.out, test::starts_with("::error file=quern.toml,line=9,"));
  CHECK_THAT(ended.out, test::contains("[removal_needs_default]::the field \"subject\" of queue \"mail\" is removed"));
}

TEST_CASE("the recipe says what is missing when the checkout is shallow") {
  const shared_repository shared;
  const auto branch = branch_of(shared);
  branch.must_git({"update-ref", "-d", "refs/remotes/origin/main"});
  const auto ended = step(branch, commands_of(recipe()).front());
  CHECK(ended.exit_code == 2);
  CHECK_THAT(ended.err, test::contains("`fetch-depth: 0` for actions/checkout"));
}
