#include "migrate/export.hpp"

#include <cstdint>
#include <filesystem>
#include <quern/connection.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "migrate/drift.hpp"
#include "migrate/drift_expected.hpp"
#include "migrate/error.hpp"
#include "migrate/export_tools.hpp"
#include "migrate/ledger.hpp"
#include "migrate/runner.hpp"
#include "migrate/runner_lock.hpp"
#include "migrate/workspace.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using migrate::export_format;
using migrate::file_texts;

constexpr export_format tools[] = {export_format::flyway, export_format::dbmate, export_format::goose,
                                   export_format::sqitch};

// Every kind of step, with a function that holds semicolons and what some tool might take for its own.
class project {
 public:
  project() {
    space_.add(
        "core/0001_create",
        {{.name = "create",
          .sql = "create type shop.channel as enum ('e;mail', '${sms}');\n"
                 "create table shop.note (id bigint primary key, slice integer[], channel shop.channel);\n"
                 "create function shop.first_of(p integer[], hi integer) returns integer[] language sql\n"
                 "begin atomic\n  select p[1:hi];\nend;\n"
                 "create function shop.quote() returns text language plpgsql as $$\nbegin\n"
                 "  -- it's \\ a :note\n  return 'ä';\nend\n$$\n",
          .sections = "-- reverse\ndrop function shop.quote();\ndrop function shop.first_of(integer[], integer);\n"
                      "drop table shop.note; drop type shop.channel\n"}});
    space_.add("email/0001_create",
               {{.name = "tables",
                 .sql = "create table shop.email (id bigint, sender text);\ngrant select on shop.email to quern_web;",
                 .sections = "-- reverse\ndrop table shop.email;\n"},
                {.name = "index concurrently",
                 .sql = "create index concurrently email_sender on shop.email (sender);\n"
                        "create index concurrently email_id on shop.email (id)",
                 .lock_timeout = "0",
                 .transaction = "no",
                 .sections = "-- probe\nselect count(*) = 2 from pg_index where indrelid = 'shop.email'::regclass and "
                             "indisvalid; -- both\n-- cleanup\ndrop index concurrently if exists shop.email_sender;\n"
                             "drop index concurrently if exists shop.email_id;\n"
                             "-- reverse\ndrop index concurrently if exists shop.email_id;\n"
                             "drop index concurrently if exists shop.email_sender;\n"},
                {.name = "nothing", .sql = "-- only words", .sections = "-- reverse\n-- nothing to undo\n"}},
               "quern_web");
    space_.write("email/hooks/0001_after.sql",
                 "comment on table shop.email is 'from a hook';\n-- reverse\n-- goes with "
                 "the table\n");
    test::ensure_role("quern_web");
  }

  void add_later_ones() const {
    space_.add("core/0002_extend", {{.name = "extend", .sql = "alter type shop.channel add value 'push';"}});
    space_.add("push/0001_create", {{.name = "create", .sql = "create table shop.push (id bigint);"}});
    space_.add("email/0002_add_note", {{.name = "add", .sql = "alter table shop.email add note text;"}});
  }

  migrate::directory files() const { return space_.read(); }

  file_texts exported(export_format format, const file_texts& present = {}, std::int64_t first = 0) const {
    return migrate::export_migrations(files(), {.format = format, .schema = "shop", .first_number = first}, present);
  }

  const test::workspace& space() const { return space_; }

 private:
  test::workspace space_;
};

// What the runner makes of the migrations, and the words for what is otherwise in the other database.
std::vector<std::string> differences(const project& from, const std::string& url) {
  const test::database reference;
  migrate::apply(from.files(), {.database = reference.url(), .schema = "shop"});
  std::vector<std::string> words;
  for (const auto& one :
       migrate::compare(migrate::catalog_of(reference.url(), "shop"), migrate::catalog_of(url, "shop")))
    words.push_back(one.words);
  const auto ledger = [&](const std::string& of) {
    std::vector<migrate::applied_step> rows = migrate::look(from.files(), of, "shop").applied;
    for (migrate::applied_step& row : rows) row.applied_at = "", row.duration = 0;
    return rows;
  };
  if (ledger(url) != ledger(reference.url())) words.emplace_back("the ledger is another");
  return words;
}

std::vector<std::string> names_of(const file_texts& files) {
  std::vector<std::string> names;
  for (const auto& [name, text] : files) names.push_back(name);
  return names;
}

std::string refusal(const project& from, export_format format, const file_texts& present, std::int64_t first = 0) {
  try {
    from.exported(format, present, first);
  } catch (const migrate::error& refused) {
    CHECK(refused.why() == migrate::reason::wrong_input);
    return refused.what();
  }
  return "nothing was refused";
}

}  // namespace

TEST_CASE("psql makes of the plain script what the runner makes of the migrations") {
  const project from;
  const test::database db;
  const std::string script = migrate::export_script(from.files(), "shop");
  const test::psql_outcome done = test::psql_script(db.url(), script);
  CHECK(done.words ==
        "applied core/0001_create, step create\napplied email/0001_create, step tables\n"
        "applied email/0001_create, step index concurrently\napplied email/0001_create, step nothing\n"
        "applied email/0001_create, step after\n");
  CHECK(done.exit_code == 0);
  CHECK(differences(from, db.url()).empty());
  CHECK(migrate::look(from.files(), db.url(), "shop").compared == migrate::comparison{});
  CHECK(migrate::apply(from.files(), {.database = db.url(), .schema = "shop"}) == migrate::summary{});
}

TEST_CASE("the plain script applied twice changes nothing, and goes on where it was stopped") {
  const project from;
  const test::database db;
  const std::string script = migrate::export_script(from.files(), "shop");
  REQUIRE(test::psql_script(db.url(), script).exit_code == 0);
  CHECK(test::psql_script(db.url(), script).words.empty());
  // Killed between a step outside of a transaction and its row: its probe says that it is done.
  quern::connection session{db.url()};
  session.run_script(
      "delete from shop.quern_migration where line = 'email' and step >= 2;"
      "create table shop.oids as select indexrelid from pg_index where indrelid = 'shop.email'::regclass");
  CHECK(test::psql_script(db.url(), script).exit_code == 0);
  CHECK(session.execute("select count(*) = 2 from pg_index join shop.oids using (indexrelid)").value<bool>());
  // Killed in the middle of it.
  session.run_script(
      "drop table shop.oids; drop index shop.email_sender;"
      "update shop.quern_migration set is_finished = false where line = 'email' and step = 2");
  CHECK(test::psql_script(db.url(), script).words == "applied email/0001_create, step index concurrently\n");
  CHECK(differences(from, db.url()).empty());
}

TEST_CASE("the plain script stops at another runner, another text, and a missing role") {
  const project from;
  const test::database db;
  const std::string script = migrate::export_script(from.files(), "shop");
  {
    quern::connection other{db.url()};
    other.execute("select pg_advisory_lock($1)", migrate::keys_of("shop").work);
    const test::psql_outcome refused = test::psql_script(db.url(), script);
    CHECK(refused.exit_code == 3);
    CHECK_THAT(refused.words, test::contains("ERROR:  another runner is at work\n"));
  }
  REQUIRE(test::psql_script(db.url(), script).exit_code == 0);
  quern::connection{db.url()}.run_script("update shop.quern_migration set checksum = 'other' where line = 'email'");
  const test::psql_outcome other = test::psql_script(db.url(), script);
  CHECK(other.exit_code == 3);
  CHECK_THAT(other.words, test::contains("ERROR:  email/0001_create was edited after it was applied\n"));

  const test::workspace space;
  space.add("core/0001_create", {{.name = "create", .sql = "select 1;"}}, "quern_nobody");
  const test::psql_outcome missing = test::psql_script(db.url(), migrate::export_script(space.read(), "elsewhere"));
  CHECK(missing.exit_code == 3);
  CHECK_THAT(missing.words, test::contains("ERROR:  core/0001_create grants to the role quern_nobody, which the server "
                                           "does not have\n"));
}

TEST_CASE("the plain files, one a migration, do the same") {
  const project from;
  const test::database db;
  const file_texts files = from.exported(export_format::plain);
  CHECK(names_of(files) == std::vector<std::string>{"0001_core_0001_create.sql", "0002_email_0001_create.sql"});
  for (int round = 0; round < 2; ++round) test::apply_all(export_format::plain, files, db.url());
  CHECK(differences(from, db.url()).empty());
}

TEST_CASE("what is exported for a tool makes what the runner makes: up, down and up again") {
  for (const export_format format : tools) {
    CAPTURE(static_cast<int>(format));
    const project from;
    const test::database db;
    const file_texts files = from.exported(format);
    test::apply_all(format, files, db.url());
    CHECK(differences(from, db.url()).empty());
    test::take_back_all(format, files, db.url());
    const migrate::survey found = migrate::look(from.files(), db.url(), "shop");
    CHECK(found.applied.empty());
    CHECK(migrate::catalog_of(db.url(), "shop").objects.size() == 1);  // the schema
    test::apply_all(format, files, db.url());
    CHECK(differences(from, db.url()).empty());
  }
}

TEST_CASE("a step outside of a transaction can be applied again after its tool was killed behind it") {
  for (const export_format format : tools) {
    CAPTURE(static_cast<int>(format));
    const project from;
    const test::database db;
    const file_texts files = from.exported(format);
    test::apply_all(format, files, db.url());
    file_texts again;
    for (const auto& [name, text] : files)
      if (name.find("index_concurrently") != std::string::npos) again.emplace(name, text);
    if (format == export_format::sqitch) again["sqitch.plan"] = "email_0001_create_2_index_concurrently x\n";
    test::apply_all(format, again, db.url());
    CHECK(differences(from, db.url()).empty());
  }
}

TEST_CASE("each file says in its tool's words how it is executed") {
  const project from;
  const file_texts flyway = from.exported(export_format::flyway);
  CHECK(names_of(flyway) ==
        std::vector<std::string>{
            "U0001__core_0001_create.sql", "U0002__email_0001_create_1_tables.sql",
            "U0003__email_0001_create_2_index_concurrently.sql",
            "U0003__email_0001_create_2_index_concurrently.sql.conf", "U0004__email_0001_create_3_nothing.sql",
            "U0005__email_0001_create_4_after.sql", "V0001__core_0001_create.sql", "V0001__core_0001_create.sql.conf",
            "V0002__email_0001_create_1_tables.sql", "V0003__email_0001_create_2_index_concurrently.sql",
            "V0003__email_0001_create_2_index_concurrently.sql.conf", "V0004__email_0001_create_3_nothing.sql",
            "V0005__email_0001_create_4_after.sql"});
  CHECK(flyway.at("V0001__core_0001_create.sql.conf") == "placeholderReplacement=false\n");
  CHECK(flyway.at("V0003__email_0001_create_2_index_concurrently.sql.conf") == "executeInTransaction=false\n");
  const file_texts dbmate = from.exported(export_format::dbmate);
  CHECK(names_of(dbmate) == std::vector<std::string>{"00000000000001_core_0001_create.sql",
                                                     "00000000000002_email_0001_create_1_tables.sql",
                                                     "00000000000003_email_0001_create_2_index_concurrently_part_1.sql",
                                                     "00000000000004_email_0001_create_2_index_concurrently_part_2.sql",
                                                     "00000000000005_email_0001_create_2_index_concurrently_part_3.sql",
                                                     "00000000000006_email_0001_create_2_index_concurrently_part_4.sql",
                                                     "00000000000007_email_0001_create_2_index_concurrently_part_5.sql",
                                                     "00000000000008_email_0001_create_3_nothing.sql",
                                                     "00000000000009_email_0001_create_4_after.sql"});
  CHECK(dbmate.at("00000000000006_email_0001_create_2_index_concurrently_part_4.sql") ==
        "-- quern export: dbmate email/0001_create 2/4 4/5\n-- migrate:up transaction:false\n"
        "create index concurrently email_id on shop.email (id)\n;\n\n-- migrate:down transaction:false\n"
        "drop index concurrently if exists shop.email_id;\n");
  CHECK_THAT(from.exported(export_format::goose).at("00003_email_0001_create_2_index_concurrently.sql"),
             test::starts_with("-- quern export: goose email/0001_create 2/4 1/1\n-- +goose NO TRANSACTION\n-- +goose "
                               "Up\n-- +goose StatementBegin\nset lock_timeout = 0;\n-- +goose StatementEnd\n"));
  CHECK(from.exported(export_format::sqitch).at("sqitch.plan") ==
        "%syntax-version=1.0.0\n%project=shop\n\n"
        "core_0001_create 2000-01-01T00:00:00Z quern <quern@localhost> # core/0001_create 1/1 1/1\n"
        "email_0001_create_1_tables 2000-01-01T00:00:00Z quern <quern@localhost> # email/0001_create 1/4 1/1\n"
        "email_0001_create_2_index_concurrently 2000-01-01T00:00:00Z quern <quern@localhost> # email/0001_create 2/4 "
        "1/1\n"
        "email_0001_create_3_nothing 2000-01-01T00:00:00Z quern <quern@localhost> # email/0001_create 3/4 1/1\n"
        "email_0001_create_4_after 2000-01-01T00:00:00Z quern <quern@localhost> # email/0001_create 4/4 1/1\n");
}

TEST_CASE("what was exported keeps its name and its text, and what is new comes behind it") {
  for (const export_format format : tools) {
    CAPTURE(static_cast<int>(format));
    const project from;
    const test::database db;
    const file_texts before = from.exported(format);
    test::apply_all(format, before, db.url());
    from.add_later_ones();
    const file_texts after = from.exported(format, before);
    file_texts added = after;
    for (const auto& [name, text] : before) {
      CHECK(after.count(name) == 1);
      if (name == "sqitch.plan") continue;
      CHECK(after.at(name) == text);
      added.erase(name);
    }
    if (format == export_format::sqitch) {
      CHECK_THAT(after.at("sqitch.plan"), test::starts_with(before.at("sqitch.plan")));
      added["sqitch.plan"] = after.at("sqitch.plan").substr(before.at("sqitch.plan").size());
    } else {
      CHECK(names_of(added).back() > names_of(before).back());
    }
    test::apply_all(format, added, db.url());
    CHECK(differences(from, db.url()).empty());
    CHECK(from.exported(format, after) == after);
  }
}

TEST_CASE("numbers follow on those that somebody else has given in the directory") {
  const project from;
  const file_texts files = from.exported(export_format::goose, {{"20260131120000_add_customers.sql", "-- mine\n"}});
  CHECK(names_of(files).front() == "20260131120001_core_0001_create.sql");
  CHECK(names_of(from.exported(export_format::flyway, {{"V7__mine.sql", "x"}})).back() ==
        "V0012__email_0001_create_4_after.sql");
  CHECK(names_of(from.exported(export_format::goose, {}, 500)).front() == "00500_core_0001_create.sql");
  CHECK(refusal(from, export_format::goose, {{"00500_mine.sql", "x"}}, 500) ==
        "number 500 is not behind those that are there: the highest is 500");
}

TEST_CASE("a migration that was exported and is gone is refused") {
  const project from;
  const file_texts before = from.exported(export_format::goose);
  std::filesystem::remove_all(from.space().root() / "email");
  CHECK(refusal(from, export_format::goose, before) ==
        "email/0001_create 1/4 1/1 was exported, but is not among the migrations any more: a tool that has applied it "
        "would be lost");
}

TEST_CASE("what cannot be taken back says so") {
  const test::workspace space;
  space.add("core/0001_create", {{.name = "create", .sql = "create table shop.one ();"}});
  for (const export_format format : {export_format::dbmate, export_format::goose, export_format::sqitch}) {
    const test::database db;
    const file_texts files = migrate::export_migrations(space.read(), {.format = format, .schema = "shop"}, {});
    test::apply_all(format, files, db.url());
    try {
      test::take_back_all(format, files, db.url());
      FAIL("it was taken back");
    } catch (const std::runtime_error& refused) {
      CHECK_THAT(refused.what(), test::contains("ERROR:  core/0001_create, step create cannot be taken back\n"));
    }
  }
  const file_texts flyway =
      migrate::export_migrations(space.read(), {.format = export_format::flyway, .schema = "shop"}, {});
  CHECK(names_of(flyway) == std::vector<std::string>{"V0001__core_0001_create.sql"});
}
