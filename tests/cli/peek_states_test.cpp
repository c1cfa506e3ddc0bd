// What `quern peek` shows of messages in each state, and of events.

#include <fmt/format.h>

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
retry = { max_attempts = 1 }
[queues.email.payload]
order_id = "int64"
[queues.hooks]
payload = "jsonb"
priorities = 3
[queues.bulk]
storage = "log"
retry = { max_attempts = 1 }
payload = { n = "int32" }
[streams.activity]
payload = { kind = "text" }
[streams.activity.consumers.notifier]
workers = "cooperative"
retry = { max_attempts = 1 }
)";

}  // namespace

TEST_CASE("peek shows what waits, is leased or is dead, in either storage, and claims nothing") {
  const counter at{shop};
  quern::connection db{at.url()};
  for (const std::string queue : {"email", "bulk"}) {
    const bool is_log = queue == "bulk";
    const std::string field = is_log ? "n" : "order_id";
    for (int i = 1; i <= 3; ++i) at.run({"enqueue", queue, "--json", fmt::format("{{\"{}\": {}}}", field, i)});
    at.run({"enqueue", queue, "--json", fmt::format("{{\"{}\": 4}}", field), "--delay", "1h"});
    fail_next(db, queue, "no such order");
    const auto leased =
        db.execute(fmt::format("select message_id from shop.{}_claim_json()", queue)).value<std::int64_t>();

    const auto waiting = lines_of(at.run({"peek", queue, "--json"}));
    REQUIRE(waiting.size() == 2);
    CHECK(waiting[0] == json{{"message_id", leased + 1},
                             {"state", "ready"},
                             {"attempt", 0},
                             {"contract_version", 1},
                             {"payload", {{field, 3}}}});
    CHECK(waiting[1].at("state") == "delayed");
    CHECK(lines_of(at.run({"peek", queue, "--json", "--limit", "1"})).size() == 1);
    const auto held = lines_of(at.run({"peek", queue, "--json", "--leased"}));
    REQUIRE(held.size() == 1);
    CHECK(held[0] == json{{"message_id", leased},
                          {"state", "leased"},
                          {"attempt", 1},
                          {"contract_version", 1},
                          {"payload", {{field, 2}}}});
    const auto dead = lines_of(at.run({"peek", queue, "--json", "--dead"}));
    REQUIRE(dead.size() == 1);
    CHECK(dead[0] == json{{"message_id", leased - 1},
                          {"state", "dead"},
                          {"attempt", 1},
                          {"contract_version", 1},
                          {"last_error", "no such order"},
                          {"payload", {{field, 1}}}});
    CHECK(lines_of(at.run({"peek", queue, "--json", fmt::to_string(leased), fmt::to_string(leased - 1)})).size() == 2);
    CHECK(stats_of(at, queue).at("ready") == 1);
  }
  CHECK_THAT(at.run({"peek", "email", "--dead"}),
             test::ends_with("  attempt 1\n  {\"order_id\":1}\n  no such order\n"));
  at.run({"enqueue", "hooks", "--json", "[1, null]", "--priority", "1"});
  CHECK(lines_of(at.run({"peek", "hooks", "--json"})).at(0).at("payload") == json::parse("[1, null]"));
}

TEST_CASE("peek shows the last events of a stream, those after an offset, and those that failed at a consumer") {
  const counter at{shop};
  quern::connection db{at.url()};
  at.run({"publish", "activity", "--json", "-"}, "{\"kind\": \"a\"}\n{\"kind\": \"b\"}\n{\"kind\": \"c\"}\n");
  db.execute("select shop.activity_seal()");
  db.execute(
      "select shop.activity_nack('notifier', c.batch, c.event_offset, 'boom') from shop.activity_claim_v1('notifier', "
      "1) as c");
  const auto read_at = db.execute("select setval('shop.activity_v1_read_at', extract(epoch from now())::bigint - 3600)")
                           .value<std::int64_t>();
  const auto last = lines_of(at.run({"peek", "activity", "--limit", "2", "--json"}));
  REQUIRE(last.size() == 2);
  CHECK(last[0] == json{{"event_offset", 2}, {"payload", {{"kind", "b"}}}});
  CHECK(lines_of(at.run({"peek", "activity", "--after", "0", "--json"})).size() == 3);
  // Whoever looks is no client that a contract must wait for before it is retired.
  CHECK(db.execute("select pg_sequence_last_value('shop.activity_v1_read_at') = $1", read_at).value<bool>());
  const auto dead = lines_of(at.run({"peek", "activity/notifier", "--dead", "--json"}));
  REQUIRE(dead.size() == 1);
  CHECK(dead[0] == json{{"event_offset", 1},
                        {"state", "dead"},
                        {"attempt", 1},
                        {"contract_version", 1},
                        {"last_error", "boom"},
                        {"payload", {{"kind", "a"}}}});
  CHECK(at.run({"redrive", "activity/notifier", "1"}) ==
        "redrove 1 dead letter of consumer notifier of stream activity\n");
  CHECK(lines_of(at.run({"peek", "activity/notifier", "--json"})).at(0).at("state") == "ready");
}
