// What `quern peek` shows of texts: as the database has them, and harmless to a terminal.

#include <fmt/format.h>

#include <quern/connection.hpp>
#include <string>

#include "cli/counter.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using test::counter;
using test::fail_next;

constexpr const char* shop = R"(
[queues.email]
retry = { max_attempts = 1 }
headers = true
priorities = 2
payload = { amount = "numeric?", note = "text?" }
[queues.hooks]
headers = true
keep_done = "1h"
payload = "jsonb"
[queues.bulk]
storage = "log"
payload = "jsonb"
[streams.activity]
payload = "jsonb"
[streams.activity.consumers.notifier]
workers = "cooperative"
retry = { max_attempts = 1 }
)";

const std::string huge = "1" + std::string(400, '0');

/// What stands behind the first text, which has to be there, up to the end of the line.
std::string behind(const std::string& all, const std::string& first) {
  const auto at = all.find(first);
  REQUIRE(at != std::string::npos);
  return all.substr(at, all.find('\n', at) - at);
}

}  // namespace

TEST_CASE("peek shows numbers as the database has them") {
  const counter at{shop};
  at.run({"enqueue", "email", "--json", R"({"amount": 1234567890123456.7891})"});
  CHECK_THAT(at.run({"peek", "email"}), test::contains("  {\"amount\":1234567890123456.7891}\n"));
  CHECK_THAT(at.run({"peek", "email", "--json"}),
             test::ends_with(",\"priority\":0,\"contract_version\":1,\"headers\":null,\"payload\":{\"amount\":"
                             "1234567890123456.7891}}\n"));
  const std::string payload = R"({"b": [123456789012345678901234567890, 1.10, null], "a": "x: \"y, z\" \\"})";
  const std::string compact = R"({"a":"x: \"y, z\" \\","b":[123456789012345678901234567890,1.10,null]})";
  for (const std::string queue : {"hooks", "bulk"}) {
    at.run({"enqueue", queue, "--json", payload});
    CHECK_THAT(at.run({"peek", queue}), test::ends_with("  " + compact + "\n"));
    CHECK_THAT(at.run({"peek", queue, "--json"}), test::ends_with("\"payload\":" + compact + "}\n"));
  }
}

TEST_CASE("a number that no machine type holds hides nothing of a page") {
  const counter at{shop};
  quern::connection db{at.url()};
  at.run({"enqueue", "hooks", "--json", "1e400", "--headers", R"({"size": 1e400})"});
  CHECK(behind(at.run({"peek", "hooks", "--json"}), "\"headers\"") ==
        fmt::format("\"headers\":{{\"size\":{0}}},\"payload\":{0}}}", huge));
  at.run({"work", "hooks", "--drain", "--result", "--exec", "echo '{\"of\": 1e400}'"});
  CHECK(behind(at.run({"peek", "hooks", "--done", "--json"}), "\"payload\"") ==
        fmt::format("\"payload\":{0},\"result\":{{\"of\":{0}}}}}", huge));
  CHECK_THAT(at.run({"peek", "hooks", "--done"}), test::contains(huge));
  at.run({"publish", "activity", "--json", "1e400"});
  CHECK(behind(at.run({"peek", "activity", "--json"}), "\"payload\"") == fmt::format("\"payload\":{}}}", huge));
}

TEST_CASE("what a handler wrote does nothing to the terminal of whoever looks") {
  const counter at{shop};
  quern::connection db{at.url()};
  at.run({"enqueue", "email", "--json", R"({"note": "\u009b2J"})"});
  fail_next(db, "email", "one\ttwo\n\x1b[2J\r\xc2\x9b");
  const auto shown = at.run({"peek", "email", "--dead"});
  CHECK_THAT(shown, test::ends_with("  {\"note\":\"\\u009b2J\"}\n  one\ttwo\n\\x1b[2J\\x0d\\u009b\n"));
  CHECK_THAT(at.run({"peek", "email", "--dead", "--json"}),
             test::contains("\"last_error\":\"one\\ttwo\\n\\u001b[2J\\r\xc2\x9b\""));
}

TEST_CASE("peek shows events that were published just now") {
  const counter at{shop};
  at.run({"publish", "activity", "--json", "-"}, "1\n2\n");
  CHECK_THAT(at.run({"peek", "activity"}), test::contains("  2\n"));
  at.run({"publish", "activity", "--json", "-"}, "3\n4\n");
  CHECK_THAT(at.run({"peek", "activity"}), test::contains("  4\n"));
  at.run({"publish", "activity", "--json", "-"}, "5\n");
  const auto behind_first = at.run({"peek", "activity", "--after", "1", "--limit", "10"});
  CHECK_THAT(behind_first, test::contains("  5\n"));

  at.run({"publish", "activity", "--json", "-"}, "6\n");
  const auto read_only =
      at.quern({"peek", "activity", "--database", at.url() + "&options=-c%20default_transaction_read_only%3Don"});
  CHECK(read_only.exit_code == 0);
  CHECK_THAT(read_only.out, test::contains("  5\n"));
}

TEST_CASE("peek takes no option that would change nothing") {
  const counter at{shop};
  const auto refused = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "peek");
    const auto ended = at.quern(words);
    CHECK(ended.exit_code == 2);
    return ended.err;
  };
  CHECK(refused({"hooks", "--after", "3"}) == "quern: error: --after is of streams, and no part of queue hooks\n");
  CHECK(refused({"activity/notifier", "--after", "3"}) ==
        "quern: error: --after is of streams, and no part of consumer notifier of stream activity\n");
  for (const std::string state : {"--dead", "--leased"})
    CHECK(refused({"hooks", "1", state}) ==
          "quern: error: ids are shown in whatever state they are: without --dead and --leased\n");
}
