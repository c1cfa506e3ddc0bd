// How `quern work` begins: what it refuses, what it needs, and what it leaves behind when it cannot go on.

#include <fmt/format.h>

#include <csignal>
#include <quern/connection.hpp>
#include <sstream>
#include <string>

#include "cli/counter.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/places.hpp"

namespace {

using test::counter;

constexpr const char* shop = R"(
[queues.email]
payload = { n = "int32" }
[streams.activity]
payload = { kind = "text" }
[streams.activity.consumers.audit]
)";

}  // namespace

TEST_CASE("a role that may only consume works on a consumer of a stream") {
  test::ensure_role("work_consumer");
  const counter at{R"(
[streams.activity]
grants = { consume = ["work_consumer"] }
payload = { kind = "text" }
[streams.activity.consumers.notifier]
workers = "cooperative"
)"};
  at.run({"publish", "activity", "--json", R"({"kind": "a"})"});
  const auto as_consumer = [&](const std::string& target) {
    return at.quern(
        {"work", target, "--drain", "--exec", "cat > seen", "--database", test::with_user(at.url(), "work_consumer")});
  };
  const auto worked = as_consumer("activity/notifier");
  CHECK(worked.exit_code == 0);
  CHECK(worked.err == "quern: 1 handled\n");
  CHECK(as_consumer("activity/nobody").err == "quern: error: stream activity has no consumer \"nobody\"\n");
}

TEST_CASE("a handler that cannot be started is tried again once a second") {
  const counter at{shop};
  at.run({"enqueue", "email", "--json", R"({"n": 1})"});
  const std::string worker =
      "ulimit -n 10; exec timeout -s TERM 2 " + test::program().string() + " work email --exec true";
  const auto ended = at.desk().run({"sh", "-c", worker}, {{"QUERN_DATABASE", at.url()}});
  std::istringstream lines{ended.err};
  int failures = 0;
  for (std::string line; std::getline(lines, line);) failures += line.ends_with("Too many open files") ? 1 : 0;
  INFO(ended.err);
  CHECK(failures >= 1);
  CHECK(failures <= 3);
  quern::connection db{at.url()};
  CHECK(db.execute("select ready from shop.email_stats()").value<std::int64_t>() == 1);
}

TEST_CASE("a command of blanks is refused, and nothing is taken for handled") {
  const counter at{shop};
  at.run({"enqueue", "email", "--json", R"({"n": 1})"});
  for (const std::string command : {"", " \t\n"}) {
    const auto refused = at.quern({"work", "email", "--drain", "--exec", command});
    CHECK(refused.exit_code == 2);
    CHECK(refused.err == "quern: error: --exec names no command\n");
  }
  CHECK(test::stats_of(at, "email").at("ready") == 1);
}

TEST_CASE("a worker has one connection") {
  const counter at{shop};
  auto worker = at.start({"work", "email", "--exec", "true"});
  test::wait_until(at.url(), "select exists (select from shop.quern_workers() where status = 'polling')");
  quern::connection db{at.url()};
  CHECK(db.execute("select count(*) from pg_stat_activity where application_name like 'quern work%' and datname = "
                   "current_database()")
            .value<std::int64_t>() == 1);
  worker.signal(SIGTERM);
  CHECK(worker.end().exit_code == 0);
}

TEST_CASE("a worker that cannot go on is not taken for one that died") {
  const counter at{shop};
  const auto refused = at.quern({"work", "activity/audit", "--exec", "true"});
  CHECK(refused.exit_code == 1);
  quern::connection db{at.url()};
  CHECK(db.execute("select string_agg(status, ' ') from shop.quern_workers()").value<std::string>() == "stopped");
}
