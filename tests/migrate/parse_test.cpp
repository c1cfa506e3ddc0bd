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
  CHECK(parse(replaced(text, "transaction: yes", "transaction: no")).problems ==
        problems{"email/0001_create.sql:9: a step that does not run in a transaction cannot be applied by this version "
                 "of quern"});
  CHECK(parse(replaced(text, "step: functions", "step: tables")).problems ==
        problems{"email/0001_create.sql:13: a step named tables stands above"});
  CHECK(parse(replaced(text, "step: functions", "step:")).problems ==
        problems{"email/0001_create.sql:13: the step has no name"});
  CHECK(parse(replaced(text, "select 1;", "")).problems == problems{"email/0001_create.sql:13: the step holds no SQL"});
  CHECK(parse(replaced(text, "select 1;", std::string_view{"\0", 1})).problems ==
        problems{"email/0001_create.sql: holds a NUL byte"});
}

TEST_CASE("a duration is a whole number and a unit") {
  CHECK(migrate::parse_duration("0") == 0ms);
  CHECK(migrate::parse_duration("250ms") == 250ms);
  CHECK(migrate::parse_duration("2h") == 2h);
  for (const char* const wrong : {"", "5", "s", "-1s", "0s", "1.5s", "5 s", "1d", "99999999999s", "597h"})
    CHECK(migrate::parse_duration(wrong) == std::nullopt);
}
