// Hand-written SQL before and after a migration.

#include <fmt/format.h>

#include <quern/connection.hpp>

#include "migrate/rollback.hpp"
#include "migrate/runner.hpp"
#include "migrate/workspace.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

using migrate::reason;

namespace {

class shop {
 public:
  shop() {
    quern::connection{db_.url()}.execute("create table public.ran (number serial, what text)");
    space_.add("email/0001_create", {{.name = "only", .sql = note("create"), .sections = "-- reverse\n-- Nothing.\n"}});
  }

  static std::string note(const std::string& what) {
    return fmt::format("insert into public.ran (what) values ('{}');\n", what);
  }

  void write(const std::string& hook, const std::string& text) const { space_.write("email/hooks/" + hook, text); }

  void remove(const std::string& hook) const { space_.remove("email/hooks/" + hook); }

  migrate::request how() const {
    return {.database = db_.url(), .schema = "shop", .patience = std::chrono::seconds{30}};
  }

  migrate::directory files() const { return space_.read(); }

  std::size_t migrate() const { return migrate::apply(files(), how()).steps; }

  std::string ran() const {
    return quern::connection{db_.url()}
        .execute("select string_agg(what, ' ' order by number) from public.ran")
        .value<std::string>();
  }

  // The one mismatch that status would show.
  std::string mismatch() const {
    const migrate::directory read = files();
    const auto found = migrate::look(read, db_.url(), "shop").compared.mismatches;
    return found.size() == 1 ? found.front() : fmt::format("{} mismatches", found.size());
  }

  const std::string& url() const { return db_.url(); }

 private:
  test::database db_{};
  test::workspace space_{};
};

}  // namespace

TEST_CASE("hooks run before and after their migration, are recorded with their own checksums, and are taken back") {
  const shop all;
  all.write("0001_before.sql", shop::note("before") + "-- reverse\n" + shop::note("undone_before"));
  all.write("0001_after.sql", shop::note("after") + "-- reverse\n" + shop::note("undone_after"));
  CHECK(all.migrate() == 3);
  CHECK(all.ran() == "before create after");
  const migrate::directory files = all.files();
  const auto found = migrate::look(files, all.url(), "shop");
  CHECK(found.compared == migrate::comparison{});
  REQUIRE(found.applied.size() == 3);
  CHECK(found.applied[0].is_hook);
  CHECK(found.applied[0].checksum == files.migrations[0].steps[0].from_hook->checksum);
  CHECK_FALSE(found.applied[1].is_hook);
  migrate::rollback({.database = all.url(), .schema = "shop", .line = "email"});
  CHECK(all.ran() == "before create after undone_after undone_before");
}

TEST_CASE("a hook that fails is told with its own file and line") {
  const shop all;
  all.write("0001_after.sql", "-- Words.\nselect nothing;\n");
  const migrate::error refused = test::refusal(all.files(), all.how());
  CHECK_THAT(refused.what(), test::contains("email/hooks/0001_after.sql:2: column \"nothing\" does not exist"));
  CHECK_THAT(refused.what(), test::contains("email/0001_create, step after failed"));
  // It is part of nothing yet, and can be mended.
  all.write("0001_after.sql", shop::note("after"));
  CHECK(all.migrate() == 1);
  CHECK(all.ran() == "create after");
}

TEST_CASE("a hook that was edited, added or removed after it was applied is a mismatch") {
  const shop all;
  all.write("0001_after.sql", shop::note("after"));
  all.migrate();
  all.write("0001_after.sql", shop::note("edited"));
  CHECK_THAT(all.mismatch(),
             test::contains("email/hooks/0001_after.sql was edited after email/0001_create, step after was "
                            "applied at "));
  CHECK(test::refusal(all.files(), all.how()).why() == reason::history_mismatch);
  all.write("0001_after.sql", shop::note("after"));
  CHECK(all.mismatch() == "0 mismatches");
  all.write("0001_before.sql", shop::note("before"));
  CHECK_THAT(all.mismatch(),
             test::starts_with("a hook of email/0001_create.sql was added or removed after email/0001_create, "
                               "step only was applied at "));
  all.remove("0001_before.sql");
  all.remove("0001_after.sql");
  CHECK_THAT(all.mismatch(),
             test::starts_with("a hook of email/0001_create.sql was added or removed after it was applied at "));
  CHECK_THAT(all.mismatch(), test::ends_with(": the files make 1 steps of it, the database has 2"));
}

TEST_CASE("a hook that failed outside of a transaction can be mended, also so that it runs in one") {
  const shop all;
  const std::string head =
      "-- step: index\n-- lock: none\n-- lock_timeout: 0\n-- statement_timeout: 0\n-- transaction: ";
  all.write("0001_after.sql", head + "no\n" + shop::note("half") + "select nothing;\n");
  CHECK(test::refusal(all.files(), all.how()).why() == reason::failed);
  all.write("0001_after.sql", head + "yes\n" + shop::note("whole"));
  CHECK(all.migrate() == 1);
  CHECK(all.ran() == "create half whole");
  CHECK(all.mismatch() == "0 mismatches");
}
