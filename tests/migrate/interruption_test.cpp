// What happens to a runner from outside: another runner, a lock that somebody holds, its own death, the server's end.

#include <fmt/format.h>

#include <optional>
#include <quern/connection.hpp>
#include <quern/transaction.hpp>
#include <thread>

#include "cluster/scratch.hpp"
#include "migrate/runner.hpp"
#include "migrate/runner_lock.hpp"
#include "migrate/workspace.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/processes.hpp"

using migrate::reason;

namespace {

constexpr auto long_enough = std::chrono::seconds{30};

migrate::request for_url(const std::string& url) {
  return {.database = url, .schema = "shop", .patience = long_enough};
}

// Counts how often it ran, and fails when it runs twice.
void add_once(const test::workspace& space, const std::string& title, const std::string& before,
              const std::string& after = "") {
  space.add(title, {{.name = "only",
                     .sql = fmt::format("{}\ninsert into public.ran values ('{}');\n{}", before, title, after),
                     .lock_timeout = "0"}});
}

std::int64_t times_run(const std::string& url) {
  return quern::connection{url}.execute("select count(*) from public.ran").value<std::int64_t>();
}

const std::string runner_waits =
    "select count(*) > 0 from pg_stat_activity where application_name = 'quern migrate' and wait_event_type = 'Lock' "
    "and datname = current_database()";

void end_waiting_runner(const std::string& url) {
  quern::connection{url}.execute(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'quern migrate' and "
      "wait_event_type = 'Lock' and datname = current_database()");
}

}  // namespace

TEST_CASE("two runners at once apply everything once") {
  const test::database db;
  quern::connection{db.url()}.execute("create table public.ran (title text primary key)");
  const test::workspace space;
  for (int number = 1; number <= 20; ++number) add_once(space, fmt::format("core/{:04}_change", number), "");
  const migrate::directory files = space.read();
  migrate::summary here;
  migrate::summary there;
  std::thread other{[&] { there = migrate::apply(files, for_url(db.url())); }};
  here = migrate::apply(files, for_url(db.url()));
  other.join();
  CHECK(here.steps + there.steps == 20);
  CHECK(times_run(db.url()) == 20);
}

TEST_CASE("a runner waits for another one and says who that is") {
  const test::database db;
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only", .sql = "create table shop.a ();"}});
  quern::connection rival{test::with_application(db.url(), "rival")};
  const std::int64_t key = migrate::keys_of("shop").guard;
  rival.execute("select pg_advisory_lock($1)", key);
  migrate::request how = for_url(db.url());
  std::string told;
  how.progress = [&](std::string_view words) {
    told = words;
    rival.execute("select pg_advisory_unlock($1)", key);
  };
  CHECK(migrate::apply(space.read(), how).steps == 1);
  CHECK_THAT(told, test::starts_with(fmt::format("another runner is at work, waiting for process {} (user postgres, "
                                                 "application rival, idle, for ",
                                                 rival.backend_pid())));
}

TEST_CASE("the patience with another runner has an end") {
  const test::database db;
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only", .sql = "create table shop.a ();"}});
  quern::connection rival{test::with_application(db.url(), "rival")};
  for (const std::int64_t key : {migrate::keys_of("shop").guard, migrate::keys_of("shop").work}) {
    rival.execute("select pg_advisory_lock($1)", key);
    migrate::request how = for_url(db.url());
    how.patience = std::chrono::milliseconds{50};
    const migrate::error refused = test::refusal(space.read(), how);
    CHECK(refused.why() == reason::gave_up_waiting);
    CHECK_THAT(refused.what(),
               test::contains(fmt::format("another runner is at work: process {}", rival.backend_pid())));
    rival.execute("select pg_advisory_unlock($1)", key);
  }
}

TEST_CASE("runners of two schemas of one database do not wait for each other") {
  CHECK(migrate::keys_of("shop").guard != migrate::keys_of("bank").guard);
  CHECK(migrate::keys_of("shop").guard != migrate::keys_of("shop").work);
}

TEST_CASE("a step that meets a lock names the session that holds it, and succeeds when it is released") {
  const test::database db;
  quern::connection{db.url()}.execute("create table public.busy ()");
  const test::workspace space;
  space.add("core/0001_create",
            {{.name = "only", .sql = "alter table public.busy add x int;", .lock_timeout = "500ms"}});
  test::holder other{db.url(), "lock table public.busy in access share mode"};
  migrate::request how = for_url(db.url());
  std::vector<std::string> told;
  how.progress = [&](std::string_view words) {
    told.emplace_back(words);
    if (words.ends_with("trying again")) other.release();
  };
  CHECK(migrate::apply(space.read(), how).steps == 1);
  REQUIRE(told.size() == 2);
  CHECK_THAT(told[0], test::starts_with(fmt::format("core/0001_create, step only waits for process {} (user postgres, "
                                                    "application the holder, idle in transaction, for ",
                                                    other.pid())));
  CHECK_THAT(told[0], test::ends_with("lock table public.busy in access share mode"));
  CHECK(told[1] == "core/0001_create, step only: canceling statement due to lock timeout; trying again");
}

TEST_CASE("the patience with a lock has an end, and nothing of the step remains") {
  const test::database db;
  quern::connection{db.url()}.execute("create table public.busy ()");
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only",
                                  .sql = "create table shop.a ();\nalter table public.busy add x int;",
                                  .lock_timeout = "400ms"}});
  const test::holder other{db.url(), "lock table public.busy in access share mode"};
  migrate::request how = for_url(db.url());
  how.patience = std::chrono::milliseconds{600};
  const migrate::error refused = test::refusal(space.read(), how);
  CHECK(refused.why() == reason::gave_up_waiting);
  CHECK_THAT(refused.what(), test::contains("core/0001_create.sql:10: canceling statement due to lock timeout"));
  CHECK_THAT(refused.what(), test::contains(fmt::format("blocked by process {}", other.pid())));
  CHECK(quern::connection{db.url()}.execute("select to_regclass('shop.a') is null").value<bool>());
}

TEST_CASE("a runner that is killed while its step waits is resumed, and the step runs once") {
  const test::database db;
  quern::connection{db.url()}.run_script(
      "create table public.ran (title text primary key); create table public.gate ()");
  const test::workspace space;
  add_once(space, "core/0001_create", "");
  // What comes after the gate takes a while, so that the server is still at it when the next runner comes.
  add_once(space, "core/0002_gate", "lock table public.gate;", "select count(*) from generate_series(1, 1000000);");
  add_once(space, "core/0003_last", "");
  const migrate::directory files = space.read();
  test::holder gate{db.url(), "lock table public.gate in access share mode"};
  test::other_process killed{[&] { migrate::apply(files, for_url(db.url())); }};
  test::wait_until(db.url(), runner_waits);
  killed.kill_now();
  gate.release();
  const std::size_t steps = migrate::apply(files, for_url(db.url())).steps;
  // The server may have finished the step of the killed runner, or noticed its end and rolled it back.
  CHECK((steps == 1 || steps == 2));
  CHECK(times_run(db.url()) == 3);
  CHECK(migrate::look(files, db.url(), "shop").compared == migrate::comparison{});
}

TEST_CASE("what a killed runner has left at work keeps the next one waiting") {
  const test::database db;
  quern::connection{db.url()}.run_script(
      "create table public.ran (title text primary key); create table public.gate ()");
  const test::workspace space;
  add_once(space, "core/0001_gate", "", "lock table public.gate;");
  const migrate::directory files = space.read();
  // The session that the killed runner leaves: it holds the work lock until its step has ended.
  quern::connection left_over{test::with_application(db.url(), "left over")};
  left_over.execute("select pg_advisory_lock($1)", migrate::keys_of("shop").work);
  migrate::request how = for_url(db.url());
  int told = 0;
  how.progress = [&](std::string_view words) {
    ++told;
    CHECK_THAT(std::string{words}, test::contains("application left over"));
    // The step ends just now, with its row in the ledger.
    const migrate::migration& one = files.migrations[0];
    left_over.run_script(fmt::format(
        "create schema shop; create table shop.quern_migration (line text, number int, step int, step_count int, name "
        "text, checksum text, applied_at timestamptz default now(), applied_by text default 'x', duration interval "
        "default '0'); insert into shop.quern_migration values ('core', 1, 1, 1, 'gate', '{}'); "
        "insert into public.ran values ('by the left over')",
        one.checksum));
    left_over.execute("select pg_advisory_unlock($1)", migrate::keys_of("shop").work);
  };
  CHECK(migrate::apply(files, how) == migrate::summary{});
  CHECK(told == 1);
  CHECK(times_run(db.url()) == 1);
}

TEST_CASE("a runner that is killed between a step's SQL and its row in the ledger is resumed") {
  const test::database db;
  quern::connection{db.url()}.execute("create table public.ran (title text primary key)");
  const test::workspace space;
  add_once(space, "core/0001_create", "");
  migrate::apply(space.read(), for_url(db.url()));
  add_once(space, "core/0002_next", "");
  add_once(space, "core/0003_last", "");
  const migrate::directory files = space.read();
  test::holder ledger{db.url(), "lock table shop.quern_migration in share mode"};
  test::other_process killed{[&] { migrate::apply(files, for_url(db.url())); }};
  test::wait_until(db.url(), runner_waits);
  killed.kill_now();
  ledger.release();
  migrate::apply(files, for_url(db.url()));
  CHECK(times_run(db.url()) == 3);
  CHECK(migrate::look(files, db.url(), "shop").compared == migrate::comparison{});
}

TEST_CASE("a session that is ended between a step's SQL and its row in the ledger leaves nothing of the step") {
  const test::database db;
  quern::connection{db.url()}.execute("create table public.ran (title text primary key)");
  const test::workspace space;
  add_once(space, "core/0001_create", "");
  migrate::apply(space.read(), for_url(db.url()));
  add_once(space, "core/0002_next", "");
  test::holder ledger{db.url(), "lock table shop.quern_migration in share mode"};
  migrate::request how = for_url(db.url());
  how.progress = [&](std::string_view) { end_waiting_runner(db.url()); };
  CHECK(test::refusal(space.read(), how).why() == reason::unreachable);
  CHECK(times_run(db.url()) == 1);
  ledger.release();
  CHECK(migrate::apply(space.read(), for_url(db.url())).steps == 1);
  CHECK(times_run(db.url()) == 2);
}

TEST_CASE("a runner that is killed while it makes the ledger is resumed") {
  const test::database db;
  quern::connection{db.url()}.execute("create table public.ran (title text primary key)");
  const test::workspace space;
  add_once(space, "core/0001_create", "");
  test::holder name{db.url(), "create schema shop"};
  test::other_process killed{[&] { migrate::apply(space.read(), for_url(db.url())); }};
  test::wait_until(db.url(), runner_waits);
  killed.kill_now();
  name.release();
  CHECK(migrate::apply(space.read(), for_url(db.url())).steps == 1);
  CHECK(times_run(db.url()) == 1);
}

TEST_CASE("a runner that is killed while it waits for another one leaves nothing") {
  const test::database db;
  quern::connection{db.url()}.execute("create table public.ran (title text primary key)");
  const test::workspace space;
  add_once(space, "core/0001_create", "");
  quern::connection rival{db.url()};
  rival.execute("select pg_advisory_lock($1)", migrate::keys_of("shop").guard);
  test::other_process killed{[&] { migrate::apply(space.read(), for_url(db.url())); }};
  test::wait_until(db.url(),
                   "select count(*) > 0 from pg_stat_activity where application_name = 'quern migrate' and "
                   "(query like '%pg_try_advisory_lock%' or query like '%pg_locks%') and datname = current_database()");
  killed.kill_now();
  rival.execute("select pg_advisory_unlock($1)", migrate::keys_of("shop").guard);
  CHECK(migrate::apply(space.read(), for_url(db.url())).steps == 1);
  CHECK(times_run(db.url()) == 1);
}

TEST_CASE("a runner whose session is ended says so, and the next one goes on") {
  const test::database db;
  quern::connection{db.url()}.run_script(
      "create table public.ran (title text primary key); create table public.gate ()");
  const test::workspace space;
  add_once(space, "core/0001_create", "");
  add_once(space, "core/0002_gate", "lock table public.gate;");
  test::holder gate{db.url(), "lock table public.gate in access share mode"};
  migrate::request how = for_url(db.url());
  how.progress = [&](std::string_view) { end_waiting_runner(db.url()); };
  const migrate::error refused = test::refusal(space.read(), how);
  CHECK(refused.why() == reason::unreachable);
  CHECK_THAT(refused.what(), test::starts_with("the connection was lost during core/0002_gate, step only: terminating "
                                               "connection due to administrator command"));
  gate.release();
  CHECK(migrate::apply(space.read(), for_url(db.url())).steps == 1);
  CHECK(times_run(db.url()) == 2);
}

TEST_CASE("a server that is restarted in the middle of a step loses nothing and doubles nothing") {
  cluster::scratch server;
  quern::connection{server.url()}.run_script(
      "create table public.ran (title text primary key); create table public.gate ()");
  const test::workspace space;
  add_once(space, "core/0001_create", "");
  add_once(space, "core/0002_gate", "lock table public.gate;");
  for (const cluster::shutdown how_it_ends : {cluster::shutdown::fast, cluster::shutdown::immediate}) {
    std::optional<test::holder> gate{std::in_place, server.url(), "lock table public.gate in access share mode"};
    migrate::request how = for_url(server.url());
    how.progress = [&](std::string_view) { server.stop(how_it_ends); };
    CHECK(test::refusal(space.read(), how).why() == reason::unreachable);
    gate.reset();
    server.start();
    CHECK(times_run(server.url()) == 1);
  }
  CHECK(migrate::apply(space.read(), for_url(server.url())).steps == 1);
  CHECK(times_run(server.url()) == 2);
}
