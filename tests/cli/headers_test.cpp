// Headers on the command line: given by quern enqueue, and in the environment of what quern work runs.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/counter.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using test::counter;

constexpr const char* shop = R"(
[queues.email]
headers = true
payload = { n = "int32" }
[queues.bulk]
storage = "log"
headers = true
payload = "jsonb"
[queues.urgent]
retry = { max_attempts = 1 }
priorities = 2
headers = true
payload = { n = "int32" }
[queues.plain]
payload = { n = "int32" }
[queues.ranked]
priorities = 2
payload = { n = "int32" }
)";

}  // namespace

TEST_CASE("what a handler runs for finds the headers in its environment, and null when there are none") {
  const counter at{shop};
  for (const std::string queue : {"email", "bulk", "urgent"}) {
    at.run({"enqueue", queue, "--json", "{\"n\": 1}", "--headers", R"({"traceparent": "00-1", "it's": "\"é"})"});
    at.run({"enqueue", queue, "--json", "{\"n\": 2}"});
    for (const auto& words : {std::vector<std::string>{"work", queue}, {"work", queue, "--contract", "1"}}) {
      auto call = words;
      call.insert(call.end(), {"--drain", "--exec", "printf '%s\\n' \"$QUERN_HEADERS\" >> seen"});
      at.run(call);
    }
    CHECK(at.desk().read("seen") == "{\"it's\": \"\\\"é\", \"traceparent\": \"00-1\"}\nnull\n");
    std::filesystem::remove(at.desk().root() / "seen");
  }
  at.run({"enqueue", "plain", "--json", "{\"n\": 1}"});
  at.run({"work", "plain", "--drain", "--exec", "test -z \"${QUERN_HEADERS+set}\" && touch unset"});
  CHECK(std::filesystem::exists(at.desk().root() / "unset"));
}

TEST_CASE("enqueue gives headers to every message of a call, beside a delay and a priority") {
  const counter at{shop};
  at.run({"enqueue", "urgent", "--json", "-", "--headers", "{\"a\": 1}", "--priority", "1"},
         "{\"n\": 1}\n{\"n\": 2}\n");
  at.run({"enqueue", "urgent", "--json", "{\"n\": 3}", "--headers", "{\"a\": 2}", "--delay", "1h"});
  quern::connection db{at.url()};
  CHECK(db.execute("select string_agg(priority || headers::text || n, ' ') from shop.urgent_claim_v1(9)")
            .value<std::string>() == R"(1{"a": 1}1 1{"a": 1}2)");
  CHECK(db.execute("select string_agg(quern_headers::text, ' ') from shop.urgent_delayed where lease_until = "
                   "'-infinity'")
            .value<std::string>() == R"({"a": 2})");
}

TEST_CASE("headers of a queue that has none, and those that are no object, are refused") {
  const counter at{shop};
  const auto refused = [&](const std::string& queue, std::vector<std::string> options) {
    std::vector<std::string> words{"enqueue", queue, "--json", "{\"n\": 1}"};
    words.insert(words.end(), options.begin(), options.end());
    return at.quern(words).err;
  };
  CHECK(refused("plain", {"--headers", "{}"}) == "quern: error: queue plain has no headers\n");
  CHECK(refused("ranked", {"--headers", "{}", "--priority", "1"}) ==
        "quern: error: queue ranked has no priorities and headers\n");
  CHECK(refused("email", {"--headers", "[]"}) == "quern: error: headers must be a JSON object (SQLSTATE QN005)\n");
}

TEST_CASE("peek shows priority and headers beside the payload, in every state, where the queue has them") {
  const counter at{shop};
  quern::connection db{at.url()};
  at.run({"enqueue", "urgent", "--json", "{\"n\": 1}", "--headers", R"({"trace": "é"})", "--priority", "1"});
  at.run({"enqueue", "urgent", "--json", "{\"n\": 2}", "--delay", "1h"});
  at.run({"enqueue", "bulk", "--json", "{\"n\": 3}", "--headers", "{\"a\": 1}"});
  at.run({"enqueue", "ranked", "--json", "{\"n\": 4}", "--priority", "1"});
  at.run({"enqueue", "plain", "--json", "{\"n\": 5}"});
  const auto parts_of = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "peek");
    words.emplace_back("--json");
    std::string parts;
    std::istringstream lines{at.run(words)};
    for (std::string line; std::getline(lines, line);) {
      auto one = nlohmann::ordered_json::parse(line);
      for (const auto* key :
           {"message_id", "enqueued_at", "due_at", "lease_until", "dead_at", "contract_version", "last_error"})
        one.erase(key);
      parts += one.dump() + "\n";
    }
    return parts;
  };
  CHECK(parts_of({"urgent"}) ==
        R"({"state":"ready","attempt":0,"priority":1,"headers":{"trace":"é"},"payload":{"n":1}}
{"state":"delayed","attempt":0,"priority":0,"headers":null,"payload":{"n":2}}
)");
  CHECK(parts_of({"bulk"}) == R"({"state":"ready","attempt":0,"headers":{"a":1},"payload":{"n":3}})"
                              "\n");
  CHECK(parts_of({"ranked"}) == R"({"state":"ready","attempt":0,"priority":1,"payload":{"n":4}})"
                                "\n");
  CHECK(parts_of({"plain"}) == R"({"state":"ready","attempt":0,"payload":{"n":5}})"
                               "\n");
  const auto table = at.run({"peek", "urgent"});
  CHECK_THAT(table, test::contains("  ready  priority 1\n  {\"n\":1}\n  headers {\"trace\":\"é\"}\n"));
  CHECK_THAT(table, test::ends_with("  priority 0\n  {\"n\":2}\n"));

  test::fail_next(db, "urgent", "no");
  CHECK(parts_of({"urgent", "--dead"}) ==
        R"({"state":"dead","attempt":1,"priority":1,"headers":{"trace":"é"},"payload":{"n":1}})"
        "\n");
}
