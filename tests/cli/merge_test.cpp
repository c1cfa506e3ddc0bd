// Two people change queues on two branches; git merges, and what it cannot merge is numbered anew.

#include <fmt/format.h>

#include <quern/connection.hpp>
#include <string>

#include "cli/team.hpp"
#include "support/catch.hpp"

namespace {

using test::make_conflict;
using test::strings;
using test::team;

}  // namespace

TEST_CASE("branches that change different queues merge without conflict, and both migrations are applied") {
  // Also neighbours in every file.
  for (const auto* const other : {"invoice", "parcel"}) {
    const team shop;
    const auto& here = shop.repository();
    shop.must_migrate();
    shop.branch_with_field("a", "email", "note = \"text?\"");
    shop.branch_with_field("b", other, "note = \"text?\"");
    const auto merged = here.git({"merge", "-q", "a"});
    INFO(merged.out);
    REQUIRE(merged.exit_code == 0);
    shop.is_clean("a");
    shop.is_clean("main");
    shop.must_migrate();
    quern::connection db{shop.url()};
    db.execute("select shop.email_enqueue_v2(p_order_id => 1, p_note => 'x')");
    db.execute(fmt::format("select shop.{}_enqueue_v2(p_order_id => 1, p_note => 'x')", other));
    CHECK(here.must_quern({"status", "--check", "--database", shop.url()}).exit_code == 0);
  }
}

TEST_CASE("branches that add a queue each conflict in the lock, and rebase numbers this side behind the other") {
  const team shop;
  const auto& here = shop.repository();
  shop.branch("a", "[queues.email]\n", "[queues.alarm.payload]\nat = \"timestamp\"\n\n[queues.email]\n");
  shop.branch("b", "[queues.parcel]\n", "[queues.offer.payload]\nat = \"timestamp\"\n\n[queues.parcel]\n");
  CHECK(here.git({"merge", "a"}).exit_code == 1);
  CHECK(shop.conflicts_in("migrations/quern.lock"));
  const auto refused = here.quern({"generate"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, test::contains("the lock holds a merge conflict that was not resolved"));
  CHECK_THAT(refused.err, test::contains("run `quern rebase --onto`"));
  here.must_quern({"rebase", "--onto", "a"});
  here.commit("Merge");
  CHECK(shop.migrations("core") == strings{"0001_create.sql", "0002_add_alarm.sql", "0003_add_offer.sql"});
  shop.is_clean("a");
  shop.must_migrate();
  quern::connection db{shop.url()};
  db.execute("select shop.alarm_enqueue_v1(now()), shop.offer_enqueue_v1(now())");
}

TEST_CASE("a queue that both branches change gets both changes, one behind the other") {
  const team shop;
  const auto& here = shop.repository();
  make_conflict(shop);
  CHECK(here.git({"merge", "a"}).exit_code == 1);
  CHECK(shop.conflicts_in("migrations/quern.lock"));
  shop.keep_both();
  const auto rebased = here.must_quern({"rebase", "--onto", "a"});
  CHECK_THAT(rebased.out,
             test::starts_with("wrote migrations/email/0003_expand_v3.sql\nwrote migrations/quern.lock\n"));
  CHECK_THAT(rebased.err, test::contains("took email/0002_expand_v2.sql from a\n"));
  here.commit("Merge");
  CHECK(here.must_git({"diff", "a", "--", "migrations/email/0002_expand_v2.sql"}).empty());
  shop.is_clean("a");
  CHECK(here.must_quern({"rebase", "--onto", "a"}).out == "nothing has changed\n");
  shop.must_migrate();
  quern::connection db{shop.url()};
  db.execute("select shop.email_enqueue_v2(p_order_id => 1, p_note => 'x')");
  db.execute("select shop.email_enqueue_v3(p_order_id => 2, p_note => 'x', p_tag => 'y')");
}

TEST_CASE("an enumeration to which both branches add a value has both, the base's first") {
  const team shop;
  const auto& here = shop.repository();
  const std::string values = "values = [\"email\", \"sms\"]";
  shop.branch("a", values, "values = [\"email\", \"sms\", \"fax\"]");
  shop.branch("b", values, "values = [\"email\", \"sms\", \"push\"]");
  CHECK(here.git({"merge", "a"}).exit_code == 1);
  CHECK(shop.conflicts_in("migrations/quern.lock"));
  here.desk().write("quern.toml", std::string{test::team_declaration});
  here.edit("quern.toml", values, "values = [\"email\", \"sms\", \"push\", \"fax\"]");
  const auto refused = here.quern({"rebase", "--onto", "a"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, test::contains("channel"));
  here.desk().write("quern.toml", std::string{test::team_declaration});
  here.edit("quern.toml", values, "values = [\"email\", \"sms\", \"fax\", \"push\"]");
  here.must_quern({"rebase", "--onto", "a"});
  here.commit("Merge");
  CHECK(shop.migrations("core") == strings{"0001_create.sql", "0002_change.sql", "0003_change.sql"});
  CHECK(shop.migrations("email") == strings{"0001_create.sql", "0002_expand_v2.sql", "0003_expand_v3.sql"});
  shop.is_clean("a");
  shop.must_migrate();
  quern::connection db{shop.url()};
  CHECK(db.execute("select enum_range(null::shop.channel)::text").value<std::string>() == "{email,sms,fax,push}");
}

TEST_CASE("in the middle of a git rebase each commit is numbered anew, also one that changes its draft once more") {
  const team shop;
  const auto& here = shop.repository();
  make_conflict(shop);
  shop.change("again", "tag = \"text?\"\n", "tag = \"text?\"\nweight = \"int32?\"\n");
  auto step = here.git({"rebase", "a"});
  int conflicts = 0;
  for (; step.exit_code != 0 && conflicts < 3; ++conflicts) {
    shop.keep_both();
    here.must_quern({"rebase", "--onto", "a"});
    shop.is_clean("a");
    here.must_git({"add", "-A"});
    step = here.git({"rebase", "--continue"});
  }
  CHECK(conflicts == 2);
  CHECK(here.must_git({"log", "--format=%s", "a..b"}) == "again\nb");
  CHECK(shop.migrations("email") == strings{"0001_create.sql", "0002_expand_v2.sql", "0003_expand_v3.sql"});
  shop.is_clean("a");
  shop.must_migrate();
  quern::connection db{shop.url()};
  db.execute("select shop.email_enqueue_v3(p_order_id => 2, p_note => 'x', p_tag => 'y', p_weight => 1)");
}

TEST_CASE("a database that got a draft under its old number says so, and gets the new ones with --replace-drafts") {
  const team shop;
  const auto& here = shop.repository();
  make_conflict(shop);
  shop.must_migrate();
  here.git({"merge", "a"});
  shop.keep_both();
  here.must_quern({"rebase", "--onto", "a"});
  here.commit("Merge");
  const auto refused = shop.migrate();
  CHECK(refused.exit_code == 6);
  CHECK_THAT(refused.err, test::contains("--replace-drafts"));
  quern::connection db{shop.url()};
  db.execute("select shop.email_enqueue_v1(p_order_id => 7)");
  shop.must_migrate({"--replace-drafts"});
  db.execute("select shop.email_enqueue_v3(p_order_id => 8, p_note => 'x', p_tag => 'y')");
  CHECK(db.execute("select string_agg(order_id::text, ',' order by order_id) from shop.email_take_v3(10)")
            .value<std::string>() == "7,8");
  CHECK(here.must_quern({"drift", "--database", shop.url()}).exit_code == 0);
}

TEST_CASE("generate counts as released what the base has, and goes on when the base is ahead") {
  const team shop;
  const auto& here = shop.repository();
  make_conflict(shop);
  // The base has the draft: an edit makes a new one behind it.
  here.must_git({"branch", "-q", "base"});
  here.edit("quern.toml", "tag = \"text?\"\n", "tag = \"text?\"\nweight = \"int32?\"\n");
  here.must_quern({"generate", "--against", "base"});
  CHECK(shop.migrations("email") == strings{"0001_create.sql", "0002_expand_v2.sql", "0003_expand_v3.sql"});
  shop.is_clean("base");
  here.must_git({"reset", "-q", "--hard", "base"});
  here.must_git({"clean", "-qfd"});
  // It is not in this base: the draft is written anew.
  here.edit("quern.toml", "tag = \"text?\"\n", "tag = \"text?\"\nweight = \"int32?\"\n");
  here.must_quern({"generate", "--against", "main"});
  CHECK(shop.migrations("email") == strings{"0001_create.sql", "0002_expand_v2.sql"});
  here.commit("weight");
  // The base has other migrations of this queue, and a queue that is not known here yet.
  here.must_git({"checkout", "-q", "a"});
  shop.change("alarm", "[queues.email]\n", "[queues.alarm.payload]\nat = \"timestamp\"\n\n[queues.email]\n");
  here.must_git({"checkout", "-q", "b"});
  CHECK(here.must_quern({"generate", "--against", "a"}).out == "nothing has changed\n");
}
