// Limits on the command line: `quern stats` shows them, and `quern work --drain` waits for what they hold back.

#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <string>

#include "cli/counter.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using nlohmann::json;
using test::counter;

constexpr const char* shop = R"(
[queues.both]
concurrency = 3
rate = { count = 2, per = "90s", burst = 2 }
payload = { n = "int32" }
[queues.places]
concurrency = 20
payload = { n = "int32" }
[queues.paced]
rate = { count = 100, per = "1s", burst = 10 }
payload = { n = "int32" }
[queues.slow]
rate = { count = 2, per = "1s", burst = 1 }
payload = { n = "int32" }
[queues.single]
concurrency = 1
payload = { n = "int32" }
[queues.plain]
payload = { n = "int32" }
)";

void enqueue(const counter& at, const std::string& queue, int count) {
  std::string lines;
  for (int n = 1; n <= count; ++n) lines += "{\"n\": " + std::to_string(n) + "}\n";
  at.run({"enqueue", queue, "--json", "-"}, lines);
}

}  // namespace

TEST_CASE("stats shows how many places are taken, and the rate") {
  const counter at{shop};
  enqueue(at, "both", 3);
  enqueue(at, "places", 3);
  quern::connection db{at.url()};
  for (const auto* queue : {"both", "places"})
    db.execute(std::string{"select shop."} + queue + "_claim_v1(2, interval '1 hour')");
  const auto table = at.run({"stats"});
  CHECK_THAT(table, test::contains("workers             limits\n"));
  CHECK_THAT(table, test::contains("        0  2/3, 2 per 1m 30s\n"));
  CHECK_THAT(table, test::contains("        0               2/20\n"));
  CHECK_THAT(table, test::contains("        0         100 per 1s\n"));
  CHECK_THAT(table, test::contains("        0                  -\n"));
  CHECK_THAT(at.run({"stats", "plain"}),
             test::ends_with("workers\nplain      0        0       0     0       -        0\n"));
}

TEST_CASE("stats as JSON says the limits in full, and when there is room again") {
  const counter at{shop};
  enqueue(at, "both", 3);
  enqueue(at, "places", 3);
  quern::connection db{at.url()};
  for (const auto* queue : {"both", "places"})
    db.execute(std::string{"select shop."} + queue + "_claim_v1(2, interval '1 hour')");
  auto both = test::stats_of(at, "both").at("limits");
  const auto open_in = both.at("open_in_s").get<double>();
  CHECK((open_in > 15 && open_in <= 45));
  both.erase("open_in_s");
  CHECK(both == json{{"concurrency", 3}, {"in_work", 2}, {"rate_count", 2}, {"rate_per_s", 90.0}, {"rate_burst", 2}});
  CHECK(test::stats_of(at, "places").at("limits") == json{{"concurrency", 20},
                                                          {"in_work", 2},
                                                          {"rate_count", nullptr},
                                                          {"rate_per_s", nullptr},
                                                          {"rate_burst", nullptr},
                                                          {"open_in_s", 0.0}});
  CHECK(test::stats_of(at, "plain").at("limits").is_null());
}

TEST_CASE("drain waits for what the rate lets through later") {
  const counter at{shop};
  enqueue(at, "slow", 3);
  // The first one at once, each further one half a second later.
  CHECK(at.quern({"work", "slow", "--drain", "--exec", "true"}).err == "quern: 3 handled\n");
}

TEST_CASE("drain waits for a place that somebody else holds") {
  const counter at{shop};
  enqueue(at, "single", 2);
  quern::connection db{at.url()};
  db.execute("select shop.single_claim_v1(1, interval '1 second')");
  CHECK(at.quern({"work", "single", "--drain", "--exec", "true"}).err == "quern: 2 handled\n");
}

TEST_CASE("drain does not wait for what is not due, is in work or of a paused queue, though a limit is reached") {
  const counter at{shop};
  enqueue(at, "single", 1);
  at.run({"enqueue", "single", "--json", "{\"n\": 2}", "--delay", "1h"});
  quern::connection db{at.url()};
  db.execute("select shop.single_claim_v1(1, interval '1 hour')");
  CHECK(at.quern({"work", "single", "--drain", "--exec", "true"}).err == "quern: 0 handled\n");
  enqueue(at, "single", 1);
  at.run({"pause", "single"});
  CHECK(at.quern({"work", "single", "--drain", "--exec", "true"}).err == "quern: 0 handled\n");

  enqueue(at, "both", 2);
  db.execute("select shop.both_claim_v1(2, interval '1 hour')");
  at.run({"enqueue", "both", "--json", "{\"n\": 2}", "--delay", "1h"});
  CHECK(at.quern({"work", "both", "--drain", "--exec", "true"}).err == "quern: 0 handled\n");
}

TEST_CASE("a worker with the rights of a consumer waits for the limits as well, and without them takes what it gets") {
  test::ensure_role("quern_limited");
  const counter at{R"(
[queues.single]
concurrency = 1
grants = { consume = ["quern_limited"] }
payload = { n = "int32" }
)"};
  quern::connection db{at.url()};
  const auto drain = [&] {
    enqueue(at, "single", 2);
    db.execute("select shop.single_claim_v1(1, interval '1 second')");
    return at.desk()
        .quern({"work", "single", "--drain", "--exec", "true"},
               {{"QUERN_DATABASE", at.url()}, {"PGOPTIONS", "-c role=quern_limited"}})
        .err;
  };
  CHECK(drain() == "quern: 2 handled\n");
  db.execute("revoke execute on function shop.single_held_back from quern_limited");
  CHECK(drain() == "quern: 0 handled\n");
}
