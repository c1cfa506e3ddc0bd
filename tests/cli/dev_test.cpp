#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "support/catch.hpp"

TEST_CASE("a private server serves from start to reset") {
  const test::desk desk;
  CHECK(desk.quern({"dev", "status"}).exit_code == 3);
  CHECK(desk.quern({"dev", "status"}).out == "no private server has been made here\n");
  const test::outcome none = desk.quern({"dev", "url"});
  CHECK(none.exit_code == 3);
  CHECK(none.err == "quern: error: no private server runs in .quern: `quern dev start` starts one\n");
  CHECK(desk.quern({"dev", "psql"}).exit_code == 3);
  CHECK(desk.quern({"dev", "stop"}).exit_code == 0);

  const test::outcome started = desk.quern({"dev", "start"});
  REQUIRE(started.exit_code == 0);
  CHECK_THAT(started.err, test::starts_with("quern: making a cluster with PostgreSQL "));
  CHECK(desk.quern({"dev", "url"}).out == started.out);
  CHECK(desk.quern({"dev", "start"}).out == started.out);
  const std::string url = started.out.substr(0, started.out.size() - 1);
  const auto state = nlohmann::json::parse(desk.quern({"dev", "status", "--json"}).out);
  CHECK(state["is_running"] == true);
  CHECK(state["url"] == url);
  CHECK(state["data"] == (desk.root() / ".quern/data").string());
  CHECK_THAT(desk.quern({"dev", "status"}).out, test::starts_with("running: PostgreSQL "));

  const test::outcome shell = desk.quern({"dev", "psql", "-At", "-c", "create table t (); select 'made'"});
  CHECK(shell.exit_code == 0);
  CHECK_THAT(shell.out, test::ends_with("made\n"));

  desk.generate({"email"});
  const test::outcome migrated = desk.quern({"migrate"});
  CHECK(migrated.exit_code == 0);
  CHECK_THAT(migrated.err, test::starts_with("quern: using the private server in .quern\n"));
  CHECK(quern::connection{url}.execute("select to_regclass('shop.email_message') is not null").value<bool>());

  const test::outcome unsure = desk.quern({"dev", "reset"});
  CHECK(unsure.exit_code == 2);
  CHECK_THAT(unsure.err, test::contains("say --yes"));
  CHECK(desk.quern({"dev", "psql", "-c", "select from t"}).exit_code == 0);
  for (const auto& mark : {std::vector<std::string>{}, {"--"}}) {
    std::vector<std::string> words{"dev", "psql"};
    words.insert(words.end(), mark.begin(), mark.end());
    words.insert(words.end(), {"-A", "-t", "-c", "select 3", "--", "--set"});
    CHECK(desk.quern(words).out == "3\n");
  }
  CHECK_THAT(desk.quern({"dev", "psql", "--", "--help"}).out, test::starts_with("psql is the PostgreSQL"));
  CHECK_THAT(desk.quern({"dev", "psql", "--help"}).out, test::starts_with("Run psql on it"));
  CHECK(desk.quern({"dev", "reset", "--yes"}).exit_code == 0);
  CHECK(desk.quern({"dev", "psql", "-c", "select from t"}).exit_code == 1);

  CHECK(desk.quern({"dev", "stop"}).err == "quern: the server has ended\n");
  CHECK(desk.quern({"dev", "stop"}).err == "quern: no server runs here\n");
  CHECK(desk.quern({"dev", "status"}).exit_code == 3);
  CHECK_THAT(desk.quern({"dev", "status"}).out, test::starts_with("stopped: PostgreSQL "));
}

TEST_CASE("programs and directory of a private server can be named") {
  const test::desk desk;
  const test::outcome refused = desk.quern({"dev", "start", "--pg-bin", "/nowhere"});
  CHECK(refused.exit_code == 3);
  CHECK(refused.err == "quern: error: /nowhere holds no PostgreSQL server (the programs postgres and initdb)\n");
  CHECK(desk.quern({"dev", "restart"}).exit_code == 2);
}

TEST_CASE("roles that migrations grant to are made on a private server, and only there") {
  const test::desk desk;
  desk.write("quern.toml",
             "[project]\nname = \"shop\"\n[queues.email]\npayload = { order_id = \"int64\" }\n"
             "grants = { produce = [\"web\"], consume = [\"mailer\"] }\n");
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  const test::outcome started = desk.quern({"dev", "start"});
  REQUIRE(started.exit_code == 0);
  const std::string url = started.out.substr(0, started.out.size() - 1);
  // The same server under an address that is not the private one's own.
  const std::string foreign = url + "&application_name=other";
  const test::outcome refused = desk.quern({"migrate", "--database", foreign});
  CHECK(refused.exit_code == 8);
  CHECK_THAT(refused.err, test::contains("\n  create role mailer nologin;\n  create role web nologin;\n"));
  const test::outcome done = desk.quern({"migrate"});
  CHECK(done.exit_code == 0);
  CHECK_THAT(done.err, test::contains("quern: created the missing role: create role mailer nologin;\n"));
}
