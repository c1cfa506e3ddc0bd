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
