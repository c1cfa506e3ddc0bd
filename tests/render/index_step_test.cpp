#include "render/index_step.hpp"

#include <quern/connection.hpp>

#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

/// A queue whose name ends like one of its tables, in a schema that needs quotes.
struct scene {
  scene() {
    state.contracts = {{.queue = "bus_message",
                        .is_schemaless = true,
                        .fields = {{.name = "payload", .type = "jsonb", .column = "payload"}}}};
    model = render::model_of({"shop", "order"}, "bus_message", state, enumerations);
  }

  contract::queue_state state;
  std::vector<contract::locked_enumeration> enumerations;
  render::queue_model model;
  render::table_index index{"bus_message_message_priority", "message", "priority, message_id"};
};

/// A table without its index, and with rows that a unique index refuses.
void make_table(quern::connection& db) {
  db.run_script(
      R"(create schema "order";
         create table "order".bus_message_message (priority smallint, message_id bigint);
         insert into "order".bus_message_message values (0, 1), (0, 1))");
}

void run(quern::connection& db, const std::string& statements) {
  std::string_view rest{statements};
  while (!rest.empty()) {
    const auto end = std::min(rest.find(";\n"), rest.size());
    db.execute(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
}

bool is_true(quern::connection& db, const std::string& query) {
  const auto rows = db.execute(query);
  return rows.size() == 1 && rows.value<bool>();
}

}  // namespace

TEST_CASE("an index is built outside of a transaction, with a probe, a cleanup and a way back") {
  const scene here;
  const auto step = render::index_building(here.model, here.index);
  CHECK(step.name == "index_message_priority");
  CHECK(step.lock ==
        "share update exclusive on \"order\".bus_message_message; waits until older transactions have ended");
  CHECK(step.lock_timeout == "0");
  CHECK(step.statement_timeout == "0");
  CHECK_FALSE(step.is_transactional);
  CHECK(step.text ==
        "create index concurrently bus_message_message_priority on \"order\".bus_message_message (priority, "
        "message_id);");
  CHECK(step.probe ==
        "select x.indisvalid\n"
        "from pg_catalog.pg_index as x\n"
        "where x.indexrelid = pg_catalog.to_regclass('\"order\".bus_message_message_priority')\n"
        "  and x.indrelid = pg_catalog.to_regclass('\"order\".bus_message_message');");
  CHECK(step.cleanup == "drop index concurrently if exists \"order\".bus_message_message_priority;");
  CHECK(step.reverse == step.cleanup);
}

TEST_CASE("an index is dropped outside of a transaction, and built again on the way back") {
  const scene here;
  const auto step = render::index_removal(here.model, here.index);
  CHECK(step.name == "drop_index_message_priority");
  CHECK_FALSE(step.is_transactional);
  CHECK(step.text == "drop index concurrently if exists \"order\".bus_message_message_priority;");
  CHECK(step.probe == "select pg_catalog.to_regclass('\"order\".bus_message_message_priority') is null;");
  CHECK(step.cleanup == std::nullopt);
  CHECK(step.reverse ==
        "drop index concurrently if exists \"order\".bus_message_message_priority;\n"
        "create index concurrently bus_message_message_priority on \"order\".bus_message_message (priority, "
        "message_id);");
}

TEST_CASE(
    "an index that is missing, INVALID or another table's is not taken for built, and every step can be repeated") {
  const scene here;
  const auto building = render::index_building(here.model, here.index);
  const auto removal = render::index_removal(here.model, here.index);
  const test::database place;
  quern::connection db{place.url()};
  make_table(db);
  CHECK_FALSE(is_true(db, *building.probe));
  CHECK(is_true(db, *removal.probe));

  CHECK_THROWS(db.run_script(
      R"(create unique index concurrently bus_message_message_priority on "order".bus_message_message (message_id))"));
  CHECK_FALSE(is_true(db, *building.probe));
  CHECK_FALSE(is_true(db, *removal.probe));
  run(db, *building.cleanup);
  CHECK(is_true(db, *removal.probe));

  db.run_script(R"(create table "order".other (a int);
                   create index bus_message_message_priority on "order".other (a))");
  CHECK_FALSE(is_true(db, *building.probe));
  run(db, *building.cleanup);
  for (int i = 0; i < 2; ++i) {
    run(db, *building.cleanup);
    run(db, building.text);
    CHECK(is_true(db, *building.probe));
    run(db, removal.text);
    CHECK(is_true(db, *removal.probe));
    run(db, *removal.reverse);
    CHECK(is_true(db, *building.probe));
    run(db, *removal.reverse);
    CHECK(is_true(db, *building.probe));
    run(db, *building.reverse);
    CHECK_FALSE(is_true(db, *building.probe));
  }
}
