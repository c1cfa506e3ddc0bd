// Steps outside of a transaction: an index that is built without locking anybody out.

#include <fmt/format.h>

#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <thread>

#include "migrate/runner.hpp"
#include "migrate/runner_lock.hpp"
#include "migrate/workspace.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/processes.hpp"

using migrate::moment;
using migrate::reason;

namespace {

constexpr auto long_enough = std::chrono::seconds{30};

// A table, and a migration that gives it an index.
class workshop {
 public:
  workshop() {
    run("create table public.letter (id bigint, sender bigint); insert into public.letter values (1, 1), (2, 2)");
    write_index("create unique index concurrently letter_sender on public.letter (sender);");
  }

  const std::string& url() const { return db_.url(); }

  void write_index(const std::string& sql, const std::string& sections = all_sections) const {
    space_.add("core/0001_index",
               {{.name = "before", .sql = "create table public.first ();"},
                {.name = "index", .sql = sql, .lock_timeout = "0", .transaction = "no", .sections = sections},
                {.name = "after", .sql = "comment on index public.letter_sender is 'made';"}});
  }

  void run(const std::string& sql) const { quern::connection{url()}.run_script(sql); }

  template <class T>
  T ask(const std::string& query) const {
    return quern::connection{url()}.execute(query).template value<T>();
  }

  migrate::request how() const { return {.database = url(), .schema = "shop", .patience = long_enough}; }

  migrate::directory files() const { return space_.read(); }

  // All three steps are done once, the index is valid, nothing else is left.
  bool is_done() const {
    const auto found = migrate::look(files(), url(), "shop");
    return migrate::look(files(), url(), "shop").compared == migrate::comparison{} && found.applied.size() == 3 &&
           ask<bool>(
               "select indisvalid and obj_description(indexrelid) = 'made' from pg_index "
               "where indexrelid = 'public.letter_sender'::regclass") &&
           ask<std::int64_t>("select count(*) from pg_index where indrelid = 'public.letter'::regclass") == 1;
  }

  static const std::string all_sections;

 private:
  test::database db_{};
  test::workspace space_{};
};

const std::string workshop::all_sections =
    "-- probe\nselect i.indisvalid from pg_index i where i.indexrelid = to_regclass('public.letter_sender');\n"
    "-- cleanup\ndrop index concurrently if exists public.letter_sender;\n"
    "-- reverse\ndrop index concurrently if exists public.letter_sender;\n";

// A runner that ends itself at this point of the step `index`.
void die_at(const workshop& shop, moment when) {
  test::other_process runner{[&] {
    migrate::request how = shop.how();
    how.reached = [when](moment now, const migrate::migration&, const migrate::step& part) {
      if (now == when && part.name == "index") test::die();
    };
    migrate::apply(shop.files(), how);
  }};
  REQUIRE(test::has_died(runner.wait_for_end()));
}

// The work lock is free, so nothing that a killed runner began is under way.
const std::string no_runner =
    "select count(*) = 0 from pg_stat_activity where application_name = 'quern migrate' and datname = "
    "current_database()";

const std::string runner_builds_and_waits =
    "select count(*) > 0 from pg_stat_activity where application_name = 'quern migrate' and query like 'create "
    "unique%' "
    "and wait_event_type = 'Lock' and datname = current_database()";

}  // namespace

TEST_CASE("a step outside of a transaction builds an index concurrently and is recorded") {
  const workshop shop;
  CHECK(migrate::apply(shop.files(), shop.how()) == migrate::summary{.migrations = 1, .steps = 3});
  CHECK(shop.is_done());
  const auto found = migrate::look(shop.files(), shop.url(), "shop");
  CHECK(found.applied[1].step_name == "index");
  CHECK(found.applied[1].is_finished);
  CHECK_FALSE(found.applied[1].is_transactional);
  CHECK(found.applied[1].is_reversible);
  CHECK(found.applied[1].duration > 0);
}

TEST_CASE("a runner that is killed at any point of a step outside of a transaction is resumed") {
  for (const moment when : {moment::begun, moment::executed, moment::recorded}) {
    const workshop shop;
    die_at(shop, when);
    const std::int64_t before =
        when == moment::begun ? 0 : shop.ask<std::int64_t>("select 'letter_sender'::regclass::oid::bigint");
    CHECK(migrate::apply(shop.files(), shop.how()).steps == (when == moment::recorded ? 1 : 2));
    CHECK(shop.is_done());
    // What was built before the kill is not built again.
    if (when != moment::begun) CHECK(shop.ask<std::int64_t>("select 'letter_sender'::regclass::oid::bigint") == before);
  }
}

TEST_CASE("a runner that is killed while it builds an index is resumed, and the INVALID index is built again") {
  const workshop shop;
  test::holder reader{shop.url(), "select count(*) from public.letter"};
  test::other_process killed{[&] { migrate::apply(shop.files(), shop.how()); }};
  test::wait_until(shop.url(), runner_builds_and_waits);
  killed.kill_now();
  shop.run(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'quern migrate' and datname = "
      "current_database()");
  test::wait_until(shop.url(), no_runner);
  REQUIRE_FALSE(shop.ask<bool>("select indisvalid from pg_index where indexrelid = 'letter_sender'::regclass"));
  reader.release();
  CHECK(migrate::apply(shop.files(), shop.how()).steps == 2);
  CHECK(shop.is_done());
}

TEST_CASE("an INVALID index that somebody else has left behind is removed and built again") {
  const workshop shop;
  shop.run("insert into public.letter values (3, 2)");
  CHECK_THROWS_AS(shop.run("create unique index concurrently letter_sender on public.letter (sender)"),
                  quern::database_error);
  shop.run("delete from public.letter where id = 3");
  REQUIRE_FALSE(shop.ask<bool>("select indisvalid from pg_index where indexrelid = 'letter_sender'::regclass"));
  migrate::apply(shop.files(), shop.how());
  CHECK(shop.is_done());
}

TEST_CASE("a step outside of a transaction that fails is cleaned up, told with its line, and goes on when it can") {
  const workshop shop;
  shop.run("insert into public.letter values (3, 2)");
  const migrate::error refused = test::refusal(shop.files(), shop.how());
  CHECK(refused.why() == reason::failed);
  CHECK_THAT(
      refused.what(),
      test::contains("core/0001_index.sql:16: could not create unique index \"letter_sender\" (SQLSTATE 23505)"));
  CHECK_THAT(refused.what(),
             test::ends_with("\ncore/0001_index, step index failed: its cleanup has removed what it left "
                             "behind"));
  CHECK(shop.ask<bool>("select to_regclass('letter_sender') is null"));
  CHECK(migrate::look(shop.files(), shop.url(), "shop").applied.size() == 1);
  shop.run("delete from public.letter where id = 3");
  migrate::apply(shop.files(), shop.how());
  CHECK(shop.is_done());
}

TEST_CASE("a step outside of a transaction without a cleanup says that what it did remains") {
  const workshop shop;
  shop.write_index("create table public.half ();\n-- größer\nselect 1,\n  'ä' || nothing;", "");
  const migrate::error refused = test::refusal(shop.files(), shop.how());
  CHECK_THAT(refused.what(),
             test::contains("core/0001_index.sql:19: column \"nothing\" does not exist (SQLSTATE 42703)"));
  CHECK_THAT(refused.what(), test::ends_with("step index failed: what this step has done outside of a transaction "
                                             "remains, and the next run goes on there"));
  const auto found = migrate::look(shop.files(), shop.url(), "shop");
  REQUIRE(found.applied.size() == 2);
  CHECK_FALSE(found.applied[1].is_finished);
  CHECK(found.compared.pending.front().first_step == 1);
}

TEST_CASE("a probe that is still false after the step is a failure, and so is one that is no boolean") {
  const auto refused_with = [](const std::string& probe) {
    const workshop shop;
    shop.write_index("select 1;", "-- probe\n" + probe + "\n");
    return std::string{test::refusal(shop.files(), shop.how()).what()};
  };
  CHECK_THAT(
      refused_with("select false;"),
      test::contains("core/0001_index.sql:18: every statement succeeded, but the probe says that the step is not "
                     "done\ncore/0001_index, step index failed"));
  CHECK_THAT(refused_with("select 'yes'::text;"),
             test::contains("core/0001_index.sql:18: the probe gave no boolean: it should be a query of one boolean"));
  CHECK_THAT(refused_with("select true from generate_series(1, 2);"),
             test::contains("the probe gave more than one row"));
  CHECK_THAT(refused_with("select nothing;"), test::contains("core/0001_index.sql: column \"nothing\" does not exist"));
}

TEST_CASE("a step outside of a transaction may commit in the middle, and sees no search_path") {
  const workshop shop;
  shop.write_index(
      "do $$ begin insert into public.letter values (10, 10); commit; insert into public.letter values (11, 11); end "
      "$$;\n"
      "create unique index concurrently letter_sender on public.letter (sender);\n"
      "create table public.seen as select current_setting('search_path') as path, "
      "current_setting('lock_timeout') as patience;",
      "");
  migrate::apply(shop.files(), shop.how());
  CHECK(shop.ask<std::int64_t>("select count(*) from public.letter") == 4);
  CHECK(shop.ask<std::string>("select path || '|' || patience from public.seen") == "\"\"|0");
}

TEST_CASE("a concurrent index build waits for old transactions as long as it takes, and says for whom and how far") {
  const workshop shop;
  test::holder reader{shop.url(), "select count(*) from public.letter"};
  migrate::request how = shop.how();
  how.patience = std::chrono::milliseconds{1};  // is no limit here
  std::vector<std::string> told;
  how.progress = [&](std::string_view words) { told.emplace_back(words); };
  std::string last;
  how.under_way = [&](std::string_view words) {
    last = words;
    reader.release();
  };
  CHECK(migrate::apply(shop.files(), how).steps == 3);
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0], test::starts_with(fmt::format("core/0001_index, step index waits for process {} (user postgres, "
                                                    "application the holder, idle in transaction",
                                                    reader.pid())));
  CHECK_THAT(last, test::starts_with("core/0001_index, step index: waiting for "));
  CHECK_THAT(last, test::ends_with(", 1 s"));
  CHECK(shop.is_done());
}

TEST_CASE("several runners at once do not disturb a concurrent index build of somebody else") {
  const workshop shop;
  test::holder reader{shop.url(), "select count(*) from public.letter"};
  test::other_process dba{[&] {
    quern::connection{test::with_application(shop.url(), "the dba")}.execute(
        "create index concurrently letter_id on public.letter (id)");
  }};
  test::wait_until(shop.url(),
                   "select count(*) > 0 from pg_stat_activity where application_name = 'the dba' and "
                   "wait_event_type = 'Lock' and datname = current_database()");
  // One runner is at work for others to wait for, and none of them is what the build waits for.
  quern::connection rival{shop.url()};
  rival.execute("select pg_advisory_lock($1)", migrate::keys_of("shop").guard);
  std::vector<std::thread> runners;
  for (int i = 0; i < 3; ++i) runners.emplace_back([&] { migrate::apply(shop.files(), shop.how()); });
  test::wait_until(
      shop.url(),
      "select count(*) = 3 from pg_stat_activity where application_name = 'quern migrate' and query <> '' "
      "and datname = current_database() and backend_type = 'client backend' and query ~ 'advisory|pg_locks'");
  reader.release();
  CHECK(dba.wait_for_end() == 0);
  CHECK(shop.ask<bool>("select indisvalid from pg_index where indexrelid = 'letter_id'::regclass"));
  shop.run("drop index public.letter_id");
  rival.execute("select pg_advisory_unlock($1)", migrate::keys_of("shop").guard);
  for (std::thread& one : runners) one.join();
  CHECK(shop.is_done());
}

TEST_CASE("what a step locks of what was there before is observed just before it commits") {
  const test::database db;
  quern::connection{db.url()}.run_script("create table public.letter (id bigint); create table public.other ()");
  const test::workspace space;
  space.add("core/0001_lock", {{.name = "strong",
                                .sql = "alter table public.letter add x int, add unique (id);\n"
                                       "create table shop.mine ();\nlock table shop.mine;\n"
                                       "insert into public.other default values;\n"
                                       "comment on table public.other is 'x';"},
                               {.name = "none", .sql = "select 1;"}});
  migrate::request how{.database = db.url(), .schema = "shop", .patience = long_enough};
  std::vector<std::string> told;
  how.observed = [&](const migrate::migration&, const migrate::step& part,
                     const std::vector<migrate::table_lock>& locks) {
    told.push_back(part.name);
    for (const migrate::table_lock& one : locks) told.push_back(one.relation + " " + one.mode);
  };
  CHECK(migrate::apply(space.read(), how).steps == 2);
  CHECK(told == std::vector<std::string>{"strong", "public.letter AccessExclusiveLock", "public.letter ShareLock",
                                         "public.other ShareUpdateExclusiveLock", "none"});
}
