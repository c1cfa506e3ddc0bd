// Drafts: migrations that are generated again before their contract is released.

#include <fmt/format.h>

#include <quern/connection.hpp>

#include "migrate/rollback.hpp"
#include "migrate/runner.hpp"
#include "migrate/workspace.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/processes.hpp"

using migrate::reason;

namespace {

class shop {
 public:
  shop() {
    add("core/0001_create", "core");
    add("email/0001_create", "email");
    add("email/0002_expand", "old");
    migrate({"email/0002_expand.sql"});
  }

  // A migration that makes a table.
  void add(const std::string& title, const std::string& table, const std::string& guard = "") const {
    space_.add(title, {{.name = table,
                        .sql = fmt::format("create table shop.{} ();", table),
                        .sections = fmt::format("-- reverse\n{}drop table shop.{};\n", guard, table)}});
  }

  const test::workspace& space() const { return space_; }

  migrate::request how(const migrate::draft_names& drafts, bool replaces = false) const {
    return {.database = db_.url(),
            .schema = "shop",
            .patience = std::chrono::seconds{30},
            .drafts = drafts,
            .replaces_drafts = replaces};
  }

  migrate::summary migrate(const migrate::draft_names& drafts, bool replaces = false) const {
    return migrate::apply(space_.read(), how(drafts, replaces));
  }

  migrate::error refusal(const migrate::draft_names& drafts, bool replaces = false) const {
    return test::refusal(space_.read(), how(drafts, replaces));
  }

  std::string tables() const {
    return quern::connection{db_.url()}
        .execute(
            "select coalesce(string_agg(relname::text, ' ' order by relname), '') from pg_class where relkind = 'r' "
            "and relnamespace = 'shop'::regnamespace and relname <> 'quern_migration'")
        .value<std::string>();
  }

  const std::string& url() const { return db_.url(); }

 private:
  test::database db_{};
  test::workspace space_{};
};

const migrate::draft_names expand{"email/0002_expand.sql"};

}  // namespace

TEST_CASE("a draft that was generated again is refused in words of its own, and replaced when that is asked for") {
  const shop all;
  all.add("email/0002_expand", "new");
  const migrate::error refused = all.refusal(expand);
  CHECK(refused.why() == reason::history_mismatch);
  CHECK(std::string{refused.what()} ==
        "the database has drafts that are not these files; nothing was applied\n"
        "  email/0002_expand is a draft and was generated again after this database got it: `quern migrate "
        "--replace-drafts` takes the old draft back and applies the new one");
  CHECK(all.tables() == "core email old");
  CHECK(migrate::look(all.space().read(), all.url(), "shop", expand).compared.stale_drafts.size() == 1);
  CHECK(all.migrate(expand, true) == migrate::summary{.migrations = 1, .steps = 1});
  CHECK(all.tables() == "core email new");
  CHECK(all.migrate(expand) == migrate::summary{});
}

TEST_CASE("a draft whose file was renamed or is gone is taken back as well") {
  const shop all;
  all.space().remove("email/0002_expand.sql");
  all.add("email/0002_grow", "new");
  CHECK_THAT(all.refusal({"email/0002_grow.sql"}).what(),
             test::contains("\n  email/0002_expand is a draft that this database got, and its file is "
                            "email/0002_grow.sql now: `quern migrate --replace-drafts` takes the old draft back"));
  CHECK(all.migrate({"email/0002_grow.sql"}, true).steps == 1);
  CHECK(all.tables() == "core email new");
  all.space().remove("email/0002_grow.sql");
  CHECK_THAT(
      all.refusal({}).what(),
      test::contains("\n  email/0002_grow is a draft that this database got, and its file is gone: `quern migrate "
                     "--replace-drafts` takes it back"));
  CHECK(all.migrate({}, true) == migrate::summary{});
  CHECK(all.tables() == "core email");
}

TEST_CASE("a draft that was released in another form is replaced as well") {
  const shop all;
  all.add("email/0002_expand", "new");
  CHECK_THAT(all.refusal({}).what(),
             test::contains("\n  email/0002_expand was released in another form than the draft that "
                            "this database got: `quern migrate --replace-drafts`"));
  all.migrate({}, true);
  CHECK(all.tables() == "core email new");
}

TEST_CASE("a draft that was released as it is is a draft no more") {
  const shop all;
  CHECK(all.migrate({}) == migrate::summary{});
  all.add("email/0002_expand", "new");
  const migrate::error refused = all.refusal({}, true);
  CHECK(refused.why() == reason::history_mismatch);
  CHECK_THAT(refused.what(), test::contains("email/0002_expand.sql was edited after it was applied at "));
  all.space().remove("email/0002_expand.sql");
  CHECK(all.refusal({}, true).why() == reason::database_ahead);
  CHECK(all.tables() == "core email old");
}

TEST_CASE("drafts on top of a draft that changed are taken back with it, and nothing else is") {
  const shop all;
  all.add("email/0003_more", "more");
  all.migrate({"email/0002_expand.sql", "email/0003_more.sql"});
  all.add("email/0002_expand", "new");
  CHECK(all.migrate({"email/0002_expand.sql", "email/0003_more.sql"}, true).migrations == 2);
  CHECK(all.tables() == "core email more new");

  all.migrate({"email/0002_expand.sql"});  // 0003 is released
  all.add("email/0002_expand", "newer");
  const migrate::error refused = all.refusal({"email/0002_expand.sql"}, true);
  CHECK(refused.why() == reason::history_mismatch);
  CHECK(std::string{refused.what()} ==
        "email/0003_more was applied on top of a draft that changed, and is no draft itself: take it back with `quern "
        "rollback` first, or bring the draft's file back; nothing was changed");
}

TEST_CASE("a draft of core takes the drafts of other lines that came after it along") {
  const shop all;
  all.add("core/0002_more", "more");
  all.add("sms/0001_create", "sms");
  all.migrate({"core/0002_more.sql", "sms/0001_create.sql", "email/0002_expand.sql"});
  all.add("core/0002_more", "other");
  std::vector<std::string> gone;
  migrate::request how = all.how({"core/0002_more.sql", "sms/0001_create.sql", "email/0002_expand.sql"}, true);
  how.taken_back = [&](const migrate::applied_step& row, std::chrono::milliseconds) { gone.push_back(title(row)); };
  migrate::apply(all.space().read(), how);
  CHECK(gone == std::vector<std::string>{"sms/0001_create, step sms", "core/0002_more, step more"});
  CHECK(all.tables() == "core email old other sms");
}

TEST_CASE("a draft that is still in use stays, and nothing is applied") {
  const shop all;
  all.migrate(expand, true);
  migrate::rollback({.database = all.url(), .schema = "shop", .line = "email"});
  all.add("email/0002_expand", "old", "do $$ begin raise exception 'in use' using errcode = 'QN008'; end $$;\n");
  all.migrate(expand);
  all.add("email/0002_expand", "new");
  CHECK(all.refusal(expand, true).why() == reason::still_in_use);
  CHECK(all.tables() == "core email old");
}

TEST_CASE("a draft that cannot be undone is named before anything is changed") {
  const shop all;
  all.space().add("email/0003_last", {{.name = "only", .sql = "create table shop.last ();"}});
  all.migrate({"email/0002_expand.sql", "email/0003_last.sql"});
  all.add("email/0002_expand", "new");
  const migrate::error refused = all.refusal({"email/0002_expand.sql", "email/0003_last.sql"}, true);
  CHECK_THAT(refused.what(), test::ends_with("nothing was changed\n  email/0003_last, step only"));
  CHECK(all.tables() == "core email last old");
}

TEST_CASE("a replacement that is killed between taking back and applying goes on") {
  const shop all;
  all.add("email/0002_expand", "new");
  test::other_process killed{[&] {
    migrate::request how = all.how(expand, true);
    how.taken_back = [](const migrate::applied_step&, std::chrono::milliseconds) { test::die(); };
    migrate::apply(all.space().read(), how);
  }};
  REQUIRE(test::has_died(killed.wait_for_end()));
  CHECK(all.tables() == "core email");
  CHECK(all.migrate(expand).steps == 1);
  CHECK(all.tables() == "core email new");
}
