// Another engine, by the program: a directory of templates that has its own number.

#include <string>
#include <vector>

#include "cli/program.hpp"
#include "support/catch.hpp"
#include "support/places.hpp"

namespace {

std::string replaced(std::string text, const std::string& part, const std::string& instead) {
  const auto at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), instead);
}

std::string own_template(const std::string& name) {
  const auto file = test::source_dir() / "templates" / name;
  const test::desk desk;
  return desk.run({"cat", file.string()}).out;
}

/// A project whose queue is released by quern's own templates, beside a directory of others.
void make_project(const test::desk& desk) {
  desk.generate({"email"});
  desk.write("own/engine.txt", own_template("engine.txt") + "2 Puts the letters into envelopes.\n");
  desk.write("own/sql/queue/ack.sql.mustache",
             replaced(own_template("sql/queue/ack.sql.mustache"), "if found then", "if found is true then"));
  desk.write("own/sql/queue/hints.sql.mustache", own_template("sql/queue/hints.sql.mustache") +
                                                     "create sequence {{prefix}}_envelope as bigint minvalue 0;\n");
  desk.write("own/sql/change/drop_queue.sql.mustache",
             own_template("sql/change/drop_queue.sql.mustache") + "drop sequence {{prefix}}_envelope;\n");
  desk.write("own/sql/engine/queue_2_after.sql.mustache",
             "-- step: statistics\n-- lock: share update exclusive on {{prefix}}_message, for an instant\n"
             "-- lock_timeout: 5s\n-- statement_timeout: 1min\n-- transaction: yes\n\n"
             "comment on table {{prefix}}_delayed is 'Letters that wait.';\n\n-- reverse\n"
             "comment on table {{prefix}}_delayed is 'Messages of queue {{queue}} that are delayed or were tried "
             "before.';\n");
  desk.write("own/sql/queue/delayed_table.sql.mustache",
             own_template("sql/queue/delayed_table.sql.mustache") +
                 "comment on table {{prefix}}_delayed is 'Letters that wait.';\n");
}

const std::vector<std::string> with_own{"--templates", "own"};

test::outcome quern(const test::desk& desk, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), with_own.begin(), with_own.end());
  return desk.quern(arguments);
}

}  // namespace

TEST_CASE("templates of another engine bring released queues to it, and survive every check") {
  const test::desk desk;
  make_project(desk);
  CHECK(desk.quern({"generate", "--check"}).exit_code == 0);
  auto run = quern(desk, {"generate"});
  CHECK(run.err.empty());
  CHECK(run.out.starts_with("wrote migrations/email/0002_engine_2.sql\nwrote migrations/quern.lock\n"));
  CHECK(desk.read("migrations/email/0002_engine_2.sql")
            .starts_with("-- quern migration: email/0002_engine_2\n"
                         "-- Brings queue email to engine 2: it has what a new install has.\n"
                         "-- Engine 2: Puts the letters into envelopes.\n"));
  run = quern(desk, {"check", "--scratch"});
  INFO(run.out << run.err);
  CHECK(run.exit_code == 0);
  CHECK(quern(desk, {"release"}).out == "released email/0002_engine_2.sql\n");
  CHECK(quern(desk, {"generate", "--check"}).exit_code == 0);
  CHECK(quern(desk, {"check"}).exit_code == 0);
}

TEST_CASE("a quern of an older engine writes nothing over a newer lock, and says why") {
  const test::desk desk;
  make_project(desk);
  REQUIRE(quern(desk, {"generate"}).exit_code == 0);
  const auto lock = desk.read("migrations/quern.lock");
  const std::string words =
      "quern.toml: error: the objects of \"core\" are of engine 2; this quern with its templates has engine 1 "
      "[engine_newer]\n"
      "  use the version of quern, or the directory of templates, that has generated quern.lock, or a newer one\n"
      "quern.toml: error: the objects of \"email\" are of engine 2; this quern with its templates has engine 1 "
      "[engine_newer]\n"
      "  use the version of quern, or the directory of templates, that has generated quern.lock, or a newer one\n";
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"generate"}, {"generate", "--only", "headers"}, {"generate", "--check"}, {"release"}}) {
    const auto run = desk.quern(arguments);
    CHECK(run.exit_code == 1);
    CHECK(run.err == words);
  }
  CHECK(desk.read("migrations/quern.lock") == lock);
  const auto checked = desk.quern({"check"});
  CHECK(checked.exit_code == 1);
  CHECK_THAT(checked.out, test::contains("[engine_newer]\n"));
  CHECK(desk.quern({"explain", "engine_newer"}).exit_code == 0);
}

TEST_CASE("a contract of an older engine is retired when its queue has the present one") {
  const test::desk desk;
  make_project(desk);
  const auto run = quern(desk, {"retire", "email", "1", "--offline"});
  CHECK(run.exit_code == 1);
  CHECK(run.err ==
        "quern: error: queue \"email\" is of engine 1, and quern has engine 2: run `quern generate` and `quern release "
        "email` first\n");
}

TEST_CASE("steps of an engine that is not in the list are refused, and so is a list with a gap") {
  const test::desk desk;
  make_project(desk);
  desk.write("own/engine.txt", "1 One.\n");
  CHECK(quern(desk, {"generate"}).err ==
        "own/sql/engine/queue_2_after.sql.mustache: error: these are steps to engine 2, and engine.txt ends with "
        "engine 1 "
        "[engine_log]\n  say there what engine 2 changes\n");
  desk.write("own/engine.txt", "# Mine.\n1 One.\n3 Three.\n");
  CHECK_THAT(
      quern(desk, {"generate"}).err,
      test::contains("own/engine.txt:3:1: error: this line must be `2 ` and what engine 2 changed [engine_log]\n"));
}
