// Results on the command line: given by what `quern work --result` runs, awaited by `quern enqueue --wait`.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "cli/counter.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using nlohmann::json;
using test::counter;

constexpr const char* shop = R"(
[queues.email]
keep_done = "1d"
retry = { max_attempts = 1 }
payload = { n = "int32" }
[queues.email.unique]
fields = ["n"]
while = "pending"
[queues.dropped]
keep_done = "1d"
dead_letter = false
retry = { max_attempts = 1 }
payload = { n = "int32" }
[queues.hooks]
payload = "jsonb"
[streams.activity]
payload = { kind = "text" }
[streams.activity.consumers.notifier]
workers = "cooperative"
)";

std::string enqueue(const counter& at, const std::string& queue, int n) {
  auto id = at.run({"enqueue", queue, "--json", fmt::format("{{\"n\": {}}}", n)});
  id.pop_back();
  return id;
}

std::vector<std::string> waiting(const std::string& queue, int n, const std::string& wait = "--wait") {
  return {"enqueue", queue, "--json", fmt::format("{{\"n\": {}}}", n), wait};
}

/// What a call awaits has come into the queue.
void wait_for_message(const counter& at, const std::string& queue) {
  test::wait_until(at.url(), fmt::format("select exists (select from shop.{}_message)", queue));
}

/// Somebody has said that he waits: the end of a message notifies.
void wait_for_waiter(const counter& at) {
  test::wait_until(at.url(),
                   "select exists (select from pg_locks as l join pg_stat_activity as a using (pid) where l.locktype = "
                   "'advisory' and l.mode = 'ShareLock' and a.application_name = 'quern enqueue' and a.datname = "
                   "current_database())");
}

}  // namespace

TEST_CASE("what a handler prints becomes the result of its message") {
  const counter at{shop};
  quern::connection db{at.url()};
  const auto id = enqueue(at, "email", 1);
  const auto worked = at.quern({"work", "email", "--drain", "--result", "--exec",
                                "read line; echo; printf '{\"got\": %s,\\n \"é\": 1.50}\\n' \"$line\""});
  CHECK(worked.exit_code == 0);
  CHECK(worked.out.empty());
  CHECK(worked.err == "quern: 1 handled\n");
  CHECK(db.execute("select state || result::text from shop.email_result($1)", std::stoll(id)).value<std::string>() ==
        R"(done{"é": 1.50, "got": {"n": 1}})");
}

TEST_CASE("without --result what a handler prints is passed on, and there is no result") {
  const counter at{shop};
  quern::connection db{at.url()};
  const auto id = enqueue(at, "email", 1);
  CHECK(at.quern({"work", "email", "--drain", "--exec", "echo 7"}).out == "7\n");
  CHECK(db.execute("select result is null from shop.email_result($1)", std::stoll(id)).value<bool>());
}

TEST_CASE("a result that is larger than a pipe arrives whole") {
  const counter at{shop};
  quern::connection db{at.url()};
  enqueue(at, "email", 1);
  at.run({"work", "email", "--drain", "--result", "--exec",
          "printf '\"'; yes | head -c 3000000 | tr '\\n' ' '; printf '\"'"});
  CHECK(db.execute("select length(result #>> '{}') from shop.email_done()").value<int>() == 3'000'000);
}

TEST_CASE("a handler that prints no JSON has failed, and the dead letter says why") {
  const counter at{shop};
  quern::connection db{at.url()};
  const auto error_of = [&](int n, const std::string& command) {
    enqueue(at, "email", n);
    CHECK_THAT(at.quern({"work", "email", "--drain", "--result", "--exec", command}).err,
               test::ends_with("quern: 0 handled, 1 failed\n"));
    return db.execute("select last_error from shop.email_dead where n = $1", n).value<std::string>();
  };
  CHECK(error_of(1, "echo sent") ==
        "printed no JSON as its result: invalid input syntax for type json: Token \"sent\" is invalid.");
  CHECK(error_of(2, "true") ==
        "printed no JSON as its result: invalid input syntax for type json: The input string ended unexpectedly.");
  CHECK(error_of(3, "echo '{} {}'") ==
        "printed no JSON as its result: invalid input syntax for type json: Expected end of input, but found \"{\".");
  CHECK(error_of(4, "printf '\"\\377\"'") ==
        "printed no JSON as its result: text must be valid UTF-8: malformed at byte 1");
  CHECK_THAT(error_of(5, "printf '\"a\\\\u0000\"'"),
             test::starts_with("printed no JSON as its result: unsupported Unicode escape sequence"));
  CHECK(error_of(6, "printf '1\\0'") ==
        "printed no JSON as its result: text for PostgreSQL must not contain a NUL: found at byte 1");
  CHECK_THAT(error_of(7, "yes [ | head -n 100000"),
             test::starts_with("printed no JSON as its result: stack depth limit exceeded"));
  CHECK(error_of(8, "yes | head -c 70000000") == "printed more than 64 MiB as its result");
  CHECK(error_of(9, "echo 1; exit 3") == "exit status 3");
  CHECK(db.execute("select count(*) from shop.email_done()").value<std::int64_t>() == 0);
}

TEST_CASE("results of what keeps none are refused before anything is claimed or enqueued") {
  const counter at{shop};
  const auto refused = [&](const std::vector<std::string>& words) {
    const auto ended = at.quern(words);
    CHECK(ended.exit_code == 1);
    return ended.err;
  };
  at.run({"enqueue", "hooks", "--json", "1"});
  CHECK(refused({"work", "hooks", "--drain", "--result", "--exec", "echo 1"}) ==
        "quern: error: queue hooks keeps no results: it has no `keep_done`\n");
  CHECK(refused({"work", "activity/notifier", "--drain", "--result", "--exec", "echo 1"}) ==
        "quern: error: stream activity keeps no results: those are of messages\n");
  CHECK(refused({"enqueue", "hooks", "--json", "1", "--wait"}) ==
        "quern: error: queue hooks keeps no results: it has no `keep_done`\n");
  CHECK(test::stats_of(at, "hooks").at("ready") == 1);
  const auto lines = at.quern({"enqueue", "email", "--json", "-", "--wait"}, "{\"n\": 1}\n");
  CHECK(lines.exit_code == 2);
  CHECK(lines.err == "quern: error: --wait is for one message: --json '{…}'\n");
  CHECK(at.quern(waiting("email", 1, "--wait=soon")).exit_code == 2);
  CHECK(test::stats_of(at, "email").at("ready") == 0);
}

TEST_CASE("enqueue waits for the result of its message, and is woken by its end") {
  const counter at{shop};
  auto producer = at.start(waiting("email", 1));
  wait_for_waiter(at);
  at.run({"work", "email", "--drain", "--result", "--exec", "cat"});
  const auto ended = producer.end();
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.empty());
  CHECK(json::parse(ended.out) == json{{"n", 1}});
}

TEST_CASE("a message that was handled without a result gives null, and a duplicate the result of the first") {
  const counter at{shop};
  const auto id = enqueue(at, "email", 1);
  auto producer = at.start(waiting("email", 1));
  wait_for_waiter(at);
  CHECK(test::stats_of(at, "email").at("ready") == 1);
  at.run({"work", "email", "--drain", "--exec", "true"});
  const auto ended = producer.end();
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == "null\n");
}

TEST_CASE("who waits for a message that dies, or is cancelled or dropped, is told so") {
  const counter at{shop};
  auto producer = at.start(waiting("email", 1));
  wait_for_waiter(at);
  at.run({"work", "email", "--drain", "--result", "--exec", "echo broken >&2; exit 3"});
  auto ended = producer.end();
  CHECK(ended.exit_code == 11);
  CHECK(ended.out.empty());
  CHECK_THAT(ended.err, test::starts_with("quern: error: message "));
  CHECK_THAT(ended.err, test::ends_with(" of queue email is dead: exit status 3: broken\n"));

  auto cancelled = at.start(waiting("email", 2));
  wait_for_message(at, "email");
  quern::connection db{at.url()};
  const auto id = db.execute("select message_id from shop.email_message").value<std::int64_t>();
  at.run({"cancel", "email", fmt::to_string(id)});
  ended = cancelled.end();
  CHECK(ended.exit_code == 11);
  CHECK(ended.err == fmt::format("quern: error: message {} of queue email was cancelled, purged or dropped\n", id));

  auto dropped = at.start(waiting("dropped", 1));
  wait_for_message(at, "dropped");
  at.run({"work", "dropped", "--drain", "--exec", "false"});
  CHECK(dropped.end().exit_code == 11);
}

TEST_CASE("a wait that is over says so, and its message stays") {
  const counter at{shop};
  const auto ended = at.quern(waiting("email", 1, "--wait=100ms"));
  CHECK(ended.exit_code == 5);
  CHECK(ended.out.empty());
  CHECK_THAT(ended.err, test::ends_with(" of queue email was not handled in time; it stays enqueued\n"));
  CHECK(test::stats_of(at, "email").at("ready") == 1);
}
