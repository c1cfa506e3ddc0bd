#include <quern/migrate.hpp>
#include <string>
#include <vector>

#include "migrate/embedded.hpp"
#include "migrate/workspace.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using quern::migration_problem;

constexpr std::string_view create_sql[]{"create table shop.one ", "(id integer);\n"};
constexpr std::string_view index_sql[]{"create index concurrently one_id on shop.one (id);\n"};
constexpr std::string_view no_index[]{"drop index concurrently if exists shop.one_id;\n"};
constexpr std::string_view roles[]{"quern_web"};

constexpr quern::embedded_step steps[]{
    {.name = "create",
     .lock = "none",
     .lock_timeout = std::chrono::milliseconds{5000},
     .statement_timeout = std::chrono::milliseconds{0},
     .is_transactional = true,
     .hook = "",
     .hook_checksum = "",
     .first_line = 10,
     .sql = create_sql,
     .probe = {},
     .cleanup = {},
     .reverse = {}},
    {.name = "index",
     .lock = "none",
     .lock_timeout = std::chrono::milliseconds{0},
     .statement_timeout = std::chrono::milliseconds{0},
     .is_transactional = false,
     .hook = "core/hooks/0001_after.sql",
     .hook_checksum = "beef",
     .first_line = 1,
     .sql = index_sql,
     .probe = {},
     .cleanup = quern::embedded_text{no_index},
     .reverse = quern::embedded_text{no_index}},
};

constexpr quern::embedded_migration all[]{
    {.line = "core", .number = 1, .name = "create", .checksum = "cafe", .roles = roles, .steps = steps},
    {.line = "email", .number = 1, .name = "create", .checksum = "f00d", .roles = {}, .steps = {steps, 0}},
};

constexpr quern::migration_set with_core{.schema = "shop", .migrations = {all, 1}};

// The bytes that a compiler makes of the constant; no piece is longer than every compiler takes.
std::string decoded(const std::string& source, const std::string& name) {
  std::size_t at = source.find("constexpr std::string_view " + name + "[]{\n");
  REQUIRE(at != std::string::npos);
  std::string text;
  std::size_t piece = 0;
  for (at = source.find('\n', at) + 1; source.compare(at, 2, "};") != 0; at = source.find('\n', at) + 1) {
    REQUIRE(source.compare(at, 5, "    \"") == 0);
    std::size_t c = at + 5;
    for (; source[c] != '"'; ++c, ++piece) {
      if (source[c] != '\\') {
        text += source[c];
      } else if (source[++c] >= '0' && source[c] <= '3') {
        text += static_cast<char>(std::stoi(source.substr(c, 3), nullptr, 8));
        c += 2;
      } else {
        text += source[c] == 'n' ? '\n' : source[c];
      }
    }
    REQUIRE(piece <= 16'000);
    if (source[c + 1] == ',') piece = 0;
  }
  return text;
}

quern::migration_error refusal(const std::string& url, const quern::migration_set& wanted) {
  try {
    quern::verify(url, wanted);
  } catch (const quern::migration_error& refused) {
    return refused;
  }
  throw std::runtime_error{"verify() did not refuse"};
}

}  // namespace

TEST_CASE("a program migrates its database with what is compiled in, and verifies it") {
  const test::database db;
  test::ensure_role("quern_web");
  CHECK(std::string{refusal(db.url(), with_core).what()} ==
        "the database is not the one that this program needs\n  core/0001_create is pending");
  CHECK(refusal(db.url(), with_core).why() == migration_problem::pending);
  std::vector<std::string> told;
  quern::migrate_options how;
  how.progress = [&](std::string_view words) { told.emplace_back(words); };
  CHECK(quern::migrate(db.url(), with_core, how) == quern::migrate_summary{.migrations = 1, .steps = 2});
  CHECK(told ==
        std::vector<std::string>{"applied core/0001_create, step create", "applied core/0001_create, step index"});
  quern::verify(db.url(), with_core);
  CHECK(quern::migrate(db.url(), with_core) == quern::migrate_summary{});
}

TEST_CASE("an open connection says where the database is") {
  const test::database db;
  test::ensure_role("quern_web");
  const quern::connection open{db.url()};
  CHECK(quern::migrate(open, with_core).steps == 2);
  quern::verify(open, with_core);
}

TEST_CASE("verify names each migration that is edited, unknown or pending") {
  const test::database db;
  test::ensure_role("quern_web");
  quern::migrate(db.url(), with_core);
  quern::connection{db.url()}.run_script(
      "update shop.quern_migration set checksum = 'dead' where step = 1;"
      "insert into shop.quern_migration (line, number, step, step_count, name, checksum) values ('sms', 1, 1, 1, "
      "'create', '')");
  const quern::migration_error both = refusal(db.url(), with_core);
  CHECK(both.why() == migration_problem::history_mismatch);
  CHECK_THAT(both.what(), test::contains("\n  core/0001_create.sql was edited after it was applied at "));
  CHECK_THAT(both.what(), test::contains("\n  the program does not know sms/0001_create"));
  quern::connection{db.url()}.run_script(
      "update shop.quern_migration set checksum = 'cafe' where step = 1 and line = 'core'");
  CHECK(refusal(db.url(), with_core).why() == migration_problem::database_ahead);
  const quern::migration_error gone = refusal("host=/nowhere", with_core);
  CHECK(gone.why() == migration_problem::unreachable);
  CHECK(gone.connection_lost());
}

TEST_CASE("a role that is missing is refused, or made when that is wanted") {
  const test::database db;
  constexpr std::string_view nobody[]{"quern_never_made"};
  const quern::embedded_migration one[]{
      {.line = "core", .number = 1, .name = "create", .checksum = "cafe", .roles = nobody, .steps = {steps, 1}}};
  try {
    quern::migrate(db.url(), {.schema = "shop", .migrations = one});
    FAIL("it was applied");
  } catch (const quern::migration_error& refused) {
    CHECK(refused.why() == migration_problem::not_permitted);
    CHECK_THAT(refused.what(), test::contains("create role quern_never_made nologin;"));
  }
}

TEST_CASE("what is embedded is what the directory holds, to the byte") {
  const test::workspace space;
  std::string long_text = "-- ";
  for (int i = 0; i < 5000; ++i) long_text += "ä\"\\0?\?/ ";
  std::string lines;
  for (int i = 0; i < 2000; ++i) lines += "select 'line \\n " + std::to_string(i) + "';\n";
  space.add(
      "core/0001_create",
      {{.name = "create", .sql = long_text + "\n" + lines + "select 1", .sections = "-- reverse\nselect 'back';\n"}},
      "quern_web, mailer");
  space.add("core/0002_index", {{.name = "index",
                                 .sql = "select 1;",
                                 .transaction = "no",
                                 .sections = "-- probe\nselect true;\n-- cleanup\nselect 2;\n"}});
  space.write("core/hooks/0002_after.sql", "select 'hook';\n");
  const migrate::embedded_source made = migrate::embed(space.read(), "shop", "my::shop", "migrations.hpp");
  CHECK(made.header ==
        "// Generated by quern embed. Edit the migrations instead.\n#pragma once\n\n#include <quern/migrate.hpp>\n\n"
        "namespace my::shop {\n\n/// What quern::migrate() applies and quern::verify() looks for.\n"
        "quern::migration_set migrations();\n\n}  // namespace my::shop\n");
  for (const char c : made.source) REQUIRE((c == '\n' || (c >= ' ' && c <= '~')));
  const migrate::directory files = space.read();
  const migrate::step& first = files.migrations[0].steps[0];
  CHECK(decoded(made.source, "line_core_0001_create_1_sql") == first.sql);
  CHECK(decoded(made.source, "line_core_0001_create_1_reverse") == first.reverse->sql);
  CHECK(decoded(made.source, "line_core_0002_index_1_probe") == files.migrations[1].steps[0].probe->sql);
  CHECK(decoded(made.source, "line_core_0002_index_1_cleanup") == files.migrations[1].steps[0].cleanup->sql);
  CHECK(decoded(made.source, "line_core_0002_index_2_sql") == "select 'hook';\n");
  CHECK_THAT(made.source, test::contains("{\"quern_web\", \"mailer\"}"));
  CHECK_THAT(made.source, test::contains(".hook = \"core/hooks/0002_after.sql\""));
}
