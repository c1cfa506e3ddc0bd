// What an operator sees of handled messages.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <string>

#include "cli/counter.hpp"
#include "support/catch.hpp"

namespace {

using nlohmann::json;
using test::counter;

constexpr const char* shop = R"(
[queues.email]
keep_done = "1d"
payload = { n = "int32" }
[queues.hooks]
payload = "jsonb"
[streams.activity]
payload = { kind = "text" }
)";

}  // namespace

TEST_CASE("peek shows what was handled, with its results, the newest first or by its id") {
  const counter at{shop};
  for (const auto* payload : {R"({"n": 1})", R"({"n": 2})"}) at.run({"enqueue", "email", "--json", payload});
  quern::connection db{at.url()};
  CHECK(db.execute("select count(*) from shop.email_claim_v1(2)").value<std::int64_t>() == 2);
  const auto ids = db.execute("select array_agg(message_id order by message_id) from shop.email_message")
                       .value<std::vector<std::int64_t>>();
  CHECK(db.execute("select shop.email_ack_result($1, 1, '{\"ok\": true}')", ids[0]).value<bool>());
  CHECK(db.execute("select shop.email_ack($1, 1)", ids[1]).value<bool>());
  const auto lines = at.run({"peek", "email", "--done", "--json"});
  const auto end = lines.find('\n');
  auto newest = json::parse(lines.substr(0, end));
  auto oldest = json::parse(lines.substr(end + 1));
  CHECK(newest.contains("done_at"));
  CHECK(newest.at("payload") == json{{"n", 2}});
  CHECK_FALSE(newest.contains("result"));
  CHECK(oldest.at("message_id") == ids[0]);
  CHECK(oldest.at("state") == "done");
  CHECK(oldest.at("result") == json{{"ok", true}});
  CHECK(json::parse(at.run({"peek", "email", fmt::to_string(ids[0]), "--done", "--json"})) == oldest);
  CHECK_THAT(at.run({"peek", "email", "--done", "--limit", "1"}), test::ends_with("  {\"n\":2}\n"));

  CHECK(at.quern({"peek", "hooks", "--done"}).err ==
        "quern: error: queue hooks keeps no handled messages: it has no `keep_done`\n");
  CHECK(at.quern({"peek", "email", "--done", "--dead"}).err == "quern: error: one of --dead, --leased and --done\n");
  CHECK(at.quern({"peek", "activity", "--done"}).exit_code == 2);
}
