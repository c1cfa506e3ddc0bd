#include "render/index_step.hpp"

#include <fmt/format.h>

#include "render/names.hpp"
#include "render/sql.hpp"

namespace render {

namespace {

std::string table_of(const queue_model& model, const table_index& index) {
  return fmt::format("{}_{}", names::prefix(model.schema, model.line), index.table);
}

std::string build(const queue_model& model, const table_index& index) {
  return fmt::format("create index concurrently {} on {} ({});", sql::identifier(index.name), table_of(model, index),
                     index.columns);
}

/// Also an INVALID one.
std::string drop(const queue_model& model, const table_index& index) {
  return fmt::format("drop index concurrently if exists {};", names::index(model.schema, index.name));
}

/// `to_regclass` of the index: null when there is none.
std::string found(const queue_model& model, const table_index& index) {
  return fmt::format("pg_catalog.to_regclass({})", sql::literal(names::index(model.schema, index.name)));
}

std::string is_built(const queue_model& model, const table_index& index) {
  return fmt::format(
      "select x.indisvalid\n"
      "from pg_catalog.pg_index as x\n"
      "where x.indexrelid = {}\n"
      "  and x.indrelid = pg_catalog.to_regclass({});",
      found(model, index), sql::literal(table_of(model, index)));
}

/// A concurrent build waits for older transactions, and nobody waits behind it: it has the time that it takes.
migration_step step_of(const queue_model& model, const table_index& index, std::string_view what) {
  return {.name = fmt::format("{}_{}", what, index.name.substr(model.line.size() + 1)),
          .lock = fmt::format("share update exclusive on {}; waits until older transactions have ended",
                              table_of(model, index)),
          .lock_timeout = "0",
          .statement_timeout = "0",
          .is_transactional = false};
}

}  // namespace

migration_step index_building(const queue_model& model, const table_index& index) {
  auto step = step_of(model, index, "index");
  step.text = build(model, index);
  step.probe = is_built(model, index);
  step.cleanup = drop(model, index);
  step.reverse = drop(model, index);
  return step;
}

migration_step index_removal(const queue_model& model, const table_index& index) {
  auto step = step_of(model, index, "drop_index");
  step.text = drop(model, index);
  step.probe = fmt::format("select {} is null;", found(model, index));
  // A reverse has no probe: what an interrupted one has left is dropped first.
  step.reverse = drop(model, index) + "\n" + build(model, index);
  return step;
}

}  // namespace render
