// What an operator does without writing SQL: look, enqueue, redrive, pause.

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <string>

#include "cli/counter.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using nlohmann::json;
using test::counter;
using test::fail_next;
using test::lines_of;
using test::stats_of;

constexpr const char* shop = R"(
[queues.email]
unique = { fields = ["order_id"], while = "pending" }
retry = { max_attempts = 1 }
[queues.email.payload]
order_id = "int64"
note = "text?"
[queues.hooks]
payload = "jsonb"
priorities = 3
[queues.bulk]
storage = "log"
retry = { max_attempts = 1 }
payload = { n = "int32" }
[queues.steps]
ordered_by = "who"
on_failure = "block"
retry = { max_attempts = 1 }
payload = { who = "text" }
[queues.light]
dead_letter = false
payload = { n = "int32" }
[streams.activity]
payload = { kind = "text" }
[streams.activity.consumers.audit]
[streams.activity.consumers.notifier]
workers = "cooperative"
retry = { max_attempts = 1 }
)";

}  // namespace

TEST_CASE("enqueue prints ids, tells duplicates from new messages, and says which line is wrong") {
  const counter at{shop};
  const std::string first = at.run({"enqueue", "email", "--json", R"({"order_id": 1})"});
  CHECK(at.run({"enqueue", "email", "--json", R"({"order_id": 1})"}) ==
        fmt::format("{} duplicate\n", first.substr(0, first.size() - 1)));

  const auto bulk = at.quern({"enqueue", "email", "--json", "-"},
                             "{\"order_id\": 2}\n\n{\"order_id\": 1}\n{\"order_id\": 2, \"note\": \"again\"}\n");
  CHECK(bulk.exit_code == 0);
  CHECK(bulk.err == "quern: 1 enqueued, 2 were there already\n");
  CHECK(std::count(bulk.out.begin(), bulk.out.end(), '\n') == 3);

  const auto wrong =
      at.quern({"enqueue", "email", "--json", "-"}, "{\"order_id\": 5}\n\n{\"order\": 6}\n{\"order_id\": 7}\n");
  CHECK(wrong.exit_code == 1);
  CHECK(wrong.err ==
        "quern: error: line 3: the payload does not fit the contract of queue \"email\" (SQLSTATE QN003)\n"
        "detail: There is no field \"order\". Field \"order_id\" is missing.\n1 before it was sent\n");
  CHECK(stats_of(at, "email").at("ready") == 3);

  const auto broken = at.quern({"enqueue", "email", "--json", "{"});
  CHECK(broken.exit_code == 1);
  CHECK_THAT(broken.err, test::starts_with("quern: error: invalid input syntax for type json (SQLSTATE 22P02)"));
}

TEST_CASE("enqueue delays, and sets priorities where there are some") {
  const counter at{shop};
  at.run({"enqueue", "email", "--json", R"({"order_id": 1})", "--delay", "10m"});
  CHECK(stats_of(at, "email").at("delayed") == 1);
  at.run({"enqueue", "hooks", "--json", R"({"a": 1})", "--priority", "2"});
  at.run({"enqueue", "hooks", "--json", R"({"a": 2})", "--priority", "0"});
  quern::connection db{at.url()};
  CHECK(db.execute("select payload ->> 'a' from shop.hooks_claim_json(1)").value<std::string>() == "2");

  CHECK(at.quern({"enqueue", "email", "--json", R"({"order_id": 2})", "--priority", "1"}).err ==
        "quern: error: queue email has no priorities\n");
  CHECK(at.quern({"enqueue", "hooks", "--json", "1", "--priority", "3"}).err ==
        "quern: error: a priority must be a number from 0 to 2 (SQLSTATE QN005)\n");
  const auto empty = at.quern({"enqueue", "email", "--json", R"({"order_id": 2})", "--delay", ""});
  CHECK(empty.exit_code == 2);
  CHECK_THAT(empty.err, test::starts_with("ERROR: ValidationError: --delay: it is empty\n"));
  const auto cut = at.quern({"enqueue", "hooks", "--json", "1", "--wait="});
  CHECK(cut.exit_code == 2);
  CHECK(cut.err == "quern: error: --wait has no value behind its =\n");
  const auto soon = at.quern({"enqueue", "email", "--json", R"({"order_id": 2})", "--delay", "soon"});
  CHECK(soon.exit_code == 2);
  CHECK_THAT(soon.err, test::starts_with("quern: error: --delay \"soon\": "));
}

TEST_CASE("stats tells of queues, streams and consumers, as a table and as JSON") {
  const counter at{shop};
  quern::connection db{at.url()};
  at.run({"enqueue", "bulk", "--json", "-"}, "{\"n\": 1}\n{\"n\": 2}\n");
  at.run({"enqueue", "steps", "--json", "-"}, "{\"who\": \"a\"}\n{\"who\": \"a\"}\n");
  fail_next(db, "steps", "bad");
  CHECK(at.run({"publish", "activity", "--json", "-"}, "{\"kind\": \"x\"}\n{\"kind\": \"y\"}\n") ==
        "published 2 events\n");
  db.execute("select * from shop.activity_seal()");

  const json bulk = stats_of(at, "bulk");
  CHECK(bulk.at("storage") == "log");
  CHECK(bulk.at("ready") == 2);
  CHECK(bulk.at("oldest_age_s").get<double>() >= 0);
  CHECK(bulk.at("blocked_keys").is_null());
  const json steps = stats_of(at, "steps");
  CHECK(steps.at("storage") == "rows");
  CHECK(steps.at("dead") == 1);
  CHECK(steps.at("blocked_keys") == 1);
  const json activity = stats_of(at, "activity");
  CHECK(activity.at("last_offset") == 2);
  CHECK(activity.at("consumers").at(1).at("consumer") == "notifier");
  CHECK(activity.at("consumers").at(1).at("behind") == 2);

  at.run({"pause", "bulk"});
  const auto table = at.run({"stats"});
  CHECK_THAT(table, test::starts_with(
                        "queue  ready  delayed  leased  dead  oldest  workers\nbulk       2        0       0     0"));
  CHECK_THAT(table, test::contains("paused\n"));
  CHECK_THAT(table, test::contains("1 key blocked\n"));
  CHECK_THAT(table, test::contains("\nactivity/audit         0       2"));
}

TEST_CASE("stats goes on to watch, one line of JSON each time") {
  const counter at{shop};
  auto watched = at.start({"stats", "email", "--json", "--watch", "20ms"});
  // It asks again and again over one session.
  const std::string session =
      "pg_stat_activity where application_name = 'quern stats' and datname = current_database()";
  test::wait_until(at.url(), "select exists (select from " + session +
                                 " and state_change > backend_start + interval '200 "
                                 "milliseconds')");
  watched.signal(SIGTERM);
  const auto ended = watched.end();
  CHECK(ended.exit_code == 128 + SIGTERM);
  CHECK(lines_of(ended.out).size() > 1);
  CHECK(lines_of(ended.out).at(0).at("queues").at(0).at("queue") == "email");
}

TEST_CASE("stats is for operators, and says how many queues it hides from others") {
  for (const auto* role : {"ops", "nobody_here"}) test::ensure_role(role);
  const counter at{
      "[queues.email]\ngrants = { operate = [\"ops\"] }\npayload = { n = \"int32\" }\n[queues.sms]\npayload = { n = "
      "\"int32\" }\n"};
  at.run({"enqueue", "email", "--json", "{\"n\": 1}"});
  const auto as = [&](const std::string& role, std::vector<std::string> words) {
    words.insert(words.end(), {"--database", test::with_user(at.url(), role)});
    return at.quern(words);
  };
  CHECK_THAT(as("ops", {"stats"}).out, test::contains("\nemail      1"));
  CHECK_THAT(as("ops", {"stats"}).out, test::ends_with("\n1 more that this role may not operate\n"));
  CHECK(as("nobody_here", {"stats"}).out == "2 more that this role may not operate\n");
  CHECK(as("nobody_here", {"stats", "email"}).exit_code == 8);
  CHECK(as("ops", {"stats", "email", "sms"}).exit_code == 8);
  CHECK_THAT(as("ops", {"peek", "email"}).out, test::contains("  {\"n\":1}\n"));
  CHECK(as("nobody_here", {"peek", "email"}).exit_code == 8);
  CHECK(as("ops", {"pause", "email"}).out == "queue email is paused\n");
  CHECK(as("ops", {"pause", "sms"}).exit_code == 8);
  CHECK(as("ops", {"redrive", "email", "--all"}).out == "redrove 0 dead letters of queue email\n");
  CHECK(as("nobody_here", {"purge", "email", "--waiting", "--yes"}).exit_code == 8);
  CHECK(as("ops", {"purge", "email", "--waiting", "--yes"}).out == "deleted 1 message of queue email\n");
}

TEST_CASE("whoever operates a queue or a stream may look at all of it and mend it, and needs no other right") {
  test::ensure_role("ops");
  const counter at{R"(
[queues.email]
keep_done = "7d"
concurrency = 20
rate = { count = 100, per = "1s" }
retry = { max_attempts = 1 }
grants = { operate = ["ops"] }
payload = { n = "int32" }
[queues.steps]
ordered_by = "n"
retry = { max_attempts = 1 }
grants = { operate = ["ops"] }
payload = { n = "int32" }
[queues.bulk]
storage = "log"
retry = { max_attempts = 1 }
grants = { operate = ["ops"] }
payload = { n = "int32" }
[queues.sms]
payload = { n = "int32" }
[streams.activity]
grants = { operate = ["ops"] }
payload = { n = "int32" }
[streams.activity.consumers.crew]
workers = "cooperative"
retry = { max_attempts = 1 }
)"};
  const std::string as_ops = test::with_user(at.url(), "ops");
  const auto operate = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--database", as_ops});
    const auto ended = at.quern(words);
    INFO(words.at(0) << " " << words.at(1));
    INFO(ended.err);
    CHECK(ended.exit_code == 0);
    return ended.out;
  };
  quern::connection db{at.url()};
  for (const std::string queue : {"email", "steps", "bulk"}) {
    at.run({"enqueue", queue, "--json", "{\"n\": 1}"});
    fail_next(db, queue, "no");
    operate({"stats", queue});
    CHECK_THAT(operate({"peek", queue, "--dead"}), test::contains("{\"n\":1}"));
    operate({"peek", queue});
    operate({"peek", queue, "--leased"});
    operate({"pause", queue});
    operate({"resume", queue});
    CHECK_THAT(operate({"redrive", queue, "--all"}), test::starts_with("redrove 1 "));
    operate({"purge", queue, "--dead", "--yes"});
    if (queue != "bulk") CHECK_THAT(operate({"purge", queue, "--waiting", "--yes"}), test::starts_with("deleted 1 "));
    auto id = at.run({"enqueue", queue, "--json", "{\"n\": 2}", "--delay", "1h"});
    id.pop_back();
    operate({"cancel", queue, id});
  }
  operate({"peek", "email", "--done"});
  at.run({"publish", "activity", "--json", "{\"n\": 7}"});
  CHECK_THAT(operate({"peek", "activity"}), test::contains("{\"n\":7}"));
  CHECK_THAT(operate({"peek", "activity", "--after", "0", "--json"}), test::contains("{\"n\":7}"));
  operate({"peek", "activity/crew", "--dead"});
  operate({"redrive", "activity/crew", "--all"});
  operate({"purge", "activity/crew", "--dead", "--yes"});
  CHECK_THAT(operate({"stats", "--json"}), test::contains("\"activity\""));
}

TEST_CASE("redrive takes ids or all, and says which are no dead letters") {
  const counter at{shop};
  quern::connection db{at.url()};
  for (int i = 1; i <= 3; ++i) at.run({"enqueue", "email", "--json", fmt::format("{{\"order_id\": {}}}", i)});
  for (int i = 1; i <= 3; ++i) fail_next(db, "email", "bad");
  const auto id = db.execute("select min(message_id) from shop.email_dead").value<std::int64_t>();
  CHECK(at.run({"redrive", "email", fmt::to_string(id)}) == "redrove 1 dead letter of queue email\n");
  const auto twice = at.quern({"redrive", "email", fmt::to_string(id)});
  CHECK(twice.exit_code == 1);
  CHECK(twice.err == fmt::format("quern: error: queue email has no dead letter {}\n", id));
  CHECK(at.quern({"redrive", "email"}).exit_code == 2);
  CHECK(at.quern({"redrive", "email", "x"}).err == "quern: error: \"x\" is no id: ids are whole numbers\n");
  CHECK(at.run({"redrive", "email", "--all"}) == "redrove 2 dead letters of queue email\n");
  CHECK(stats_of(at, "email").at("ready") == 3);

  CHECK(at.quern({"redrive", "light", "--all"}).err ==
        "quern: error: queue light keeps no dead letters: it has `dead_letter = false`\n");
  CHECK(at.quern({"redrive", "activity", "--all"}).err ==
        "quern: error: say which consumer of stream activity: activity/CONSUMER\n");
  CHECK(at.quern({"redrive", "activity/nobody", "--all"}).err ==
        "quern: error: stream activity has no consumer \"nobody\"\n");
}

TEST_CASE("cancel takes messages back that wait, and says which do not") {
  const counter at{shop};
  quern::connection db{at.url()};
  for (int i = 1; i <= 3; ++i) at.run({"enqueue", "email", "--json", fmt::format("{{\"order_id\": {}}}", i)});
  const auto held = db.execute("select message_id from shop.email_claim_v1()").value<std::int64_t>();
  const auto some =
      at.quern({"cancel", "email", fmt::to_string(held), fmt::to_string(held + 1), fmt::to_string(held + 2)});
  CHECK(some.exit_code == 1);
  CHECK(
      some.err ==
      fmt::format("quern: error: message {} of queue email does not wait: it is being handled, has ended or was never "
                  "there\n",
                  held));
  CHECK(some.out == "cancelled 2 messages of queue email\n");
  CHECK(stats_of(at, "email").at("ready") == 0);
  CHECK(at.quern({"cancel", "email"}).exit_code == 2);
  CHECK(at.quern({"cancel", "email", "x"}).err == "quern: error: \"x\" is no id: ids are whole numbers\n");
  CHECK(at.quern({"cancel", "activity", "1"}).err ==
        "quern: error: events cannot be cancelled: stream activity is a log\n");
}

TEST_CASE("pause and resume say what was so already, and streams have neither") {
  const counter at{shop};
  CHECK(at.run({"pause", "email", "bulk"}) == "queue email is paused\nqueue bulk is paused\n");
  CHECK(at.run({"pause", "email"}) == "queue email was paused already\n");
  CHECK(stats_of(at, "email").at("is_paused") == true);
  CHECK(at.run({"resume", "email"}) == "queue email hands out messages again\n");
  CHECK(at.run({"resume", "email"}) == "queue email was not paused\n");
  CHECK(at.quern({"pause", "activity"}).err ==
        "quern: error: stream activity cannot be paused: its consumers read at their own pace\n");
}

TEST_CASE("the schema is the declared one, or the only one; names that are wrong get a suggestion") {
  const counter at{shop};
  CHECK(at.quern({"stats", "emial"}).err ==
        "quern: error: schema shop has no queue or stream \"emial\"; did you mean \"email\"?\n");
  CHECK(at.quern({"stats", "--schema", "other"}).err ==
        "quern: error: the database has no queues in schema other: `quern migrate` makes them\n");
  const test::desk elsewhere;
  const auto found = elsewhere.quern({"stats", "email", "--json"}, {{"QUERN_DATABASE", at.url()}});
  CHECK(found.exit_code == 0);
  quern::connection db{at.url()};
  db.run_script("create schema b; create table b.quern_queue ()");
  CHECK(elsewhere.quern({"stats"}, {{"QUERN_DATABASE", at.url()}}).err ==
        "quern: error: say which with --schema: the database has queues in b, shop\n");
}

TEST_CASE("a renamed queue is found by both names, and its tables by the one that they bear") {
  const counter at{"[queues.email]\npayload = { n = \"int32\" }\n"};
  at.run({"generate"});
  at.run({"release"});
  at.desk().write("quern.toml",
                  "[project]\nname = \"shop\"\n[queues.mail]\nrenamed_from = \"email\"\npayload = { n = \"int32\" }\n");
  at.run({"generate"});
  at.run({"migrate"});
  at.run({"enqueue", "mail", "--json", "{\"n\": 1}"});
  CHECK_THAT(at.run({"stats"}), test::contains("\nmail       1"));
  CHECK_THAT(at.run({"stats"}), !test::contains("\nemail"));
  CHECK_THAT(at.run({"peek", "mail"}), test::ends_with("  {\"n\":1}\n"));
  CHECK_THAT(at.run({"peek", "email"}), test::ends_with("  {\"n\":1}\n"));
}
