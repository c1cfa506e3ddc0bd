// When quern's own templates change, queues that were released before get what a new install has: with the engines of
// engines.hpp, which are made up, for every recipe.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "contract/queue_names.hpp"
#include "declaration/read.hpp"
#include "recipes/engines.hpp"
#include "recipes/recipe.hpp"
#include "recipes/scene.hpp"
#include "render/engine_change.hpp"
#include "render/sql_objects.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/places.hpp"
#include "text/diagnostic.hpp"

namespace {

std::map<std::string, std::string> words_of(const render::sql_objects& objects) {
  std::map<std::string, std::string> words;
  for (const auto& one : objects.all()) words[one.name] = one.text + "\n" + one.comment;
  for (const auto& one : objects.rights()) {
    if (objects.owns(one.object))
      words[fmt::format("{} ({}) on {} {} to {}", one.privilege, one.column, one.kind, one.object, one.role)];
  }
  return words;
}

std::string content_of(const std::vector<render::output_file>& files, const std::string& path) {
  const auto place = std::ranges::find(files, path, &render::output_file::path);
  return place == files.end() ? std::string{} : place->text;
}

const test::recipe& recipe(const std::string& name) {
  static const auto all = test::recipes();
  return *std::ranges::find(all, name, &test::recipe::name);
}

const render::template_set& program() {
  static const auto templates = test::templates();
  return templates;
}

std::vector<std::string> steps_of(const std::string& migration) {
  static const std::regex step{"-- step: ([a-z0-9_]+)\n"};
  std::vector<std::string> names;
  for (std::sregex_iterator it{migration.begin(), migration.end(), step}, end; it != end; ++it)
    names.push_back((*it)[1]);
  return names;
}

/// What is said when a recipe's queues are to be brought to an engine.
std::string said_of(const render::template_set& after, const render::migration_texts* history = nullptr) {
  const auto played = test::play_engine(recipe("change_lease"), program(), program());
  const text::source source{"quern.toml", test::content_of(recipe("change_lease").directory / "after.toml")};
  const auto made = render::generate(*declaration::read(source).declared, played.lock, after, render::parts::all,
                                     history == nullptr ? test::history_of(played) : *history);
  CHECK(made.migrations.empty());
  return text::spell(made.diagnostics, source);
}

std::string said_of(const std::string& name, const std::string& part, const std::string& instead) {
  return said_of(test::next_engine(name, part, instead));
}

}  // namespace

TEST_CASE("what migrations have made, read from their files, is what a new install has") {
  for (const auto& each : test::recipes()) {
    INFO(each.name);
    const auto played = test::play(each, program());
    std::map<std::string, render::sql_objects> lines;
    for (const auto* files : {&played.released, &played.wanted.migrations}) {
      for (const auto& [path, text] : *files) lines[path.substr(0, path.find('/'))].apply(render::forward_part(text));
    }
    for (const auto& [line, objects] : lines) {
      INFO(line);
      render::sql_objects fresh;
      const auto* known = contract::find_line(played.wanted.lock, line);
      fresh.apply(content_of(played.wanted.files, "sql/" + contract::queue_name(*known) + ".sql"));
      CHECK(words_of(objects) == words_of(fresh));
    }
  }
}

TEST_CASE("an engine that makes the same of a line changes nothing but the number in the lock") {
  for (const auto& each : test::recipes()) {
    INFO(each.name);
    const auto wanted = test::play_engine(each, program(), test::renumbered_engine()).wanted;
    CHECK(wanted.migrations.empty());
    for (const auto& line : wanted.lock.lines) {
      INFO(line.name);
      CHECK_FALSE(line.released);
      CHECK(line.engine == (line.state.is_dropped ? 1 : 2));
    }
    const auto read = contract::read_lock({"quern.lock", wanted.lock_text});
    REQUIRE(read.diagnostics.empty());
    CHECK(read.value == wanted.lock);
  }
}

TEST_CASE("the migration to another engine says what it changes, and is a draft until it is released") {
  const auto played = test::play_engine(recipe("change_lease"), test::first_engine(), test::second_engine());
  const auto& made = played.wanted;
  REQUIRE(made.migrations.size() == 2);
  CHECK(made.migrations[0].path == "core/0002_engine_2.sql");
  CHECK(made.migrations[0].text.starts_with(
      "-- quern migration: core/0002_engine_2\n"
      "-- Brings what all queues share to engine 2: it has what a new install has.\n"
      "-- Engine 2: Consumers ring.\n"));
  CHECK(made.migrations[1].path == "email/0003_engine_2.sql");
  CHECK(
      made.migrations[1].text.starts_with("-- quern migration: email/0003_engine_2\n"
                                          "-- Brings queue email to engine 2: it has what a new install has.\n"
                                          "-- Engine 2: Consumers ring.\n"));
  CHECK(steps_of(made.migrations[0].text) ==
        std::vector<std::string>{"client_address", "engine_2", "engine_2_settle", "engine_2_drop"});
  CHECK(steps_of(made.migrations[1].text) ==
        std::vector<std::string>{"handled_count", "index_enqueued", "engine_2_new", "engine_2_settle_back", "engine_2",
                                 "engine_2_settle", "engine_2_drop", "rename_comment"});
  CHECK(contract::find_line(made.lock, "email")->engine == 2);
  CHECK(contract::find_line(made.lock, "email")->released->engine == 1);
  const auto read = contract::read_lock({"quern.lock", made.lock_text});
  REQUIRE(read.diagnostics.empty());
  CHECK(read.value == made.lock);
  CHECK(contract::without_drafts(read.value) == played.lock);

  const text::source source{"quern.toml", test::content_of(recipe("change_lease").directory / "after.toml")};
  const auto declared = *declaration::read(source).declared;
  const auto again =
      render::generate(declared, made.lock, test::second_engine(), render::parts::all, test::history_of(played));
  CHECK(again.lock_text == made.lock_text);
  const auto released = contract::with_drafts_released(made.lock);
  CHECK(render::generate(declared, released, test::second_engine(), render::parts::all).migrations.empty());
}

TEST_CASE("what a line changes besides comes behind its engine, in the same migration") {
  const auto made = test::play(recipe("add_optional"), test::first_engine(), test::second_engine()).wanted;
  const auto text = content_of(made.migrations, "email/0002_expand_v2.sql");
  CHECK(
      text.starts_with("-- quern migration: email/0002_expand_v2\n"
                       "-- Changes queue email: adds the field \"note\".\n"
                       "-- Brings queue email to engine 2: it has what a new install has.\n"
                       "-- Engine 2: Consumers ring.\n"));
  const auto steps = steps_of(text);
  REQUIRE(steps.size() > 9);
  CHECK(steps[7] == "rename_comment");
  CHECK(steps[8] == "hints_v2");
}

TEST_CASE("a draft is made anew by another engine as by its own") {
  const auto& each = recipe("add_queue");
  const text::source source{"quern.toml", test::content_of(each.directory / "after.toml")};
  const auto declared = *declaration::read(source).declared;
  const auto drafted = render::generate(declared, {}, test::first_engine(), render::parts::all);
  const auto again = render::generate(declared, drafted.lock, test::second_engine(), render::parts::all);
  const auto fresh = render::generate(declared, {}, test::second_engine(), render::parts::all);
  CHECK(again.lock_text == fresh.lock_text);
  CHECK(again.lock.lines.front().engine == 2);
}

TEST_CASE("a newer engine's lock, released or drafted, is not for an older one") {
  const auto& each = recipe("change_lease");
  const text::source source{"quern.toml", test::content_of(each.directory / "after.toml")};
  const auto declared = *declaration::read(source).declared;
  const auto drafted = render::generate(declared, {}, test::second_engine(), render::parts::all).lock;
  for (const auto& lock : {drafted, contract::with_drafts_released(drafted)}) {
    for (const auto part : {render::parts::all, render::parts::headers}) {
      const auto made = render::generate(declared, lock, program(), part);
      CHECK(made.files.empty());
      CHECK(made.lock_text.empty());
      CHECK(
          text::spell(made.diagnostics, source) ==
          R"(quern.toml: error: the objects of "core" are of engine 2; this quern with its templates has engine 1 [engine_newer]
  use the version of quern, or the directory of templates, that has generated quern.lock, or a newer one
quern.toml: error: the objects of "email" are of engine 2; this quern with its templates has engine 1 [engine_newer]
  use the version of quern, or the directory of templates, that has generated quern.lock, or a newer one
)");
    }
  }
}

TEST_CASE("what programs and other queues hold on to is no engine's to change") {
  const std::string help =
      "  correct the templates: programs, and sessions that run, hold on to what is released; templates/engine.txt "
      "says what an engine may change\n";
  CHECK(
      said_of("sql/queue/ack.sql.mustache", "p_attempt integer)", "p_attempt bigint)") ==
      "quern.toml: error: engine 2 changes the parameters or the result of the function shop.email_ack, which programs "
      "call [engine_unsafe]\n" +
          help);
  CHECK(said_of("sql/version/claim.sql.mustache", "{{api}}_claim_v{{version}}(", "{{api}}_fetch_v{{version}}(")
            .starts_with("quern.toml: error: engine 2 takes away the function shop.email_claim_v1, which programs call "
                         "[engine_unsafe]\n"));
  CHECK(said_of("sql/core/check_payload.sql.mustache", "quern_check_payload(p_queue text,",
                "quern_check_payload(p_other text,")
            .starts_with("quern.toml: error: engine 2 changes the parameters or the result of the function "
                         "shop.quern_check_payload, which queues of the older engine call [engine_unsafe]\n"));
  CHECK(said_of("sql/core/door_ack.sql.mustache", "returns boolean", "returns text")
            .starts_with(
                "quern.toml: error: engine 2 changes the parameters or the result of the function shop.queue_ack, "
                "which programs call [engine_unsafe]\n"));
  CHECK(
      said_of("sql/queue/hints.sql.mustache", "_low_water as bigint minvalue 0", "_low_water as bigint minvalue 5")
          .starts_with("quern.toml: error: engine 2 makes the sequence shop.email_low_water otherwise, and has no step "
                       "that changes it [engine_unsafe]\n"));
}

TEST_CASE("an engine needs the released migrations as they were") {
  const auto templates = test::next_engine("sql/queue/ack.sql.mustache", "found then", "found is true then");
  auto history = test::history_of(test::play_engine(recipe("change_lease"), program(), program()));
  history["email/0001_create.sql"] += "-- edited\n";
  const std::string said =
      "quern.toml: error: email/0001_create.sql is not there as it was released: \"email\" cannot be brought to engine "
      "2 "
      "[engine_history]\n"
      "  take it from version control again: it says what databases have, and how to go back\n";
  CHECK(said_of(templates, &history) == said);
  history.erase("email/0001_create.sql");
  CHECK(said_of(templates, &history) == said);
}
