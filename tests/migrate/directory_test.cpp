#include "migrate/directory.hpp"

#include <algorithm>

#include "migrate/statements.hpp"
#include "migrate/workspace.hpp"
#include "support/catch.hpp"

namespace {

std::vector<std::string> titles(const migrate::directory& files) {
  std::vector<std::string> made;
  for (const migrate::migration& one : files.migrations) made.push_back(migrate::title(one));
  return made;
}

migrate::checksums locked(const migrate::directory& files) {
  migrate::checksums made;
  for (const migrate::migration& one : files.migrations) made.emplace(migrate::file_name(one), one.checksum);
  return made;
}

const std::vector<test::step_text> some_step{{.name = "only", .sql = "select 1;"}};

}  // namespace

TEST_CASE("the core line comes first, the others by name, each by number") {
  const test::workspace space;
  for (const char* const title :
       {"zebra/0001_create", "core/0002_more", "audit/0010_j", "audit/0002_b", "core/0001_create"})
    space.add(title, some_step);
  space.write("quern.lock", "{}");
  space.write(".gitattributes", "");
  CHECK(titles(space.read()) == std::vector<std::string>{"core/0001_create", "core/0002_more", "audit/0002_b",
                                                         "audit/0010_j", "zebra/0001_create"});
}

TEST_CASE("a file that has no business among the migrations is a problem") {
  const test::workspace space;
  space.write("notes.txt", "");
  space.write("email/1_create.sql", "");
  space.write("email/00001_create.sql", "");
  space.write("email/0000_create.sql", "");
  space.write("email/0001_Create.sql", "");
  space.write("email/0001_create.sql.orig", "");
  space.write("email/deeper/0001_create.sql", "");
  space.write("E-mail/0001_create.sql", "");
  const auto found = migrate::read_directory(space.root()).problems;
  CHECK(found.size() == 8);
  CHECK(std::ranges::count(found, "is no migration: they are named NNNN_<name>.sql", &migrate::problem::words) == 6);
  CHECK(std::ranges::count(found, "is no line of migrations: it should be a directory named like a queue",
                           &migrate::problem::words) == 2);
}

TEST_CASE("a directory that is not there is a problem") {
  const auto found = migrate::read_directory("/nowhere/at/all").problems;
  REQUIRE(found.size() == 1);
  CHECK(migrate::spell(found[0]) == "/nowhere/at/all: cannot be read: No such file or directory");
}

TEST_CASE("files that are not those of quern.lock are edited, unknown or missing") {
  const test::workspace space;
  for (const char* const title : {"core/0001_create", "email/0001_create", "email/0002_add"})
    space.add(title, some_step);
  const migrate::checksums before = locked(space.read());
  CHECK(migrate::compare_with_lock(space.read(), before).empty());

  space.add("core/0001_create", {{.name = "only", .sql = "select 2;"}});
  space.add("sms/0001_create", some_step);
  space.remove("email/0002_add.sql");
  const auto found = migrate::compare_with_lock(space.read(), before);
  REQUIRE(found.size() == 3);
  CHECK_THAT(found[0].words, test::starts_with("was edited: its checksum is "));
  CHECK_THAT(found[0].words, test::contains(before.at("core/0001_create.sql")));
  CHECK(found[1].file.filename() == "0001_create.sql");
  CHECK_THAT(found[1].words, test::starts_with("is not in quern.lock"));
  CHECK(found[2].file == space.root() / "email/0002_add.sql");
  CHECK_THAT(found[2].words, test::starts_with("is missing"));
}

TEST_CASE("numbers run from 1 without gaps and are taken once") {
  const test::workspace space;
  for (const char* const title : {"core/0001_create", "core/0002_a", "email/0002_a", "sms/0001_a", "sms/0001_b"})
    space.add(title, some_step);
  const auto found = migrate::check_numbers(space.read());
  REQUIRE(found.size() == 2);
  CHECK(found[0].words == "follows on number 0000: 0001 is missing");
  CHECK(found[1].words == "has the same number as sms/0001_a.sql");
}

TEST_CASE("a step cannot end its transaction by itself") {
  const test::workspace space;
  space.add("core/0001_create",
            {{.name = "only",
              .sql = "select 'commit;';\n/* rollback; */ -- commit;\n"
                     "create function f() returns void begin atomic select 1; end;\n"
                     "do $$ begin null; end $$;\nCommit;\nprepare transaction 'x';\nsavepoint s;"}});
  const auto found = migrate::check_statements(space.read().migrations.front());
  REQUIRE(found.size() == 2);
  CHECK(found[0].line == 13);
  CHECK(found[0].words == "`commit` is not possible here: a step is one transaction already");
  CHECK(found[1].line == 14);
}

TEST_CASE("a step outside of a transaction cannot begin one, and its probe is one query") {
  const test::workspace space;
  space.add("core/0001_create", {{.name = "only",
                                  .sql = "begin;\ncommit;",
                                  .transaction = "no",
                                  .sections = "-- probe\nselect true; select false;\n-- cleanup\nselect 'x;\n"
                                              "-- reverse\nrollback;\n"}});
  std::vector<std::string> told;
  for (const migrate::problem& one : migrate::check_statements(space.read().migrations.front()))
    told.push_back(std::to_string(one.line) + ": " + one.words);
  REQUIRE(told.size() == 5);
  CHECK(told[0] == "9: `begin` is not possible here: each statement of this step is sent by itself");
  CHECK(told[1] == "10: `commit` is not possible here: each statement of this step is sent by itself");
  CHECK_THAT(told[2], test::starts_with("14: unterminated quoted string"));
  CHECK(told[3] == "16: `rollback` is not possible here: each statement of this step is sent by itself");
  CHECK(told[4] == "12: a probe is one query");
}

TEST_CASE("hooks are the first and the last steps of their migration") {
  const test::workspace space;
  space.add("email/0001_create", some_step);
  space.add("email/0002_add", some_step);
  space.write("email/hooks/0002_before.sql", "select 0;\n");
  space.write("email/hooks/0002_after.sql",
              test::migration_text("any", {{.name = "one", .sql = "select 2;"}, {.name = "two", .sql = "select 3;"}}));
  const migrate::directory files = space.read();
  REQUIRE(files.migrations.size() == 2);
  CHECK(files.migrations[0].steps.size() == 1);
  std::vector<std::string> names;
  for (const migrate::step& one : files.migrations[1].steps) names.push_back(one.name);
  CHECK(names == std::vector<std::string>{"before", "only", "one", "two"});
  const migrate::migration& second = files.migrations[1];
  CHECK(migrate::file_of(second, second.steps[0]) == space.root() / "email/hooks/0002_before.sql");
  CHECK(migrate::checksum_of(second, second.steps[0]) == migrate::sha256("select 0;\n"));
  CHECK(migrate::file_of(second, second.steps[1]) == space.root() / "email/0002_add.sql");
  CHECK(migrate::checksum_of(second, second.steps[1]) == second.checksum);
  CHECK(migrate::compare_with_lock(files, locked(files)).empty());
}

TEST_CASE("a hook has to belong to a migration, to be named like one, and to have steps of its own") {
  const test::workspace space;
  space.add("email/0001_create", some_step);
  space.write("email/hooks/0001_after.sql", test::migration_text("any", some_step));
  space.write("email/hooks/0001_during.sql", "select 1;");
  space.write("email/hooks/0002_before.sql", "select 1;");
  space.write("email/hooks/notes.txt", "Hello.");
  std::vector<std::string> told;
  for (const migrate::problem& one : migrate::read_directory(space.root()).problems)
    told.push_back(one.file.filename().string() + ": " + one.words);
  CHECK(told ==
        std::vector<std::string>{"0001_after.sql: a step named only is in email/0001_create already",
                                 "0001_during.sql: is no hook: they are named NNNN_before.sql and NNNN_after.sql",
                                 "0002_before.sql: belongs to no migration: there is no email/0002",
                                 "notes.txt: is no hook: they are named NNNN_before.sql and NNNN_after.sql"});
}

TEST_CASE("a statement that no parser knows yet does not hide where the others begin") {
  const std::string sql = "select 1;\n -- words\n future syntax of a 'newer; server';\n/* /* deep */ */ select 2";
  CHECK(migrate::split_statements(sql).starts == std::vector<std::size_t>{0, sql.find("future"), sql.find("select 2")});
}

TEST_CASE("where a text cannot be taken apart is told in bytes, whatever its letters") {
  const std::string before = "select 'Größe – 量, 😀';\n-- ÄÖÜ äöü\nselect ";
  CHECK(migrate::split_statements(before + "'never ends;").error_at == before.size());
  CHECK(migrate::split_statements(before + "2; select 3").starts ==
        std::vector<std::size_t>{0, before.size() - 7, before.size() + 3});
}

TEST_CASE("a quote or comment that does not end is told with its line") {
  const test::workspace space;
  const auto problem_of = [&](const std::string& sql) {
    space.add("core/0001_create", {{.name = "only", .sql = sql}});
    const auto found = migrate::check_statements(space.read().migrations.front());
    return found.size() == 1 ? std::to_string(found[0].line) + ": " + found[0].words : "";
  };
  CHECK_THAT(problem_of("select 1;\nselect 'never ends;"), test::starts_with("10: unterminated quoted string"));
  CHECK_THAT(problem_of("select 'ÄÖÜäöü';\n\n\n\nselect 'never ends;"),
             test::starts_with("13: unterminated quoted string"));
  CHECK_THAT(problem_of("select 1;\n\n/* never ends;"), test::starts_with("11: unterminated /* comment"));
  CHECK_THAT(problem_of("do $x$ begin end $y$;"), test::starts_with("9: unterminated dollar-quoted string"));
}
