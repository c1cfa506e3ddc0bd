// quern contracts and quern retire: who uses what, and what may go.

#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string declaration(const std::string& email_fields, const std::string& sunset = "1s") {
  return "[project]\nname = \"shop\"\n[queues.email]\nsunset = \"" + sunset +
         "\"\n[queues.email.payload]\norder_id = \"int64\"\n" + email_fields +
         "[queues.parcel.payload]\norder_id = \"int64\"\n";
}

const std::string v2 = "note = \"text?\"\n";
const std::string v3 = "note = \"text?\"\ntag = \"text?\"\n";

/// A project with a database.
class project {
 public:
  explicit project(std::string sunset = "1s") : sunset_{std::move(sunset)} {}

  void generate(const std::string& email_fields) const {
    desk_.write("quern.toml", declaration(email_fields, sunset_));
    run({"generate"});
  }

  void deploy(const std::string& email_fields) const {
    generate(email_fields);
    run({"release"});
    run({"migrate"});
  }

  test::outcome quern(const std::vector<std::string>& words) const {
    return desk_.quern(words, {{"QUERN_DATABASE", database_.url()}});
  }

  test::outcome run(const std::vector<std::string>& words) const {
    auto ended = quern(words);
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
    return ended;
  }

  void run_after_sunset(const std::vector<std::string>& words) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (quern(words).exit_code == 9 && std::chrono::steady_clock::now() < end) {
    }
  }

  /// What a command that must fail says, and its code.
  void refuses(const std::vector<std::string>& words, int code, const std::string& said) const {
    const auto ended = quern(words);
    CHECK(ended.exit_code == code);
    CHECK(ended.out.empty());
    CHECK(ended.err == "quern: error: " + said + "\n");
  }

  const std::string& url() const { return database_.url(); }
  const test::desk& desk() const { return desk_; }

 private:
  std::string sunset_;
  test::desk desk_;
  test::database database_;
};

const json& contract_of(const json& all, const std::string& queue, int version) {
  for (const auto& one : all)
    if (one["queue"] == queue && one["version"] == version) return one;
  FAIL("there is no " << queue << " v" << version);
  return all;
}

void shake_hands(quern::connection& db, int version) {
  db.execute(
      "select shop.quern_handshake('email', $1, (select fingerprint from shop.quern_contract where queue = 'email' and "
      "version = $1))",
      version);
}

}  // namespace

TEST_CASE("contracts of a database that has none are absent") {
  const project shop;
  shop.generate("");
  CHECK(shop.run({"contracts"}).out ==
        "email v1 draft, in the database absent\nparcel v1 draft, in the database absent\n");
  const auto all = json::parse(shop.run({"contracts", "--json"}).out);
  CHECK(all.size() == 2);
  CHECK(all[0] ==
        json::parse(R"({"queue": "email", "line": "email", "version": 1, "state": "draft", "in_database": "absent",
    "produced_at": null, "consumed_at": null, "messages": 0, "clients": []})"));
}

TEST_CASE("contracts says who used which version and when, and how many messages bear it") {
  const project shop;
  shop.deploy("");
  quern::connection old{shop.url(), {.application_name = "old mailer"}};
  shake_hands(old, 1);
  shop.deploy(v2);
  quern::connection db{shop.url(), {.application_name = ""}};
  shake_hands(db, 2);
  db.execute("select shop.email_enqueue_v2(1), shop.email_enqueue_v2(2, p_delay => interval '1 h')");
  db.execute("select from shop.email_claim_v1()");
  const auto all = json::parse(shop.run({"contracts", "--json"}).out);
  CHECK(all.size() == 3);
  const auto& first = contract_of(all, "email", 1);
  CHECK(first["state"] == "released");
  CHECK(first["in_database"] == "live");
  CHECK(first["produced_at"].is_null());
  CHECK_THAT(first["consumed_at"].get<std::string>(), test::starts_with("20") && test::ends_with("Z"));
  CHECK(first["messages"] == 0);
  REQUIRE(first["clients"].size() == 1);
  CHECK(first["clients"][0]["client"] == "old mailer");
  const auto role = first["clients"][0]["role"].get<std::string>();
  const auto seen = first["clients"][0]["last_seen_at"].get<std::string>();
  CHECK(first["clients"][0]["first_seen_at"] == seen);
  const auto& second = contract_of(all, "email", 2);
  CHECK(second["messages"] == 2);
  CHECK_THAT(second["produced_at"].get<std::string>(), test::ends_with("Z"));
  CHECK(second["consumed_at"].is_null());
  const auto text = shop.run({"contracts"}).out;
  CHECK_THAT(text, test::starts_with("email v1 released, in the database live\n  last produced never, last consumed "));
  CHECK_THAT(text, test::contains(", 0 messages\n  old mailer (role " + role + "), last seen " + seen + "\n"));
  CHECK_THAT(text, test::contains(", last consumed never, 2 messages\n  a program without a name (role "));
}

TEST_CASE("contracts shows drafts, those that the database does not have, and those that are others there") {
  const project shop;
  shop.deploy("");
  shop.generate(v2);
  CHECK_THAT(shop.run({"contracts"}).out, test::contains("email v2 draft, in the database absent\n"));
  shop.run({"migrate"});
  CHECK_THAT(shop.run({"contracts"}).out, test::contains("email v2 draft, in the database live\n"));
  shop.generate("note = \"int32?\"\n");
  CHECK_THAT(shop.run({"contracts"}).out, test::contains("email v2 draft, in the database different\n"));
  CHECK(contract_of(json::parse(shop.run({"contracts", "--json"}).out), "email", 2)["in_database"] == "different");
}

TEST_CASE("contracts shows operators what they operate, and says how much is hidden from them") {
  test::ensure_role("ops");
  const test::desk desk;
  const test::database database;
  const std::string fields = "payload = { n = \"int32\" }\n";
  const std::string operated = "grants = { operate = [\"ops\"] }\n" + fields;
  desk.write("quern.toml", "[project]\nname = \"shop\"\n[queues.email]\n" + operated +
                               "[queues.bulk]\nstorage = \"log\"\n" + operated + "[streams.activity]\n" + operated +
                               "[queues.parcel]\n" + fields);
  for (const char* const command : {"generate", "release", "migrate"})
    REQUIRE(desk.quern({command}, {{"QUERN_DATABASE", database.url()}}).exit_code == 0);
  quern::connection{database.url()}.execute("select shop.email_enqueue_v1(1), shop.activity_publish_v1(1)");

  const auto seen = desk.quern({"contracts", "--database", test::with_user(database.url(), "ops")});
  INFO(seen.err);
  CHECK(seen.exit_code == 0);
  CHECK_THAT(seen.out, test::contains("email v1 released, in the database live\n  last produced 2"));
  CHECK_THAT(seen.out, test::contains("bulk v1 released, in the database live\n  last produced never"));
  CHECK_THAT(seen.out, test::contains("activity v1 released, in the database live\n  last produced 2"));
  CHECK_THAT(seen.out, test::ends_with("\n1 more that this role may not operate\n"));
  CHECK_FALSE(seen.out.find("parcel") != std::string::npos);

  const auto status = desk.quern({"status", "--database", test::with_user(database.url(), "ops")});
  CHECK(status.exit_code == 8);
  CHECK_THAT(status.err, test::ends_with("\n  hint: ask as the role that migrates\n"));
}

TEST_CASE("contracts ends with 8 for a role that may not look, 3 without a server, 1 without a lock") {
  const project shop;
  shop.deploy("");
  test::ensure_role("quern_test_stranger");
  shop.refuses({"contracts", "--database", test::with_user(shop.url(), "quern_test_stranger")}, 8,
               "permission denied for schema shop: this role may not see who uses which contract; ask as one of "
               "`grants.operate`");
  CHECK(shop.quern({"contracts", "--database", "host=/nowhere dbname=x"}).exit_code == 3);
  shop.refuses({"contracts", "--migrations", "nowhere"}, 1, "nowhere/quern.lock: there is no such file");
  CHECK(shop.quern({"contracts", "--jsn"}).exit_code == 2);
}

TEST_CASE("retire drops the oldest contract that nobody uses, and contracts shows it") {
  const project shop;
  shop.deploy("");
  shop.deploy(v2);
  shop.run_after_sunset({"retire", "email", "1"});
  CHECK(fs::exists(shop.desk().root() / "migrations/email/0003_retire_v1.sql"));
  CHECK(shop.run({"generate"}).out == "nothing has changed\n");
  CHECK(shop.run({"release"}).out == "nothing to release\n");
  CHECK_THAT(shop.run({"contracts"}).out, test::contains("email v1 retired, in the database live\n"));
  shop.run_after_sunset({"migrate"});
  CHECK_THAT(shop.run({"contracts"}).out, test::contains("email v1 retired, in the database retired\nemail v2 "));
  shop.refuses({"retire", "email", "1"}, 1, "contract v1 of queue \"email\" is retired already");
}

TEST_CASE("retire refuses what is unknown, the newest, what is not the oldest, and a queue with a draft") {
  const project shop;
  shop.generate("");
  shop.run({"release"});
  shop.generate(v2);
  shop.run({"release"});
  shop.generate(v3);
  shop.refuses({"retire", "email", "1"}, 1, "queue \"email\" has a draft: run `quern release email` first");
  shop.run({"release"});
  shop.refuses({"retire", "mail", "1"}, 1, "there is no queue or stream \"mail\"");
  shop.refuses({"retire", "core", "1"}, 1, "there is no queue or stream \"core\"");
  shop.refuses({"retire", "email", "4"}, 1, "queue \"email\" has no contract v4");
  shop.refuses({"retire", "email", "2"}, 1, "contract v1 of queue \"email\" is older and live: retire it first");
  shop.refuses({"retire", "email", "3"}, 1, "contract v1 of queue \"email\" is older and live: retire it first");
  shop.refuses(
      {"retire", "parcel", "1"}, 1,
      "contract v1 is the only live one of queue \"parcel\": to drop the queue, take it out of the declaration");
  for (const auto* version : {"0", "-1", "x"}) CHECK(shop.quern({"retire", "email", version}).exit_code == 2);
  CHECK(shop.quern({"retire", "email"}).exit_code == 2);
  CHECK(shop.quern({"retire", "email", "1", "--offline", "--database", "x"}).exit_code == 2);
}

TEST_CASE("retire asks the database before it writes: 3 when it cannot be reached, 8 when the role may not") {
  const project shop;
  shop.deploy("");
  shop.deploy(v2);
  const auto before = shop.desk().read("migrations/quern.lock");
  CHECK(shop.quern({"retire", "email", "1", "--database", "host=/nowhere dbname=x"}).exit_code == 3);
  test::ensure_role("quern_test_stranger");
  const auto refused =
      shop.quern({"retire", "email", "1", "--database", test::with_user(shop.url(), "quern_test_stranger")});
  CHECK(refused.exit_code == 8);
  CHECK_THAT(refused.err, test::contains("permission denied"));
  CHECK(shop.desk().read("migrations/quern.lock") == before);
  CHECK_FALSE(fs::exists(shop.desk().root() / "migrations/email/0003_retire_v1.sql"));
}

TEST_CASE("retire --offline writes at once; each database refuses for itself while somebody uses the contract") {
  const project shop{"1h"};
  shop.deploy("");
  shop.deploy(v2);
  quern::connection db{shop.url(), {.application_name = "old mailer"}};
  shake_hands(db, 1);
  const auto made = shop.run({"retire", "email", "1", "--offline"});
  CHECK_THAT(made.out, test::starts_with("wrote migrations/email/0003_retire_v1.sql\n"));
  CHECK_THAT(made.err, test::contains("`quern migrate` applies it; each database refuses it for itself while a client "
                                      "or a message needs the contract\n"));
  const auto refused = shop.quern({"migrate"});
  CHECK(refused.exit_code == 9);
  CHECK_THAT(refused.err, test::contains("contract v1 of queue \"email\" was used at "));
  CHECK_THAT(refused.err, test::contains("old mailer"));
  db.execute("select * from shop.email_enqueue_v1(1)");
}
