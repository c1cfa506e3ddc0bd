#include "check/history.hpp"

#include <string>

#include "check/made_project.hpp"
#include "check/program.hpp"
#include "support/catch.hpp"

namespace {

namespace fs = std::filesystem;

void git(const fs::path& root, std::vector<std::string> arguments) {
  std::vector<std::string> words{"git",
                                 "-C",
                                 root.string(),
                                 "-c",
                                 "user.name=t",
                                 "-c",
                                 "user.email=t@example.org",
                                 "-c",
                                 "init.defaultBranch=main",
                                 "-c",
                                 "commit.gpgsign=false"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto ended = check::run_program(words);
  INFO(ended.err);
  REQUIRE(ended.exit_code == 0);
}

void commit(const fs::path& root) {
  git(root, {"init", "-q"});
  git(root, {"add", "-A"});
  git(root, {"commit", "-q", "-m", "all"});
}

/// What a read of the base fails with.
std::string refusal(const std::string& against, const fs::path& migrations) {
  try {
    check::read_base(against, migrations);
    return "read";
  } catch (const check::base_error& refused) {
    return refused.what();
  }
}

std::vector<std::string> codes_of(const check::report& found) {
  std::vector<std::string> codes;
  for (const auto& one : found.findings) codes.push_back(one.what.code);
  return codes;
}

/// The findings of the history alone, as `code message`.
std::vector<std::string> history_of(const test::made_project& now, const test::made_project& before) {
  auto base = check::read_base(before.root().string(), "migrations");
  base.name = "main";
  std::vector<std::string> found;
  for (const auto& one : now.check(base).findings)
    if (one.check == check::name::history) found.push_back(one.what.code + " " + one.what.message);
  return found;
}

using words = std::vector<std::string>;

const std::string calls = "\n[queues.calls]\npayload = \"jsonb\"\n";
const std::string letters = "\n[queues.letters]\npayload = \"jsonb\"\n";

}  // namespace

TEST_CASE("what is new at the end of its line is no change of the history") {
  const test::made_project before;
  const test::made_project now;
  now.generate(now.read("quern.toml") + calls);
  CHECK(history_of(now, before).empty());
  CHECK(history_of(before, before).empty());
}

TEST_CASE("what the base has and the project lacks is named") {
  const test::made_project before;
  const test::made_project now;
  before.generate(before.read("quern.toml") + calls);
  CHECK(history_of(now, before) == words{"history_removed main has the line \"calls\", which is missing here",
                                         "history_removed main has core/0002_add_calls.sql, which is missing here"});
}

TEST_CASE("two sides that add to one line have diverged") {
  const test::made_project before;
  const test::made_project now;
  before.generate(before.read("quern.toml") + calls);
  now.generate(now.read("quern.toml") + letters);
  CHECK(history_of(now, before) ==
        words{"history_removed main has the line \"calls\", which is missing here",
              "history_diverged main has core/0002_add_calls.sql where 0002_add_letters.sql stands here"});
}

TEST_CASE("a lock that is gone, or whose migration has another checksum, is a change of the history") {
  const test::made_project before;
  const test::made_project now;
  const std::string lock = now.read("migrations/quern.lock");
  const auto place = lock.find("\"checksum\": \"", lock.rfind("\"sms\"")) + 13;
  now.write("migrations/quern.lock", std::string{lock}.replace(place, 4, "0000"));
  CHECK(history_of(now, before) == words{"history_changed sms/0001_create.sql is not the one of main"});
  fs::remove(now.root() / "migrations/quern.lock");
  CHECK(history_of(now, before) == words{"history_removed main has a lock, and there is none here"});
}

TEST_CASE("a base is a commit, also for a project in a directory whose name has blanks and line ends") {
  const test::made_project project;
  const fs::path odd = project.root() / "a b\nc";
  fs::create_directory(odd);
  for (const auto* name : {"quern.toml", "migrations", "generated"}) fs::rename(project.root() / name, odd / name);
  project.write("a b\nc/migrations/email/hooks/0001_after.sql", "select 1;\n");
  commit(project.root());
  const auto base = check::read_base("HEAD", odd / "migrations");
  CHECK(base.has_lock);
  CHECK(base.lock.project == "shop");
  CHECK(base.hooks == std::map<std::string, std::string>{{"email/hooks/0001_after.sql", "select 1;\n"}});
  project.write("a b\nc/migrations/quern.lock", "edited after the commit");
  CHECK(check::read_base("main", odd / "migrations").lock == base.lock);
}

TEST_CASE("a commit without a lock is a base that has nothing") {
  const test::made_project project;
  git(project.root(), {"init", "-q"});
  git(project.root(), {"add", "quern.toml"});
  git(project.root(), {"commit", "-q", "-m", "first"});
  const auto base = check::read_base("HEAD", project.root() / "migrations");
  CHECK_FALSE(base.has_lock);
  CHECK(codes_of(project.check(base)).empty());
  CHECK_FALSE(check::read_base("HEAD", project.root() / "nowhere" / "migrations").has_lock);
}

TEST_CASE("a base that there is not is refused with what to do") {
  const test::made_project project;
  const fs::path migrations = project.root() / "migrations";
  CHECK_THAT(refusal("main", migrations), test::contains("is in no git repository: not a git repository"));
  commit(project.root());
  CHECK(refusal("origin/main", migrations) ==
        "git knows no commit `origin/main` here; get it with `git fetch origin main`, and in GitHub Actions with "
        "`fetch-depth: 0` for actions/checkout");
  CHECK(refusal("--upload-pack=touch x", migrations) == "`--upload-pack=touch x` is no commit");
  CHECK(refusal("", migrations) == "--against needs a commit, a lock file or a directory");
  CHECK_THAT(refusal("HEAD", "/tmp"), test::contains("/tmp is in no git repository"));
}

TEST_CASE("in a shallow clone the refusal says that it is one") {
  const test::made_project project;
  commit(project.root());
  project.write("more", "x");
  git(project.root(), {"add", "-A"});
  git(project.root(), {"commit", "-q", "-m", "more"});
  const fs::path clone = project.root() / "clone";
  git(project.root(), {"clone", "-q", "--depth=1", "file://" + project.root().string(), clone.string()});
  CHECK_THAT(refusal("HEAD~1", clone / "migrations"),
             test::contains("git knows no commit `HEAD~1` here: this is a shallow clone; get it with "));
  CHECK(check::read_base("origin/main", clone / "migrations").has_lock);
}

TEST_CASE("a lock of the base that cannot be read is refused with its place") {
  const test::made_project project;
  project.write("old.lock", "<<<<<<< HEAD\n");
  const std::string file = (project.root() / "old.lock").string();
  CHECK_THAT(refusal(file, "migrations"), test::contains("old.lock:1:1: error: the lock holds a merge conflict"));
  project.write("good.lock", project.read("migrations/quern.lock"));
  const auto base = check::read_base((project.root() / "good.lock").string(), "migrations");
  CHECK(base.has_lock);
  CHECK_FALSE(base.hooks.has_value());
}
