// Taking back what was applied.

#include "migrate/rollback.hpp"

#include <fmt/format.h>

#include <mutex>
#include <quern/connection.hpp>
#include <thread>
#include <utility>

#include "migrate/runner.hpp"
#include "migrate/runner_lock.hpp"
#include "migrate/workspace.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/processes.hpp"

using migrate::reason;
using titles = std::vector<std::string>;

namespace {

// core/0001, email/0001 (irreversible) and email/0002: two tables, an index that is built concurrently, a table.
class shop {
 public:
  shop() {
    space_.add(
        "core/0001_create",
        {{.name = "only", .sql = "create table shop.core ();", .sections = "-- reverse\ndrop table shop.core;\n"}});
    space_.add("email/0001_create", {{.name = "only", .sql = "create table shop.email (id bigint);"}});
    space_.add("email/0002_expand", {table("one"), table("two"), index(), table("three")});
  }

  static test::step_text table(const std::string& name) {
    return {.name = name,
            .sql = fmt::format("create table shop.{} (x int);", name),
            .sections = fmt::format("-- reverse\ndrop table shop.{};\n", name)};
  }

  static test::step_text index() {
    return {.name = "index",
            .sql = "create index concurrently email_id on shop.email (id);",
            .lock_timeout = "0",
            .transaction = "no",
            .sections =
                "-- probe\nselect i.indisvalid from pg_index i where i.indexrelid = to_regclass('shop.email_id');\n"
                "-- cleanup\ndrop index concurrently if exists shop.email_id;\n"
                "-- reverse\ndrop index concurrently if exists shop.email_id;\n"};
  }

  const test::workspace& space() const { return space_; }

  const std::string& url() const { return db_.url(); }

  void migrate() const {
    migrate::apply(space_.read(), {.database = url(), .schema = "shop", .patience = std::chrono::seconds{30}});
  }

  migrate::rollback_request how(const std::string& line = "email", std::optional<int> number = {}) const {
    return {.database = url(), .schema = "shop", .line = line, .number = number, .patience = std::chrono::seconds{30}};
  }

  migrate::error refusal(const migrate::rollback_request& of) const {
    try {
      migrate::rollback(of);
    } catch (const migrate::error& refused) {
      return refused;
    }
    throw std::runtime_error{"rollback() did not refuse"};
  }

  void run(const std::string& sql) const { quern::connection{url()}.run_script(sql); }

  bool ask(const std::string& query) const { return quern::connection{url()}.execute(query).value<bool>(); }

  // Of email/0002 everything is there, or nothing.
  bool has_expansion() const {
    return ask("select count(*) = 4 from pg_class where relname in ('one', 'two', 'three', 'email_id')") &&
           ask("select count(*) = 6 and bool_and(is_finished) from shop.quern_migration");
  }

  bool has_no_expansion() const {
    return ask("select count(*) = 0 from pg_class where relname in ('one', 'two', 'three', 'email_id')") &&
           ask("select count(*) = 2 from shop.quern_migration");
  }

 private:
  test::database db_{};
  test::workspace space_{};
};

const std::string rollback_waits =
    "select count(*) > 0 from pg_stat_activity where application_name = 'quern rollback' and wait_event_type = 'Lock' "
    "and datname = current_database()";

const std::string guarded =
    "-- reverse\ndo $$ declare n bigint := (select count(*) from shop.email); begin\n"
    "  if n > 0 then raise exception using errcode = 'QN008', message = 'messages of v2 remain', detail = format('%s "
    "of "
    "them.', n); end if;\nend $$;\n";

}  // namespace

TEST_CASE("a rollback takes back the newest migration from its last step to its first, and it can be applied again") {
  const shop all;
  all.migrate();
  REQUIRE(all.has_expansion());
  migrate::rollback_request how = all.how();
  titles steps;
  how.taken_back = [&](const migrate::applied_step& row, std::chrono::milliseconds) { steps.push_back(row.step_name); };
  CHECK(migrate::rollback(how) == titles{"email/0002_expand"});
  CHECK(steps == titles{"three", "index", "two", "one"});
  CHECK(all.has_no_expansion());
  all.migrate();
  CHECK(all.has_expansion());
}

TEST_CASE("a rollback to a number is done when it is, and does nothing when that is not applied") {
  const shop all;
  all.space().add("email/0003_more", {shop::table("more")});
  all.migrate();
  CHECK(migrate::rollback(all.how("email", 2)) == titles{"email/0003_more", "email/0002_expand"});
  CHECK(migrate::rollback(all.how("email", 2)).empty());
  CHECK(migrate::rollback(all.how("sms")).empty());
  CHECK(all.has_no_expansion());
}

TEST_CASE("without a line the migration that was applied last is taken back") {
  const shop all;
  all.migrate();
  all.space().add("alarm/0001_create", {shop::table("alarm")});
  all.migrate();
  migrate::rollback_request how = all.how();
  how.line.reset();
  CHECK(migrate::rollback(how) == titles{"alarm/0001_create"});
  CHECK(migrate::rollback(how) == titles{"email/0002_expand"});
}

TEST_CASE("what is undone is what was applied, whatever the file says now") {
  const shop all;
  all.migrate();
  all.space().remove("email/0002_expand.sql");
  migrate::rollback(all.how());
  CHECK(all.has_no_expansion());
}

TEST_CASE("a rollback over a step that cannot be undone names it and changes nothing") {
  const shop all;
  all.migrate();
  const migrate::error refused = all.refusal(all.how("email", 1));
  CHECK(refused.why() == reason::wrong_input);
  CHECK(std::string{refused.what()} ==
        "cannot be taken back, because the ledger has no reverse of this step; nothing was changed\n"
        "  email/0001_create, step only");
  CHECK(all.has_expansion());
}

TEST_CASE("a ledger of an older version is upgraded in place, and its steps cannot be undone") {
  const shop all;
  all.migrate();
  all.run(
      "alter table shop.quern_migration drop column step_name, drop column is_hook, drop column is_draft, drop column "
      "is_finished, drop column is_transactional, drop column lock_timeout, drop column statement_timeout, drop column "
      "reverse");
  CHECK(migrate::look(all.space().read(), all.url(), "shop").compared == migrate::comparison{});
  CHECK_THAT(all.refusal(all.how()).what(),
             test::ends_with("\n  email/0002_expand, step 1\n  email/0002_expand, step 2\n"
                             "  email/0002_expand, step 3\n  email/0002_expand, step 4"));
  all.space().add("email/0003_more", {shop::table("more")});
  all.migrate();
  CHECK(migrate::rollback(all.how()) == titles{"email/0003_more"});
}

TEST_CASE("core is not taken back while other lines have what was applied after it") {
  const shop all;
  all.migrate();
  const migrate::error refused = all.refusal(all.how("core"));
  CHECK(refused.why() == reason::wrong_input);
  CHECK(std::string{refused.what()} ==
        "core/0001_create cannot be taken back: every line may need what core has, and email/0001_create was applied "
        "after it; take that back first; nothing was changed");
  all.space().add("core/0002_more", {shop::table("more")});
  all.migrate();
  CHECK(migrate::rollback(all.how("core")) == titles{"core/0002_more"});
}

TEST_CASE("a guard that says still in use stops a rollback, and nothing is lost") {
  const shop all;
  all.space().add("email/0002_expand",
                  {shop::table("one"), {.name = "guard", .sql = "-- A guard.", .sections = guarded}});
  all.migrate();
  all.run("insert into shop.email values (1), (2)");
  const migrate::error refused = all.refusal(all.how());
  CHECK(refused.why() == reason::still_in_use);
  CHECK_THAT(refused.what(), test::starts_with("the reverse of email/0002_expand, step guard:1: messages of v2 remain "
                                               "(SQLSTATE QN008)\n  detail: 2 of them."));
  CHECK_THAT(refused.what(),
             test::ends_with("\ntaking back email/0002_expand, step guard failed: the step is as it was, "
                             "what was taken back before it stays so"));
  CHECK(all.ask("select count(*) = 4 from shop.quern_migration"));
  CHECK(all.ask("select to_regclass('shop.one') is not null"));
}

TEST_CASE("a rollback can wait until nothing depends on it, and says how what remains changes") {
  const shop all;
  all.space().add("email/0002_expand",
                  {shop::table("one"), {.name = "guard", .sql = "-- A guard.", .sections = guarded}});
  all.migrate();
  all.run("insert into shop.email values (1), (2)");
  migrate::rollback_request how = all.how();
  how.wait_for_use = std::chrono::seconds{30};
  titles told;
  how.progress = [&](std::string_view words) {
    told.emplace_back(words);
    all.run(told.size() == 1 ? "delete from shop.email where id = 1" : "delete from shop.email");
  };
  CHECK(migrate::rollback(how) == titles{"email/0002_expand"});
  CHECK(told == titles{"taking back email/0002_expand, step guard waits: messages of v2 remain (2 of them.)",
                       "taking back email/0002_expand, step guard waits: messages of v2 remain (1 of them.)"});

  all.migrate();
  all.run("insert into shop.email values (1)");
  how.wait_for_use = std::chrono::milliseconds{300};
  how.progress = [](std::string_view) {};
  CHECK(all.refusal(how).why() == reason::still_in_use);
}

TEST_CASE("a rollback that is killed at any step goes on when it is run again, and so does migrate") {
  for (const std::string dies_after : {"three", "index begun", "index executed", "index", "two"})
    for (const bool goes_forward : {false, true}) {
      const shop all;
      all.migrate();
      test::other_process killed{[&] {
        migrate::rollback_request how = all.how();
        const auto die_at = [&](const std::string& point) {
          if (point == dies_after) test::die();
        };
        how.taken_back = [&](const migrate::applied_step& row, std::chrono::milliseconds) { die_at(row.step_name); };
        how.begun = [&](const migrate::applied_step& row) { die_at(row.step_name + " begun"); };
        how.executed = [&](const migrate::applied_step& row) { die_at(row.step_name + " executed"); };
        migrate::rollback(how);
      }};
      REQUIRE(test::has_died(killed.wait_for_end()));
      INFO(dies_after);
      if (goes_forward) {
        all.migrate();
        CHECK(all.has_expansion());
      } else {
        CHECK(migrate::rollback(all.how("email", 2)) == titles{"email/0002_expand"});
        CHECK(all.has_no_expansion());
      }
    }
}

TEST_CASE("what a killed run has begun of a step outside of a transaction is taken back as well") {
  const shop all;
  test::other_process killed{[&] {
    migrate::request how{.database = all.url(), .schema = "shop", .patience = std::chrono::seconds{30}};
    how.reached = [](migrate::moment now, const migrate::migration&, const migrate::step& part) {
      if (now == migrate::moment::executed && part.name == "index") test::die();
    };
    migrate::apply(all.space().read(), how);
  }};
  REQUIRE(test::has_died(killed.wait_for_end()));
  REQUIRE(all.ask("select to_regclass('shop.email_id') is not null"));
  migrate::rollback(all.how());
  CHECK(all.has_no_expansion());
}

TEST_CASE("a rollback that is killed while a step waits for a lock goes on when it is run again") {
  const shop all;
  all.migrate();
  test::holder reader{all.url(), "lock table shop.two in access share mode"};
  test::other_process killed{[&] { migrate::rollback(all.how()); }};
  test::wait_until(all.url(), rollback_waits);
  killed.kill_now();
  reader.release();
  migrate::rollback(all.how("email", 2));
  CHECK(all.has_no_expansion());
}

TEST_CASE("two rollbacks at once take one migration back") {
  const shop all;
  all.space().add("email/0003_more", {shop::table("more")});
  all.migrate();
  quern::connection rival{all.url()};
  rival.execute("select pg_advisory_lock($1)", migrate::keys_of("shop").guard);
  titles both;
  std::vector<std::thread> runs;
  std::mutex one_at_a_time;
  for (int i = 0; i < 2; ++i)
    runs.emplace_back([&] {
      const titles gone = migrate::rollback(all.how());
      const std::scoped_lock held{one_at_a_time};
      both.insert(both.end(), gone.begin(), gone.end());
    });
  test::wait_until(all.url(),
                   "select count(distinct pid) >= 4 from pg_stat_activity where application_name = 'quern "
                   "rollback' and datname = current_database()");
  rival.execute("select pg_advisory_unlock_all()");
  for (std::thread& one : runs) one.join();
  CHECK(both == titles{"email/0003_more"});
  CHECK(all.has_expansion());
}

TEST_CASE("a rollback of the newest migration is refused when another one came on top of it meanwhile") {
  const shop all;
  all.migrate();
  all.space().add("email/0003_more", {shop::table("more")});
  quern::connection rival{all.url()};
  rival.execute("select pg_advisory_lock($1)", migrate::keys_of("shop").work);
  migrate::rollback_request how = all.how();
  bool is_first = true;
  how.progress = [&](std::string_view) {
    if (!std::exchange(is_first, false)) return;
    all.run(
        "insert into shop.quern_migration (line, number, step, step_count, name, checksum) values ('email', 3, 1, 1, "
        "'more', 'x')");
    rival.execute("select pg_advisory_unlock_all()");
  };
  const migrate::error refused = all.refusal(how);
  CHECK(refused.why() == reason::history_mismatch);
  CHECK(std::string{refused.what()} ==
        "email/0003_more was applied on top of email/0002_expand meanwhile; nothing was taken back");
}

TEST_CASE("what a dry run of a rollback prints does what the rollback would do") {
  const shop all;
  all.migrate();
  const std::string sql = migrate::rollback_dry_run(all.how());
  CHECK(all.has_expansion());
  CHECK_THAT(
      sql, test::starts_with("-- taking back email/0002_expand, step three\nbegin isolation level read committed;\n"));
  // Line by line, as psql sends it: an index is dropped concurrently.
  quern::connection db{all.url()};
  std::string statement;
  for (const char c : sql) {
    statement += c;
    if (!statement.ends_with(";\n")) continue;
    db.run_script(statement);
    statement.clear();
  }
  CHECK(all.has_no_expansion());
}
