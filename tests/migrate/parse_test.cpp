#include "migrate/parse.hpp"

#include <chrono>

#include "migrate/workspace.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;

namespace {

// The file email/0001_create with this text.
struct parsed {
  migrate::migration value;
  std::vector<std::string> problems;
};

parsed parse(std::string_view text) {
  parsed made;
  made.value = {.line = "email", .number = 1, .name = "create", .file = "email/0001_create.sql"};
  std::vector<migrate::problem> problems;
  migrate::parse_migration(text, made.value, problems);
  for (const migrate::problem& one : problems) made.problems.push_back(migrate::spell(one));
  return made;
}

constexpr std::string_view good = R"(-- quern migration: email/0001_create
-- The queue email.
-- roles: web, mailer

-- step: tables
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes
-- why: a comment of the SQL
create table a ();

-- step: functions
-- lock: none
-- lock_timeout: 500ms
-- statement_timeout: 0
-- transaction: yes
select 1;
)";

constexpr std::string_view concurrent = R"(-- quern migration: email/0001_create
-- step: index
-- lock: share update exclusive on a, which nobody waits for
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no
create index concurrently i on a (b);
-- probe
select to_regclass('i') is not null;
-- cleanup
drop index concurrently if exists i;
-- reverse
drop index concurrently if exists i;

-- step: column
-- lock: none
-- lock_timeout: 50ms
-- statement_timeout: 0
-- transaction: yes
-- Nothing to do.
-- reverse
-- Nothing to undo.
)";

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  return text.replace(text.find(what), what.size(), by);
}

using problems = std::vector<std::string>;

}  // namespace

TEST_CASE("a migration file gives its roles, steps, timeouts and where the SQL stands") {
  const parsed file = parse(good);
  CHECK(file.problems.empty());
  CHECK(file.value.roles == std::vector<std::string>{"web", "mailer"});
  REQUIRE(file.value.steps.size() == 2);
  const migrate::step& tables = file.value.steps[0];
  CHECK(tables.name == "tables");
  CHECK(tables.lock == "none that anybody waits for");
  CHECK(tables.lock_timeout == 5s);
  CHECK(tables.statement_timeout == 1min);
  CHECK(tables.sql == "-- why: a comment of the SQL\ncreate table a ();\n\n");
  CHECK(tables.first_line == 10);
  CHECK(file.value.steps[1].lock_timeout == 500ms);
  CHECK(file.value.steps[1].statement_timeout == 0ms);
  CHECK(file.value.steps[1].first_line == 18);
}

TEST_CASE("the checksum is SHA-256 of the text with line feeds, whatever the checkout made of them") {
  std::string windows;
  for (const char c : good) windows += c == '\n' ? std::string{"\r\n"} : std::string{c};
  CHECK(parse(windows).problems.empty());
  CHECK(parse(windows).value.checksum == parse(good).value.checksum);
  CHECK(parse(windows).value.steps == parse(good).value.steps);
  CHECK(migrate::sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(migrate::with_line_feeds("a\rb\r\n\r") == "a\rb\n\r");
}

TEST_CASE("what is wrong with a migration file is told with its line") {
  const std::string text{good};
  CHECK(parse("").problems == problems{"email/0001_create.sql:1: the first line should be `-- quern migration: "
                                       "email/0001_create`",
                                       "email/0001_create.sql: holds no step (a line `-- step: <name>` and SQL)"});
  CHECK(parse(replaced(text, "email/0001", "sms/0001")).problems ==
        problems{"email/0001_create.sql:1: the first line should be `-- quern migration: email/0001_create`"});
  CHECK(parse(replaced(text, "-- step: tables", "select 0;\n-- step: tables")).problems ==
        problems{"email/0001_create.sql:5: SQL stands before the first `-- step: <name>`"});
  CHECK(parse(replaced(text, "lock_timeout: 5s", "lock_timeuot: 5s")).problems ==
        problems{"email/0001_create.sql:7: unknown key `lock_timeuot` of a step",
                 "email/0001_create.sql:10: unknown key `why` of a step",
                 "email/0001_create.sql:5: the step does not say `-- lock_timeout: …`"});
  CHECK(parse(replaced(text, "5s", "5 minutes")).problems ==
        problems{"email/0001_create.sql:7: `5 minutes` is no duration (0, 500ms, 5s, 1min, 2h)"});
  CHECK(parse(replaced(text, "-- lock_timeout: 5s", "-- lock: twice")).problems.front() ==
        "email/0001_create.sql:7: `lock` is given twice");
  CHECK(parse(replaced(text, "transaction: yes", "transaction: maybe")).problems ==
        problems{"email/0001_create.sql:9: `maybe` is neither yes nor no"});
  CHECK(parse(replaced(text, "step: functions", "step: tables")).problems ==
        problems{"email/0001_create.sql:13: a step named tables stands above"});
  CHECK(parse(replaced(text, "step: functions", "step:")).problems ==
        problems{"email/0001_create.sql:13: the step has no name"});
  CHECK(parse(replaced(text, "select 1;", "")).problems == problems{"email/0001_create.sql:13: the step holds no SQL"});
  CHECK(parse(replaced(text, "select 1;", std::string_view{"\0", 1})).problems ==
        problems{"email/0001_create.sql: holds a NUL byte"});
}

TEST_CASE("behind a step's SQL stand its probe, its cleanup and its reverse") {
  const parsed file = parse(concurrent);
  CHECK(file.problems.empty());
  REQUIRE(file.value.steps.size() == 2);
  const migrate::step& index = file.value.steps[0];
  CHECK_FALSE(index.is_transactional);
  CHECK(index.sql == "create index concurrently i on a (b);\n");
  CHECK(index.probe == migrate::section{"select to_regclass('i') is not null;\n", 9});
  CHECK(index.cleanup == migrate::section{"drop index concurrently if exists i;\n", 11});
  CHECK(index.reverse == migrate::section{"drop index concurrently if exists i;\n\n", 13});
  const migrate::step& column = file.value.steps[1];
  CHECK(column.is_transactional);
  CHECK(column.sql == "-- Nothing to do.\n");
  CHECK(column.probe == std::nullopt);
  CHECK(column.reverse == migrate::section{"-- Nothing to undo.\n", 22});
}

TEST_CASE("what is wrong with a step's sections is told with its line") {
  const std::string text{concurrent};
  CHECK(parse(replaced(text, "transaction: no", "transaction: yes")).problems ==
        problems{"email/0001_create.sql:8: `-- probe` is only for a step with `-- transaction: no`",
                 "email/0001_create.sql:10: `-- cleanup` is only for a step with `-- transaction: no`"});
  CHECK(parse(replaced(text, "-- cleanup", "-- probe")).problems ==
        problems{"email/0001_create.sql:10: `-- probe` is given twice"});
  CHECK(parse(replaced(replaced(text, "-- probe", "-- reverse"), "-- reverse\ndrop", "-- probe\ndrop")).problems ==
        problems{"email/0001_create.sql:10: `-- cleanup` should stand before `-- reverse`",
                 "email/0001_create.sql:12: `-- probe` should stand before `-- reverse`"});
  CHECK(parse(replaced(text, "-- Nothing to undo.", "")).problems ==
        problems{"email/0001_create.sql:21: `-- reverse` is empty: say in a comment why nothing has to be done"});
  CHECK(parse(replaced(text, "-- reverse\n-- Nothing to undo.", "")).problems ==
        problems{"email/0001_create.sql:15: the step holds no SQL"});
  CHECK(parse(replaced(text, "-- Nothing to do.", "")).problems ==
        problems{"email/0001_create.sql:15: the step holds no SQL"});
}

TEST_CASE("a hook is plain SQL, or steps like a migration's") {
  std::vector<migrate::problem> wrong;
  const auto plain = migrate::parse_hook("-- Hello.\r\nselect 1;\r\n-- reverse\r\nselect 2;", "before", "h.sql", wrong);
  CHECK(wrong.empty());
  REQUIRE(plain.steps.size() == 1);
  const migrate::hook origin{"h.sql", migrate::sha256("-- Hello.\nselect 1;\n-- reverse\nselect 2;")};
  CHECK(plain.steps[0] == migrate::step{.name = "before",
                                        .lock = "what the hook takes",
                                        .lock_timeout = 5s,
                                        .statement_timeout = 1min,
                                        .sql = "-- Hello.\nselect 1;\n",
                                        .first_line = 1,
                                        .reverse = migrate::section{"select 2;\n", 4},
                                        .from_hook = origin});
  const auto stepped = migrate::parse_hook(good, "after", "h.sql", wrong);
  CHECK(wrong.empty());
  CHECK(stepped.roles == std::vector<std::string>{"web", "mailer"});
  REQUIRE(stepped.steps.size() == 2);
  CHECK(stepped.steps[1].from_hook->checksum == migrate::sha256(good));

  migrate::parse_hook("-- Nothing.\n", "after", "empty.sql", wrong);
  migrate::parse_hook("select 1;\n-- cleanup\nselect 2;\n", "after", "cleanup.sql", wrong);
  migrate::parse_hook("select 1;\n-- step: one\n", "after", "mixed.sql", wrong);
  problems told;
  for (const migrate::problem& one : wrong) told.push_back(migrate::spell(one));
  CHECK(told == problems{"empty.sql: the step holds no SQL",
                         "cleanup.sql:2: `-- cleanup` is only for a step with `-- transaction: no`",
                         "mixed.sql:1: SQL stands before the first `-- step: <name>`",
                         "mixed.sql:2: the step does not say `-- lock: …`",
                         "mixed.sql:2: the step does not say `-- lock_timeout: …`",
                         "mixed.sql:2: the step does not say `-- statement_timeout: …`",
                         "mixed.sql:2: the step does not say `-- transaction: …`",
                         "mixed.sql:2: the step holds no SQL"});
}

TEST_CASE("a duration is a whole number and a unit") {
  CHECK(migrate::parse_duration("0") == 0ms);
  CHECK(migrate::parse_duration("250ms") == 250ms);
  CHECK(migrate::parse_duration("2h") == 2h);
  for (const char* const wrong : {"", "5", "s", "-1s", "0s", "1.5s", "5 s", "1d", "99999999999s", "597h"})
    CHECK(migrate::parse_duration(wrong) == std::nullopt);
}
