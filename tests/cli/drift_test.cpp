#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

// A database that has the migrations of a project, and what is said of it.
struct scene {
  scene() {
    desk.generate({"email"});
    REQUIRE(desk.quern({"migrate", "--database", db.url()}).exit_code == 0);
  }

  test::outcome call(std::vector<std::string> arguments) const {
    if (std::ranges::find(arguments, "--database") == arguments.end())
      arguments.insert(arguments.end(), {"--database", db.url()});
    return desk.quern(arguments);
  }

  void change(std::string_view sql) const { quern::connection{db.url()}.run_script(sql); }

  test::database db;
  test::desk desk;
};

constexpr std::string_view advice_for_changed =
    "changed: change it back by hand, write the change as a hook, or accept it with `quern adopt`\n";

// Others may be at work on the same server: theirs are locked.
constexpr std::string_view nothing_left_over =
    "select not exists (select from pg_database as d where d.datname ~ '^quern_scratch_[0-9a-f]{8}$' "
    "and shobj_description(d.oid, 'pg_database') like 'Scratch%' and not exists (select from pg_locks as l "
    "where l.locktype = 'advisory' and l.objid::bigint = ('x' || right(d.datname, 8))::bit(32)::bigint))";

}  // namespace

TEST_CASE("drift finds nothing in a database that only quern has touched") {
  const scene now;
  const test::outcome none = now.call({"drift"});
  CHECK(none.exit_code == 0);
  CHECK(none.out == "no drift\n");
  CHECK(none.err.empty());
  CHECK(nlohmann::json::parse(now.call({"drift", "--json"}).out) ==
        nlohmann::json::parse(R"({"state": "none", "differences": [], "adopted": [], "idle_adoptions": [],
                                  "pending_migrations": 0})"));
}

TEST_CASE("drift names what somebody has changed, says what can be done, and changes nothing") {
  const scene now;
  now.change(
      "alter table shop.email_message alter attempt set default 1; create index extra on shop.email_dead (attempt);"
      "drop function shop.email_wake()");
  const test::outcome found = now.call({"drift"});
  CHECK(found.exit_code == 1);
  CHECK(found.out ==
        "column email_message.attempt: its default is `1`, the migrations say `0`\n"
        "function email_wake() is missing\n"
        "index extra is not in the migrations\n"
        "missing: make it again as its migration does (`quern drift --verbose` shows it), or accept its absence with "
        "`quern adopt`\n"
        "not in the migrations: write it as a hook (migrations/<line>/hooks/NNNN_after.sql), drop it by hand, or "
        "accept it "
        "with `quern adopt`\n" +
            std::string{advice_for_changed});
  CHECK(now.call({"drift"}).out == found.out);
  const auto json = nlohmann::json::parse(now.call({"drift", "--json"}).out);
  CHECK(json["state"] == "drift");
  CHECK(json["differences"][0] == nlohmann::json::parse(R"({
    "object": "column email_message.attempt", "kind": "changed", "property": "default",
    "words": "column email_message.attempt: its default is `1`, the migrations say `0`", "expected": "0", "found": "1",
    "was_adopted_otherwise": false})"));
  CHECK(json["differences"][1]["kind"] == "missing");
  CHECK(json["differences"][2]["kind"] == "unexpected");
  const test::outcome verbose = now.call({"drift", "--verbose"});
  CHECK_THAT(verbose.out, test::contains("the migrations say `0`\n  the migrations:\n    0\n  the database:\n    1\n"));
  CHECK_THAT(verbose.out,
             test::contains("index extra is not in the migrations\n  the database:\n    index extra\n"
                            "      definition: CREATE INDEX extra ON shop.email_dead USING btree (attempt)\n"
                            "      validity: valid\n"));
}

TEST_CASE("drift compares with exactly the migrations that the database has") {
  const scene now;
  now.desk.generate({"email", "sms"});
  const test::outcome behind = now.call({"drift"});
  CHECK(behind.exit_code == 0);
  CHECK(behind.out == "2 migrations are pending: compared with what was applied\nno drift\n");
  REQUIRE(now.call({"migrate"}).exit_code == 0);
  CHECK(now.call({"drift"}).out == "no drift\n");
}

TEST_CASE("drift in a database without migrations finds nothing but what stands in its schema") {
  const test::database db;
  const test::desk desk;
  desk.generate({"email"});
  CHECK(desk.quern({"drift", "--database", db.url()}).out ==
        "2 migrations are pending: compared with what was applied\nno drift\n");
  quern::connection{db.url()}.run_script("create schema shop; create table shop.mine ()");
  const test::outcome mine = desk.quern({"drift", "--database", db.url()});
  CHECK(mine.exit_code == 1);
  CHECK_THAT(mine.out, test::contains("schema shop is not in the migrations\n"));
}

TEST_CASE("drift says that it cannot know when the history does not match") {
  const scene now;
  now.change("update shop.quern_migration set checksum = 'other' where line = 'email'");
  const test::outcome other = now.call({"drift"});
  CHECK(other.exit_code == 6);
  CHECK_THAT(other.err,
             test::contains("the database was migrated by other files than these: what should be in it is not "
                            "known\n  email/0001_create.sql was edited after it was applied at "));
  now.change("update shop.quern_migration set line = 'sms' where line = 'email'");
  const test::outcome ahead = now.call({"drift"});
  CHECK(ahead.exit_code == 7);
  CHECK_THAT(ahead.err,
             test::contains("the database is ahead of this directory: what should be in it is not known\n  it "
                            "has sms/0001_create"));
  CHECK(now.call({"drift", "--database", "host=/nowhere"}).exit_code == 3);
}

TEST_CASE("drift in a database that bears an earlier draft says that, and lists no differences") {
  const scene now;
  const std::string declared = now.desk.read("quern.toml");
  now.desk.write("quern.toml", declared + "\n[queues.extra]\npayload = \"jsonb\"\n");
  REQUIRE(now.desk.quern({"generate"}).exit_code == 0);
  REQUIRE(now.call({"migrate"}).exit_code == 0);
  CHECK(now.call({"drift"}).out == "no drift\n");
  now.desk.write("quern.toml", declared + "\n[queues.extra]\nlease = \"10s\"\npayload = \"jsonb\"\n");
  REQUIRE(now.desk.quern({"generate"}).exit_code == 0);
  const test::outcome refused = now.call({"drift"});
  CHECK(refused.exit_code == 6);
  CHECK(refused.out.empty());
  CHECK(refused.err ==
        "quern: error: the database has drafts that are other files now: what should be in it is not known\n"
        "  extra/0001_create is a draft and was generated again after this database got it: `quern migrate "
        "--replace-drafts` takes the old draft back and applies the new one\n");
  REQUIRE(now.call({"migrate", "--replace-drafts"}).exit_code == 0);
  CHECK(now.call({"drift"}).out == "no drift\n");
}

TEST_CASE("the order of columns can be passed over") {
  const test::database db;
  const test::desk desk;
  desk.generate({"email"});
  desk.write("migrations/email/hooks/0001_after.sql", "create table shop.pair (one integer, other text);\n");
  REQUIRE(desk.quern({"migrate", "--database", db.url()}).exit_code == 0);
  CHECK(desk.quern({"drift", "--database", db.url()}).out == "no drift\n");
  quern::connection{db.url()}.run_script("drop table shop.pair; create table shop.pair (other text, one integer)");
  const test::outcome found = desk.quern({"drift", "--database", db.url()});
  CHECK(found.exit_code == 1);
  CHECK(found.out ==
        "columns of table pair: they stand in the order `other, one`, the migrations say `one, other`\n"
        "order: harmless to generated code; pass it over with --ignore-order, or accept it with `quern adopt`\n");
  CHECK(desk.quern({"drift", "--ignore-order", "--database", db.url()}).out == "no drift\n");
}

TEST_CASE("without the right to create databases, drift uses a private server or the one of --scratch") {
  const scene now;
  test::ensure_role("quern_reader");
  now.change("grant usage on schema shop to quern_reader; grant select on shop.quern_migration to quern_reader");
  const std::string reader = test::with_user(now.db.url(), "quern_reader");
  const std::string granted = "schema shop: usage is granted to quern_reader, the migrations do not grant it\n";
  const test::outcome on_private = now.call({"drift", "--database", reader});
  CHECK(on_private.exit_code == 1);
  CHECK(
      on_private.err ==
      "quern: no scratch database can be made there: it is read-only, or this user may not; using a private server\n");
  CHECK_THAT(on_private.out, test::starts_with(granted + "changed: "));
  const test::outcome elsewhere = now.call({"drift", "--database", reader, "--scratch", test::server_url()});
  CHECK(elsewhere.exit_code == 1);
  CHECK(elsewhere.err.empty());
  CHECK_THAT(elsewhere.out, test::starts_with(granted + "changed: "));
  const test::outcome refused = now.call({"drift", "--scratch", reader});
  CHECK(refused.exit_code == 8);
  CHECK_THAT(refused.err, test::contains("permission denied to create database"));
}

TEST_CASE("on a read-only server drift uses a private server, and says so where it may not") {
  const scene now;
  const std::string read_only = now.db.url() + "&options=-c%20default_transaction_read_only%3Don";
  const test::outcome on_private = now.call({"drift", "--database", read_only});
  CHECK(on_private.exit_code == 0);
  CHECK_THAT(on_private.err, test::ends_with("; using a private server\n"));
  CHECK(on_private.out == "no drift\n");
  const test::outcome refused = now.call({"drift", "--scratch", read_only});
  CHECK(refused.exit_code == 8);
  CHECK_THAT(refused.err, test::contains("read-only transaction"));
}

TEST_CASE("roles that the migrations grant to are no difference on a private server") {
  const test::database db;
  const test::desk desk;
  desk.write("quern.toml",
             "[project]\nname = \"shop\"\n[queues.email]\ngrants = { produce = [\"quern_web\"] }\n"
             "payload = { order_id = \"int64\" }\n");
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  test::ensure_role("quern_web");
  test::ensure_role("quern_reader");
  REQUIRE(desk.quern({"migrate", "--database", db.url()}).exit_code == 0);
  quern::connection{db.url()}.run_script(
      "alter schema shop owner to quern_reader; grant all on shop.quern_migration to quern_reader");
  CHECK(desk.quern({"drift", "--database", test::with_user(db.url(), "quern_reader")}).out == "no drift\n");
}

TEST_CASE("drift leaves no scratch database behind, not even when it fails") {
  const scene now;
  now.change("delete from shop.quern_migration where line = 'core'");
  const test::outcome failed = now.call({"drift"});
  CHECK(failed.exit_code == 4);
  CHECK_THAT(failed.err, test::contains("migrations/email/0001_create.sql:10: "));
  test::wait_until(test::server_url(), nothing_left_over);
}

TEST_CASE("what is adopted is drift no more, until it changes again") {
  const scene now;
  now.change(
      "create index extra on shop.email_dead (attempt); drop function shop.email_wake();"
      "alter table shop.email_message alter attempt set default 1");
  const test::outcome adopted = now.call({"adopt", "index extra", "function email_wake()"});
  CHECK(adopted.exit_code == 0);
  CHECK(adopted.out == "adopted function email_wake()\nadopted index extra\n");
  CHECK_THAT(now.desk.read("migrations/adopted.json"),
             test::starts_with("{\n  \"format\": 1,\n  \"adopted\": {\n    \"function email_wake()\": \"absent\",\n    "
                               "\"index extra\": \""));
  CHECK(now.call({"drift"}).out ==
        "column email_message.attempt: its default is `1`, the migrations say `0`\n"
        "2 adopted differences are passed over\n" +
            std::string{advice_for_changed});
  CHECK(now.call({"adopt", "--all"}).out == "adopted column email_message.attempt\n");
  CHECK(now.call({"drift"}).out == "3 adopted differences are passed over\nno drift\n");
  CHECK(now.call({"adopt", "--all"}).out == "nothing to adopt\n");
  CHECK_THAT(now.desk.quern({"adopt", "--list"}).out, test::starts_with("column email_message.attempt "));
  CHECK_THAT(now.desk.quern({"adopt", "--list"}).out, test::contains("\nfunction email_wake() (absent)\n"));

  now.change("alter table shop.email_message alter attempt set default 2");
  const test::outcome again = now.call({"drift"});
  CHECK(again.exit_code == 1);
  CHECK_THAT(again.out,
             test::starts_with("column email_message.attempt: its default is `2`, the migrations say `0` (was "
                               "adopted at another definition)\n"));
  now.change("alter table shop.email_message alter attempt set default 0");
  const test::outcome back = now.call({"drift"});
  CHECK(back.exit_code == 0);
  CHECK_THAT(back.out, test::starts_with("column email_message.attempt is adopted, but does not differ: `quern adopt "
                                         "--remove` takes that back\n"));
  CHECK(now.desk.quern({"adopt", "--remove", "column email_message.attempt"}).out ==
        "column email_message.attempt is not adopted any more\n");
  CHECK(now.desk.quern({"adopt", "--remove", "index extra", "function email_wake()"}).exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(now.desk.root() / "migrations/adopted.json"));
}

TEST_CASE("drift names a function that was given to another owner, whoever has applied the migrations") {
  test::ensure_role("quern_owner");
  test::ensure_role("quern_reader");
  const test::database db;
  const test::desk desk;
  desk.generate({"email"});
  quern::connection{db.url()}.run_script(
      "do $$ begin execute format('grant create on database %I to quern_owner', current_database()); end $$");
  REQUIRE(desk.quern({"migrate", "--database", test::with_user(db.url(), "quern_owner")}).exit_code == 0);
  CHECK(desk.quern({"drift", "--database", db.url()}).out == "no drift\n");
  quern::connection{db.url()}.run_script("alter function shop.email_wake() owner to quern_reader");
  const test::outcome found = desk.quern({"drift", "--database", db.url()});
  CHECK(found.exit_code == 1);
  CHECK(found.out ==
        "function email_wake(): its owner is `quern_reader`, with whose rights it runs, most objects here belong to "
        "`quern_owner`\n" +
            std::string{advice_for_changed});
}

TEST_CASE("who adopted another change of an object has not adopted its new owner") {
  const scene now;
  test::ensure_role("quern_reader");
  now.change("comment on function shop.email_wake() is 'ours'");
  REQUIRE(now.call({"adopt", "--all"}).exit_code == 0);
  now.change("alter function shop.email_wake() owner to quern_reader");
  CHECK_THAT(now.call({"drift"}).out, test::contains("function email_wake(): its owner is `quern_reader`"));
  REQUIRE(now.call({"adopt", "--all"}).exit_code == 0);
  CHECK(now.call({"drift"}).exit_code == 0);
}

TEST_CASE("an unexpected table is adopted with all that stands in it") {
  const scene now;
  now.change("create table shop.mine (id integer)");
  REQUIRE(now.call({"adopt", "table mine"}).exit_code == 0);
  CHECK(now.call({"drift"}).exit_code == 0);
  now.change("create index mine_id on shop.mine (id)");
  CHECK_THAT(now.call({"drift"}).out,
             test::starts_with("table mine is not in the migrations (was adopted at another definition)\n"));
}

TEST_CASE("adopt refuses what does not differ, and what was not asked well") {
  const scene now;
  CHECK(now.call({"adopt"}).exit_code == 2);
  CHECK(now.call({"adopt", "--all", "index extra"}).exit_code == 2);
  CHECK(now.call({"adopt", "--all", "--list"}).exit_code == 2);
  const test::outcome none = now.call({"adopt", "index extra"});
  CHECK(none.exit_code == 1);
  CHECK_THAT(none.err, test::ends_with("index extra does not differ from the migrations; nothing does\n"));
  now.change("drop function shop.email_wake()");
  CHECK_THAT(now.call({"adopt", "index extra"}).err,
             test::ends_with("index extra does not differ from the migrations; what does:\n  function email_wake()\n"));
  CHECK(now.desk.quern({"adopt", "--list"}).err == "quern: nothing is adopted\n");
  CHECK_THAT(now.desk.quern({"adopt", "--remove", "index extra"}).err,
             test::ends_with("index extra is not adopted: `quern adopt --list` says what is\n"));
}

TEST_CASE("an adopted.json that is none is refused with its reason") {
  const scene now;
  const auto refusal = [&](const std::string& text) {
    now.desk.write("migrations/adopted.json", text);
    const test::outcome refused = now.call({"drift"});
    CHECK(refused.exit_code == 1);
    return refused.err;
  };
  const std::string start = "quern: error: migrations/adopted.json: ";
  CHECK(refusal("<<<<") == start + "is not JSON\n");
  CHECK(refusal("[]") == start + "should hold `format` and `adopted`, as `quern adopt` writes them\n");
  CHECK(refusal(R"({"format": 2, "adopted": {}})") == start + "has format 2; this program knows 1\n");
  CHECK(refusal(R"({"format": 1, "adopted": {"index x": "yes"}})") ==
        start + "what is adopted of index x is neither a digest nor `absent`\n");
}
