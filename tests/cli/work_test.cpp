// `quern work --exec`: real handlers, which end well, fail, hang, and outlive nobody.

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <string>
#include <thread>

#include "cli/counter.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using test::counter;

constexpr const char* shop = R"(
[queues.email]
retry = { max_attempts = 1 }
payload = { n = "int32" }
[queues.bulk]
storage = "log"
retry = { max_attempts = 1 }
payload = { n = "int32" }
[queues.light]
retry = { max_attempts = 3, initial = "1h" }
payload = { n = "int32" }
[streams.activity]
payload = { kind = "text" }
[streams.activity.consumers.audit]
[streams.activity.consumers.notifier]
workers = "cooperative"
retry = { max_attempts = 1 }
)";

/// Until it is so; fails the test after half a minute.
void wait_for(const std::string& what, const std::function<bool()>& is_so) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!is_so()) {
    INFO(what);
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

bool has(const counter& at, const std::string& file) {
  return std::filesystem::exists(at.desk().root() / file);
}

void enqueue(const counter& at, const std::string& queue, int n) {
  at.run({"enqueue", queue, "--json", fmt::format("{{\"n\": {}}}", n)});
}

/// `ready delayed leased dead`.
std::string states(quern::connection& db, const std::string& queue) {
  return db.execute(fmt::format("select concat_ws(' ', ready, delayed, leased, dead) from shop.{}_stats()", queue))
      .value<std::string>();
}

// Says that it has begun and who it is, and goes on until there is a file `go`. A child of it would do so forever.
constexpr const char* waits_for_go =
    "sleep 600 & echo $$ > pid.new; mv pid.new pid; while [ ! -e go ]; do sleep 0.01; done";

pid_t begun(const counter& at) {
  wait_for("the handler has begun", [&] { return has(at, "pid"); });
  return std::stoi(at.desk().read("pid"));
}

// What was killed is there until whoever has inherited it has noticed.
void check_gone(pid_t group) {
  wait_for("the handler is gone", [&] { return kill(-group, 0) != 0 && errno == ESRCH; });
}

}  // namespace

TEST_CASE("a handler gets its payload and who it is, and its exit status ends the message") {
  const counter at{shop};
  quern::connection db{at.url()};
  for (const std::string queue : {"email", "bulk"}) {
    for (int n = 1; n <= 3; ++n) enqueue(at, queue, n);
    const auto worked =
        at.quern({"work", queue, "--drain", "--exec",
                  "cat >> seen; echo $QUERN_QUEUE $QUERN_ATTEMPT >> who; test -n \"$QUERN_MESSAGE_ID\""});
    CHECK(worked.exit_code == 0);
    CHECK(worked.err == "quern: 3 handled\n");
    CHECK(at.desk().read("seen") == "{\"n\": 1}\n{\"n\": 2}\n{\"n\": 3}\n");
    CHECK(at.desk().read("who") == fmt::format("{0} 1\n{0} 1\n{0} 1\n", queue));
    CHECK(states(db, queue) == "0 0 0 0");
    std::filesystem::remove(at.desk().root() / "seen");
    std::filesystem::remove(at.desk().root() / "who");
  }
}

TEST_CASE("another exit status is a failed attempt with the last words of the handler") {
  const counter at{shop};
  quern::connection db{at.url()};
  for (const std::string queue : {"email", "bulk"}) {
    enqueue(at, queue, 1);
    const auto worked = at.quern({"work", queue, "--drain", "--exec", "printf 'caf\\303\\251 \\377\\n' >&2; exit 3"});
    CHECK(worked.exit_code == 0);
    CHECK_THAT(worked.err, test::contains("failed at attempt 1, dead: exit status 3: café �\n"));
    CHECK_THAT(worked.err, test::ends_with("quern: 0 handled, 1 failed\n"));
    CHECK(db.execute(fmt::format("select last_error from shop.{}_dead", queue)).value<std::string>() ==
          "exit status 3: café �");
  }
  enqueue(at, "email", 2);
  at.run({"work", "email", "--drain", "--exec", "kill -9 $$"});
  CHECK(db.execute("select last_error from shop.email_dead where n = 2").value<std::string>() == "killed by signal 9");
  enqueue(at, "email", 3);
  at.run({"work", "email", "--drain", "--exec", "./does_not_exist"});
  CHECK_THAT(db.execute("select last_error from shop.email_dead where n = 3").value<std::string>(),
             test::starts_with("exit status 127: sh: 1: ./does_not_exist: not found"));
}

TEST_CASE("only the end of long last words is kept") {
  const counter at{shop};
  quern::connection db{at.url()};
  enqueue(at, "email", 1);
  at.run({"work", "email", "--drain", "--exec", "yes | head -c 1000000 >&2; printf end >&2; exit 1"});
  const auto error = db.execute("select last_error from shop.email_dead").value<std::string>();
  CHECK(error.size() == 2000 + std::string{"exit status 1: "}.size());
  CHECK_THAT(error, test::ends_with("y\nend"));
}

TEST_CASE("a payload that is larger than a pipe arrives whole, and nobody has to read it") {
  const counter at{"[queues.hooks]\npayload = \"jsonb\"\n"};
  const std::string large(1'000'000, 'x');
  for (int i = 0; i < 2; ++i) at.run({"enqueue", "hooks", "--json", "-"}, fmt::format("\"{}\"\n", large));
  CHECK(
      at.quern({"work", "hooks", "--drain", "--exec", "if [ ! -e one ]; then touch one; else wc -c > size; fi"}).err ==
      "quern: 2 handled\n");
  CHECK(at.desk().read("size") == "1000003\n");
}

TEST_CASE("handlers run at once up to the concurrency") {
  const counter at{shop};
  for (int n = 1; n <= 3; ++n) enqueue(at, "email", n);
  // Each ends when there are three of them.
  const auto worked =
      at.quern({"work", "email", "--drain", "--concurrency", "3", "--exec",
                "touch here.$QUERN_MESSAGE_ID; while [ $(ls here.* | wc -l) -lt 3 ]; do sleep 0.01; done"});
  CHECK(worked.err == "quern: 3 handled\n");
}

TEST_CASE("a handler that runs for too long is ended with all that it has started") {
  const counter at{shop};
  quern::connection db{at.url()};
  enqueue(at, "email", 1);
  at.run({"work", "email", "--drain", "--timeout", "200ms", "--grace", "100ms", "--exec",
          fmt::format("trap '' TERM; {}", waits_for_go)});
  check_gone(begun(at));
  CHECK(db.execute("select last_error from shop.email_dead").value<std::string>() == "ran longer than 0.2 s");
}

TEST_CASE("a handler that ends well after its time is over has failed all the same") {
  const counter at{shop};
  quern::connection db{at.url()};
  enqueue(at, "email", 1);
  at.run({"work", "email", "--drain", "--timeout", "300ms", "--exec", "trap 'exit 0' TERM; sleep 600 & wait"});
  CHECK(db.execute("select last_error from shop.email_dead").value<std::string>() == "ran longer than 0.3 s");
}

TEST_CASE("what a handler leaves behind ends with it") {
  const counter at{shop};
  enqueue(at, "email", 1);
  CHECK(at.quern({"work", "email", "--drain", "--exec", "sleep 600 & echo $$ > pid.new; mv pid.new pid"}).err ==
        "quern: 1 handled\n");
  check_gone(begun(at));
}

TEST_CASE("a request to stop lets the running handler finish and claims nothing more") {
  for (const int request : {SIGTERM, SIGINT}) {
    const counter at{shop};
    quern::connection db{at.url()};
    enqueue(at, "email", 1);
    enqueue(at, "email", 2);
    auto worker = at.start({"work", "email", "--exec", waits_for_go});
    begun(at);
    worker.signal(request);
    at.desk().write("go", "");
    const auto ended = worker.end();
    CHECK(ended.exit_code == 0);
    CHECK(ended.err == "quern: stopping when 1 handler has finished; a second signal ends it now\nquern: 1 handled\n");
    CHECK(states(db, "email") == "1 0 0 0");
  }
}

TEST_CASE("a second request ends the handler, and its message is given back with all its attempts") {
  for (const bool is_timed : {false, true}) {
    const counter at{shop};
    quern::connection db{at.url()};
    enqueue(at, "email", 1);
    std::vector<std::string> words{"work", "email", "--exec", waits_for_go};
    if (is_timed) words.insert(words.end(), {"--stop-timeout", "50ms"});
    auto worker = at.start(words);
    const pid_t group = begun(at);
    worker.signal(SIGTERM);
    if (!is_timed) worker.signal(SIGINT);
    const auto ended = worker.end();
    CHECK(ended.exit_code == 0);
    CHECK_THAT(ended.err, test::ends_with("quern: 0 handled, 1 given back\n"));
    check_gone(group);
    CHECK(states(db, "email") == "1 0 0 0");
    CHECK(db.execute("select attempt - release_count from shop.email_message").value<int>() == 0);
  }
}

TEST_CASE("the handlers of a worker that is killed do not outlive it") {
  const counter at{shop};
  enqueue(at, "email", 1);
  auto worker = at.start({"work", "email", "--exec", waits_for_go});
  const pid_t group = begun(at);
  worker.signal(SIGKILL);
  worker.end();
  check_gone(group);
}

TEST_CASE("a lease is extended while its handler runs") {
  const counter at{shop};
  quern::connection db{at.url()};
  for (const std::string queue : {"email", "bulk"}) {
    enqueue(at, queue, 1);
    auto worker = at.start({"work", queue, "--lease", "1s", "--exec", waits_for_go});
    begun(at);
    const std::string lease = queue == "bulk"
                                  ? "select max(lease_until) from (select lease_until from shop.bulk_live union "
                                    "all select lease_until from shop.bulk_delayed) as l"
                                  : "select lease_until from shop.email_message";
    const auto first = db.execute(fmt::format("select ({})::text", lease)).value<std::string>();
    test::wait_until(at.url(), fmt::format("select ({}) > timestamptz '{}' + interval '1 second'", lease, first));
    CHECK(states(db, queue) == "0 0 1 0");
    worker.signal(SIGTERM);
    at.desk().write("go", "");
    CHECK_THAT(worker.end().err, test::ends_with("quern: 1 handled\n"));
    CHECK(states(db, queue) == "0 0 0 0");
    for (const auto* file : {"go", "pid"}) std::filesystem::remove(at.desk().root() / file);
  }
}

TEST_CASE("a handler whose message somebody else has is ended, and ends nothing") {
  const counter at{shop};
  quern::connection db{at.url()};
  enqueue(at, "email", 1);
  auto worker = at.start({"work", "email", "--lease", "300ms", "--exec", waits_for_go});
  const pid_t group = begun(at);
  db.execute("update shop.email_message set attempt = attempt + 1, lease_until = now() + interval '1 hour'");
  check_gone(group);
  worker.signal(SIGTERM);
  const auto ended = worker.end();
  CHECK(ended.exit_code == 0);
  CHECK_THAT(ended.err, test::contains(": attempt 1 is not the current one any more; its handler is ended\n"));
  CHECK_THAT(ended.err, test::ends_with("quern: 0 handled, 1 lost to others\n"));
  CHECK(states(db, "email") == "0 0 1 0");
}

TEST_CASE("an idle worker asks producers to notify, and a busy one does not") {
  const counter at{shop};
  quern::connection db{at.url()};
  auto worker = at.start({"work", "email", "--exec", waits_for_go});
  const std::string waits =
      "exists (select from pg_locks as l join pg_stat_activity as a using (pid) where l.locktype = 'advisory' and "
      "l.mode = "
      "'ShareLock' and a.application_name = 'quern work email' and a.datname = current_database())";
  test::wait_until(at.url(), "select " + waits);
  enqueue(at, "email", 1);
  begun(at);
  test::wait_until(at.url(), "select not " + waits);
  at.desk().write("go", "");
  test::wait_until(at.url(), "select " + waits);
  CHECK(states(db, "email") == "0 0 0 0");
  worker.signal(SIGINT);
  CHECK(worker.end().exit_code == 0);
}

TEST_CASE("a worker is in the list of workers while it lives, and stats counts it") {
  const counter at{shop};
  quern::connection db{at.url()};
  const auto count = [&] {
    const auto all = nlohmann::json::parse(at.run({"stats", "email", "--json"}));
    const auto& email = all.at("queues").at(0);
    return fmt::format("{} alive, {} dead", email.at("workers").get<int>(), email.at("dead_workers").get<int>());
  };
  const auto expect = [&](const std::string& status) {
    test::wait_until(at.url(), fmt::format("select exists (select from shop.quern_workers() where queue = 'email' and "
                                           "consumer is null and status = '{}')",
                                           status));
  };
  auto worker = at.start({"work", "email", "--exec", waits_for_go});
  expect("polling");
  CHECK(count() == "1 alive, 0 dead");
  enqueue(at, "email", 1);
  begun(at);
  worker.signal(SIGTERM);
  expect("interrupted");
  CHECK(count() == "1 alive, 0 dead");
  at.desk().write("go", "");
  CHECK(worker.end().exit_code == 0);
  expect("stopped");
  CHECK(count() == "0 alive, 0 dead");
  auto killed = at.start({"work", "email", "--exec", waits_for_go});
  expect("polling");
  killed.signal(SIGKILL);
  killed.end();
  expect("dead");
  CHECK(count() == "0 alive, 1 dead");
  CHECK_THAT(at.run({"stats", "email"}), test::contains("0 (1 dead)"));
}

TEST_CASE("behind a pooler a worker looks again and again, and listens to nothing") {
  const counter at{shop};
  quern::connection db{at.url()};
  auto worker = at.start({"work", "email", "--poll", "--exec", "true"});
  const std::string session =
      "pg_stat_activity where application_name = 'quern work email' and datname = "
      "current_database() and query like '%next_due%' and state = 'idle'";
  test::wait_until(at.url(), "select exists (select from " + session + ")");
  enqueue(at, "email", 1);
  test::wait_until(at.url(), "select ready + leased = 0 from shop.email_stats()");
  CHECK(db.execute("select count(*) from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and database = "
                   "(select oid from pg_database where datname = current_database())")
            .value<std::int64_t>() == 0);
  worker.signal(SIGTERM);
  const auto ended = worker.end();
  CHECK(ended.exit_code == 0);
  CHECK(ended.err == "quern: 1 handled\n");
}

TEST_CASE("a handler goes on while the connection is lost, and its message is ended over the next one") {
  const counter at{shop};
  quern::connection db{at.url()};
  enqueue(at, "email", 1);
  auto worker = at.start({"work", "email", "--exec", waits_for_go});
  begun(at);
  const std::string backend =
      "pg_stat_activity where application_name = 'quern work email' and datname = current_database()";
  const auto lost = db.execute("select pid, pg_terminate_backend(pid) from " + backend).single_row().get<int>(0);
  test::wait_until(at.url(), fmt::format("select exists (select from {} and pid <> {})", backend, lost));
  at.desk().write("go", "");
  test::wait_until(at.url(), "select not exists (select from shop.email_message)");
  worker.signal(SIGTERM);
  const auto ended = worker.end();
  CHECK(ended.exit_code == 0);
  CHECK_THAT(ended.err, test::contains("; trying again\n"));
  CHECK_THAT(ended.err, test::contains("quern: connected again\n"));
  CHECK_THAT(ended.err, test::ends_with("quern: 1 handled\n"));
}

TEST_CASE("drain leaves what is not due, and what others work on") {
  const counter at{shop};
  quern::connection db{at.url()};
  enqueue(at, "light", 1);
  db.execute("select shop.light_claim_v1()");
  enqueue(at, "light", 2);
  enqueue(at, "light", 3);
  at.run({"enqueue", "light", "--json", "{\"n\": 4}", "--delay", "1h"});
  const auto worked = at.quern({"work", "light", "--drain", "--exec", "grep -q 2"});
  CHECK(worked.exit_code == 0);
  CHECK_THAT(worked.err, test::contains("failed at attempt 1, retry: exit status 1\n"));
  CHECK(states(db, "light") == "0 2 1 0");
}

TEST_CASE("workers share a cooperative consumer of a stream, event by event") {
  const counter at{shop};
  quern::connection db{at.url()};
  at.run({"publish", "activity", "--json", "-"}, "{\"kind\": \"a\"}\n{\"kind\": \"b\"}\n{\"kind\": \"c\"}\n");
  const auto worked = at.quern({"work", "activity/notifier", "--drain", "--concurrency", "2", "--exec",
                                "grep -v b || exit 1; echo $QUERN_STREAM $QUERN_CONSUMER $QUERN_EVENT_OFFSET >> who"});
  CHECK(worked.exit_code == 0);
  CHECK_THAT(worked.err, test::contains("quern: activity/notifier 2 failed at attempt 1, dead: exit status 1\n"));
  CHECK_THAT(worked.err, test::ends_with("quern: 2 handled, 1 failed\n"));
  CHECK_THAT(at.desk().read("who"), test::contains("activity notifier 3\n"));
  CHECK(db.execute("select concat_ws(' ', behind, claims, retries, dead) from shop.activity_lag() where consumer = "
                   "'notifier'")
            .value<std::string>() == "0 0 0 1");

  CHECK(at.quern({"work", "activity", "--exec", "true"}).err ==
        "quern: error: say which cooperative consumer of stream activity: activity/CONSUMER\n");
  CHECK_THAT(at.quern({"work", "activity/audit", "--exec", "true"}).err,
             test::starts_with("quern: error: consumer \"audit\" of stream \"activity\" is not cooperative"));
  CHECK(at.quern({"work", "email", "--contract", "7", "--exec", "true"}).err ==
        "quern: error: queue email has no contract v7\n");
}
