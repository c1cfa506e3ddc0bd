// quern rollback and quern baseline.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <quern/connection.hpp>

#include "cli/program.hpp"
#include "migrate/parse.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

// A project whose line email has a second migration that can be taken back unless public.letter holds rows.
class shop {
 public:
  shop() {
    quern::connection{db_.url()}.execute("create table public.letter ()");
    desk_.generate({"email"});
    add("0002_more.sql",
        "-- quern migration: email/0002_more\n-- step: more\n-- lock: none\n-- lock_timeout: 1s\n-- statement_timeout: "
        "0\n"
        "-- transaction: yes\ncreate table public.more ();\n-- reverse\ndrop table public.more;\n"
        "do $$ begin if exists (select from public.letter) then raise exception using errcode = 'QN008', message = "
        "'letters remain'; end if; end $$;\n");
  }

  // A migration of email, and its place in the lock.
  void add(const std::string& file, const std::string& text) const {
    desk_.write("migrations/email/" + file, text);
    auto lock = nlohmann::ordered_json::parse(desk_.read("migrations/quern.lock"));
    lock["lines"]["email"]["migrations"].push_back({{"file", file}, {"checksum", migrate::sha256(text)}});
    desk_.write("migrations/quern.lock", lock.dump(2) + "\n");
  }

  test::outcome quern(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--database", db_.url()});
    return desk_.quern(arguments);
  }

  void run(const std::string& sql) const { quern::connection{db_.url()}.run_script(sql); }

  bool has_more() const {
    return quern::connection{db_.url()}.execute("select to_regclass('public.more') is not null").value<bool>();
  }

 private:
  test::database db_{};
  test::desk desk_{};
};

}  // namespace

TEST_CASE("rollback takes the newest migration back, and says so when there is none") {
  const shop all;
  CHECK(all.quern({"rollback"}).out == "nothing to take back: the database has no migration\n");
  CHECK(all.quern({"rollback", "email"}).out == "nothing to take back: email has no migration applied\n");
  REQUIRE(all.quern({"migrate"}).exit_code == 0);
  REQUIRE(all.has_more());
  const test::outcome printed = all.quern({"rollback", "--dry-run"});
  CHECK(printed.exit_code == 0);
  CHECK_THAT(printed.out, test::starts_with("-- taking back email/0002_more, step more\nbegin"));
  const test::outcome done = all.quern({"rollback", "email/0002"});
  CHECK(done.exit_code == 0);
  CHECK_THAT(done.out, test::starts_with("took back email/0002_more, step more ("));
  CHECK_THAT(done.out, test::ends_with("\n1 migration taken back\n"));
  CHECK_FALSE(all.has_more());
  const test::outcome again = all.quern({"rollback", "email/0002"});
  CHECK(again.exit_code == 0);
  CHECK(again.out == "nothing to take back: email/0002 is not applied\n");
  CHECK(all.quern({"rollback", "email/0002", "--dry-run"}).out ==
        "-- nothing to take back: email/0002 is not applied\n");
}

TEST_CASE("each way in which a rollback fails has its exit code") {
  const shop all;
  REQUIRE(all.quern({"migrate"}).exit_code == 0);
  CHECK(all.quern({"rollback", "email/"}).exit_code == 2);
  CHECK(all.quern({"rollback", "email", "--wait", "soon"}).exit_code == 2);
  const test::outcome unknown = all.quern({"rollback", "emial"});
  CHECK(unknown.exit_code == 1);
  CHECK(unknown.err == "quern: error: neither the database nor migrations/quern.lock knows a line emial\n");
  all.run("insert into public.letter default values");
  CHECK(all.quern({"rollback", "email", "--wait", "1"}).exit_code == 9);
  const test::outcome used = all.quern({"rollback", "email", "--wait", "300ms"});
  CHECK(used.exit_code == 9);
  CHECK_THAT(used.err, test::starts_with("quern: taking back email/0002_more, step more waits: letters remain\n"));
  CHECK_THAT(used.err,
             test::contains("quern: error: the reverse of email/0002_more, step more:2: letters remain (SQLSTATE "
                            "QN008)\n"));
  CHECK(all.has_more());
  all.run("update shop.quern_migration set reverse = null");
  const test::outcome irreversible = all.quern({"rollback", "email"});
  CHECK(irreversible.exit_code == 1);
  CHECK_THAT(irreversible.err, test::ends_with("\n  email/0002_more, step more\n"));
}

TEST_CASE("a rollback that is refused midway says what was taken back before that") {
  const shop all;
  all.add(
      "0003_last.sql",
      "-- quern migration: email/0003_last\n-- step: last\n-- lock: none\n-- lock_timeout: 1s\n-- "
      "statement_timeout: 0\n-- transaction: yes\ncreate table public.last ();\n-- reverse\ndrop table public.last;\n");
  REQUIRE(all.quern({"migrate"}).exit_code == 0);
  all.run("insert into public.letter default values");
  const test::outcome used = all.quern({"rollback", "email/0002"});
  CHECK(used.exit_code == 9);
  CHECK_THAT(used.err, test::contains("letters remain (SQLSTATE QN008)\n"));
  CHECK_THAT(used.err,
             test::ends_with("\nemail/0003_last, step last was taken back before that: `quern migrate` brings "
                             "it back\n"));
  CHECK_THAT(all.quern({"migrate"}).out, test::ends_with("\n1 migration applied\n"));
  CHECK_THAT(all.quern({"rollback", "--help"}).out,
             test::contains("\n   9  clients or messages still depend on what was to be taken away\n"));
}

TEST_CASE("baseline records what is there, and says how to see whether that was true") {
  const shop all;
  REQUIRE(all.quern({"migrate", "--to", "email/0001"}).exit_code == 0);
  all.run("drop table shop.quern_migration");
  CHECK(all.quern({"baseline", "email"}).exit_code == 2);
  CHECK(all.quern({"baseline", "email/0003"}).exit_code == 1);
  CHECK_THAT(all.quern({"baseline", "--dry-run"}).out, test::contains("insert into "));
  const test::outcome done = all.quern({"baseline", "email/0001"});
  CHECK(done.exit_code == 0);
  CHECK(done.out ==
        "recorded core/0001_create\nrecorded email/0001_create\n2 migrations recorded as applied, none was run: `quern "
        "drift` says whether the "
        "database "
        "has what they make\n");
  const test::outcome again = all.quern({"baseline"});
  CHECK(again.exit_code == 1);
  CHECK_THAT(again.err, test::contains("the ledger already knows what was applied"));
  CHECK_THAT(all.quern({"migrate"}).out, test::ends_with("\n1 migration applied\n"));
}

TEST_CASE("a stream whose new contract has events keeps the places of the consumers that came with it") {
  const test::desk desk;
  const test::database db;
  const auto quern = [&](std::vector<std::string> words) { return desk.quern(words, {{"QUERN_DATABASE", db.url()}}); };
  const auto deploy = [&](const std::string& rest) {
    desk.write(
        "quern.toml",
        "[project]\nname = \"shop\"\n[streams.log]\nretention = \"1d\"\n[streams.log.payload]\nbody = \"text\"\n" +
            rest);
    for (const auto* command : {"generate", "release", "migrate"}) REQUIRE(quern({command}).exit_code == 0);
  };
  deploy("");
  deploy("note = \"text?\"\n[streams.log.consumers.late]\nfrom = \"end\"\n");
  quern::connection on{db.url()};
  on.execute("select shop.log_publish_v2('a', 'b')");
  CHECK(quern({"rollback", "log"}).exit_code == 9);
  const auto place = [&] {
    return on.execute("select max(up_to) from shop.log_position where consumer = 'late'")
        .value<std::optional<std::int64_t>>();
  };
  CHECK(place() == 0);
  REQUIRE(quern({"migrate"}).exit_code == 0);
  CHECK(place() == 0);
  CHECK(on.execute("select count(*) from shop.log_receive_v2('late')").value<std::int64_t>() <= 1);
}
