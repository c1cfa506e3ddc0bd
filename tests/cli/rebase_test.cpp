// quern rebase: what must stay as it is, and what happens when something is in its way.

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "cli/team.hpp"
#include "support/catch.hpp"
#include "support/places.hpp"

namespace {

namespace fs = std::filesystem;
using test::make_conflict;
using test::team;

}  // namespace

TEST_CASE("released migrations are never numbered anew: rebase is refused, and nothing is changed") {
  const team shop;
  const auto& here = shop.repository();
  shop.branch_with_field("a", "email", "note = \"text?\"");
  here.must_git({"checkout", "-q", "-b", "b", "main"});
  here.edit("quern.toml", "[queues.email.payload]\n", "[queues.email.payload]\ntag = \"text?\"\n");
  here.must_quern({"generate"});
  here.must_quern({"release"});
  here.commit("b");
  here.git({"merge", "a"});
  shop.keep_both();
  const auto before = here.must_git({"diff"});
  const auto refused = here.quern({"rebase", "--onto", "a"});
  CHECK(refused.exit_code == 6);
  CHECK_THAT(refused.err, test::starts_with("quern: error: email/0002_expand_v2.sql is released here, and a has "
                                            "email/0002_expand_v2.sql in its place: what is released is never "
                                            "numbered anew\n"));
  CHECK(here.must_git({"diff"}) == before);
  // The other side has only drafts, and can.
  here.must_git({"merge", "--abort"});
  here.must_git({"checkout", "-q", "a"});
  here.git({"merge", "b"});
  shop.keep_both();
  here.must_quern({"rebase", "--onto", "b"});
  here.commit("Merge");
  CHECK(here.must_git({"diff", "b", "--", "migrations/email/0002_expand_v2.sql"}).empty());
  shop.is_clean("b");
}

TEST_CASE("hooks go with their drafts, and those of the base stay as they are") {
  const team shop;
  const auto& here = shop.repository();
  const std::string old_place = "migrations/email/hooks/0002_after.sql";
  const std::string new_place = "migrations/email/hooks/0003_after.sql";
  for (const bool has_base_hook : {false, true}) {
    here.must_git({"checkout", "-q", "main"});
    here.git({"branch", "-q", "-D", "a", "b"});
    shop.branch_with_field("a", "email", "note = \"text?\"");
    if (has_base_hook) {
      here.desk().write(old_place, "create table shop.of_a ();\n");
      here.commit("Hook of a");
    }
    shop.branch_with_field("b", "email", "tag = \"text?\"");
    here.desk().write(old_place, "create table shop.of_b ();\n");
    here.commit("Hook of b");
    here.git({"merge", "a"});
    shop.keep_both();
    here.must_quern({"rebase", "--onto", "a"});
    CHECK(here.desk().read(new_place) == "create table shop.of_b ();\n");
    CHECK(here.desk().read(old_place) == (has_base_hook ? "create table shop.of_a ();\n" : ""));
    CHECK(fs::exists(here.desk().root() / old_place) == has_base_hook);
    here.commit("Merge");
    shop.is_clean("a");
    CHECK(here.must_quern({"rebase", "--onto", "a"}).out == "nothing has changed\n");
  }
}

TEST_CASE("a hook that stands where one belongs is not overwritten") {
  const team shop;
  const auto& here = shop.repository();
  make_conflict(shop);
  here.desk().write("migrations/email/hooks/0002_after.sql", "create table shop.of_b ();\n");
  here.commit("Hook of b");
  here.git({"merge", "a"});
  shop.keep_both();
  here.desk().write("migrations/email/hooks/0003_after.sql", "create table shop.somebody ();\n");
  const auto refused = here.quern({"rebase", "--onto", "a"});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err ==
        "quern: error: nothing was written\nmigrations/email/hooks/0003_after.sql is in the way: the hook "
        "email/hooks/0002_after.sql belongs there\n");
  CHECK(here.desk().read("migrations/email/hooks/0003_after.sql") == "create table shop.somebody ();\n");
}

TEST_CASE("a rebase that is killed at any point is run again, and ends as if nothing had been") {
  const team shop;
  const auto& here = shop.repository();
  make_conflict(shop);
  here.desk().write("migrations/email/hooks/0002_after.sql", "create table shop.of_b ();\n");
  here.commit("Hook of b");
  here.git({"merge", "a"});
  shop.keep_both();
  here.must_git({"add", "quern.toml"});
  const test::desk whole;
  fs::copy(here.desk().root(), whole.root(), fs::copy_options::recursive);
  REQUIRE(whole.quern({"rebase", "--onto", "a"}, test::repository::environment()).exit_code == 0);
  // The kernel kills who writes a file beyond this size, in blocks of 512 bytes: each time a bit further.
  int killed = 0;
  for (const int blocks : {0, 1, 8, 32, 64, 128}) {
    const auto ended = here.desk().run(
        {"sh", "-c", fmt::format("ulimit -f {}; exec \"$0\" rebase --onto a", blocks), test::program().string()},
        test::repository::environment());
    if (ended.exit_code == 0) break;
    CHECK(ended.exit_code == 128 + SIGXFSZ);
    ++killed;
  }
  CHECK(killed >= 3);
  here.must_quern({"rebase", "--onto", "a"});
  const auto compared =
      here.desk().run({"diff", "-r", "-x", ".git", "-x", ".out", "-x", ".err", whole.root().string(), "."});
  CHECK(compared.out.empty());
  here.commit("Merge");
  shop.is_clean("a");
}

TEST_CASE("rebase wants a commit that is merged here, has a lock, and is known") {
  const team shop;
  const auto& here = shop.repository();
  make_conflict(shop);
  auto refused = here.quern({"rebase", "--onto", "a"});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err ==
        "quern: error: a is not merged here: run `git merge a` or `git rebase a` first, and merge the declaration\n");
  refused = here.quern({"rebase", "--onto", "nothing"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, test::starts_with("quern: error: git knows no commit `nothing` here; "));
  CHECK(here.quern({"rebase"}).exit_code == 2);
  here.must_git({"checkout", "-q", "--orphan", "empty"});
  here.must_git({"rm", "-rqf", "."});
  here.must_git({"commit", "-q", "--allow-empty", "-m", "nothing"});
  here.must_git({"checkout", "-q", "b"});
  here.must_git({"merge", "-q", "--allow-unrelated-histories", "empty"});
  refused = here.quern({"rebase", "--onto", "empty"});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err == "quern: error: empty has no migrations/quern.lock: there is nothing to number behind\n");
  CHECK(here.must_git({"status", "--porcelain"}).empty());
}

TEST_CASE("there is nothing to do for rebase in a tree without drafts, or with drafts behind the base") {
  const team shop;
  const auto& here = shop.repository();
  CHECK(here.must_quern({"rebase", "--onto", "main"}).out == "nothing has changed\n");
  shop.branch_with_field("a", "email", "note = \"text?\"");
  CHECK(here.must_quern({"rebase", "--onto", "main"}).out == "nothing has changed\n");
  CHECK(here.must_git({"status", "--porcelain"}).empty());
}
