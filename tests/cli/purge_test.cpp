// What an operator deletes: dead letters, and what waits.

#include <fmt/format.h>

#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "cli/counter.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using test::counter;
using test::fail_next;
using test::stats_of;

constexpr const char* shop = R"(
[queues.email]
retry = { max_attempts = 1 }
payload = { order_id = "int64" }
[queues.bulk]
storage = "log"
payload = { n = "int32" }
[queues.steps]
ordered_by = "who"
on_failure = "block"
retry = { max_attempts = 1 }
payload = { who = "text" }
[streams.activity]
payload = { kind = "text" }
[streams.activity.consumers.notifier]
workers = "cooperative"
ordered_by = "kind"
on_failure = "block"
retry = { max_attempts = 1 }
)";

}  // namespace

TEST_CASE("purge deletes dead letters, and asks before that") {
  const counter at{shop};
  quern::connection db{at.url()};
  at.run({"enqueue", "email", "--json", "{\"order_id\": 1}"});
  fail_next(db, "email", "bad");
  const auto unasked = at.quern({"purge", "email", "--dead"});
  CHECK(unasked.exit_code == 2);
  CHECK(unasked.err ==
        "quern: error: Delete the dead letters of queue email for good? Nobody is there to ask: say --yes\n");
  CHECK(at.quern({"purge", "email"}).exit_code == 2);
  CHECK(at.run({"purge", "email", "--dead", "--yes", "--older-than", "1d"}) ==
        "deleted 0 dead letters of queue email\n");
  CHECK(at.run({"purge", "email", "--dead", "--yes"}) == "deleted 1 dead letter of queue email\n");
}

TEST_CASE("purge deletes what waits and leaves alone what is leased or dead") {
  const counter at{shop};
  quern::connection db{at.url()};
  for (int i = 1; i <= 4; ++i) at.run({"enqueue", "email", "--json", fmt::format("{{\"order_id\": {}}}", i)});
  at.run({"enqueue", "email", "--json", "{\"order_id\": 5}", "--delay", "1h"});
  fail_next(db, "email", "bad");
  const auto leased = db.execute("select message_id from shop.email_claim_v1()").value<std::int64_t>();
  CHECK(at.quern({"purge", "email", fmt::to_string(leased), "--yes"}).err ==
        fmt::format("quern: error: queue email has no message {} that waits or is dead\n", leased));
  CHECK(at.quern({"purge", "email", "--waiting"}).err ==
        "quern: error: Delete all messages that wait in queue email for good? Nobody is there to ask: say --yes\n");
  CHECK(at.run({"purge", "email", "--waiting", "--yes"}) == "deleted 3 messages of queue email\n");
  const auto left = stats_of(at, "email");
  CHECK(left.at("ready") == 0);
  CHECK(left.at("delayed") == 0);
  CHECK(left.at("leased") == 1);
  CHECK(left.at("dead") == 1);
  CHECK(at.quern({"purge", "bulk", "--waiting", "--yes"}).err ==
        "quern: error: queue bulk is a log, of which nothing can be deleted: quern work bulk --drain --exec true\n");
  CHECK(at.quern({"purge", "email", "--waiting", "--dead"}).exit_code == 2);
  CHECK(at.quern({"purge", "email", "1", "--older-than", "1d"}).err == "quern: error: --older-than is of --dead\n");
}

TEST_CASE("purge deletes single messages, which lets the key go on that they blocked") {
  const counter at{shop};
  quern::connection db{at.url()};
  at.run({"enqueue", "steps", "--json", "-"}, "{\"who\": \"a\"}\n{\"who\": \"a\"}\n");
  const auto first = db.execute("select message_id from shop.steps_claim_v1()").value<std::int64_t>();
  const auto claimed = at.quern({"purge", "steps", fmt::to_string(first), "--yes"});
  CHECK(claimed.exit_code == 1);
  CHECK(claimed.err == fmt::format("quern: error: queue steps has no message {} that waits or is dead\n", first));
  db.execute("select shop.steps_nack($1, 1, 'bad')", first);
  CHECK(stats_of(at, "steps").at("blocked_keys") == 1);
  CHECK(at.run({"purge", "steps", fmt::to_string(first), "--yes"}) == "deleted 1 message of queue steps\n");
  CHECK(stats_of(at, "steps").at("blocked_keys") == 0);
  CHECK(db.execute("select message_id from shop.steps_claim_v1()").value<std::int64_t>() == first + 1);
}

TEST_CASE("purge deletes single events that are dead, and those of their key that waited behind come next") {
  const counter at{shop};
  quern::connection db{at.url()};
  at.run({"publish", "activity", "--json", "-"}, "{\"kind\": \"a\"}\n{\"kind\": \"a\"}\n{\"kind\": \"a\"}\n");
  db.execute("select shop.activity_seal()");
  db.execute(
      "select shop.activity_nack('notifier', c.batch, c.event_offset, 'boom') from shop.activity_claim_v1('notifier', "
      "1) as c");
  REQUIRE(db.execute("select from shop.activity_claim_v1('notifier')").empty());
  CHECK(at.quern({"purge", "activity/notifier", "2", "--yes"}).err ==
        "quern: error: consumer notifier of stream activity has no event 2 that is dead\n");
  CHECK(at.run({"purge", "activity/notifier", "1", "--yes"}) ==
        "deleted 1 event of consumer notifier of stream activity\n");
  CHECK(stats_of(at, "activity").at("consumers").at(0).at("dead") == 0);
  CHECK(
      db.execute("select array_agg(event_offset)::text from shop.activity_claim_v1('notifier')").value<std::string>() ==
      "{2,3}");
}

TEST_CASE("of several messages of a log, those that can go do, and each other one is told of") {
  const counter at{shop};
  for (const std::string words : {"cancel", "purge"}) {
    at.run({"enqueue", "bulk", "--json", R"({"n": 1})", "--delay", "1h"});
    at.run({"enqueue", "bulk", "--json", R"({"n": 2})"});
    const auto last = at.run({"enqueue", "bulk", "--json", R"({"n": 3})", "--delay", "1h"});
    const auto id = std::stoll(last);
    std::vector<std::string> call{words,   "bulk", fmt::to_string(id - 2), fmt::to_string(id - 1), fmt::to_string(id),
                                  "999999"};
    if (words == "purge") call.emplace_back("--yes");
    const auto ended = at.quern(call);
    INFO(ended.err);
    CHECK(ended.exit_code == 1);
    CHECK_THAT(ended.err,
               test::starts_with(fmt::format("quern: error: message {} of queue \"bulk\" cannot be taken out "
                                             "of the log (SQLSTATE QN010)\n",
                                             id - 1)));
    CHECK_THAT(ended.err, test::contains("999999"));
    CHECK(ended.out == fmt::format("{} 2 messages of queue bulk\n", words == "cancel" ? "cancelled" : "deleted"));
  }
}
