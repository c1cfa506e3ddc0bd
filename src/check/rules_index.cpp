#include <fmt/format.h>

#include "check/hook_rules.hpp"

namespace check {
namespace {

using nlohmann::json;

/// The columns of an index, as far as they are plain ones.
std::vector<std::string> columns_of(const json& node) {
  std::vector<std::string> columns;
  for (const char* key : {"indexParams", "indexIncludingParams"})
    for (const json& item : part(node, key))
      if (item.contains("IndexElem")) columns.push_back(item["IndexElem"].value("name", ""));
  return columns;
}

std::string index_name(const json& node) {
  return node.value("idxname", "NAME");
}

void check_claims(hook_statement& one, const sql_name& table) {
  if (!is_ours(one.ours, table, one.ours.relations)) return;
  for (const std::string& column : columns_of(one.node()))
    if (column == "lease_until" || column == "attempt")
      one.add("hook_quern_object", fmt::format("an index on {} of {} makes every claim write it", column, spell(table)),
              fmt::format("no index may hold a column that a claim changes: leave {} out", column), table.at);
}

void check_creation(hook_statement& one) {
  const json& node = one.node();
  const sql_name table = name_of_relation(node.at("relation"));
  const std::string name = index_name(node);
  const bool is_concurrent = node.value("concurrent", false);
  const std::string unique = node.value("unique", false) ? "unique " : "";
  check_claims(one, table);
  if (is_concurrent && node.value("if_not_exists", false))
    one.add("hook_index_if_not_exists",
            fmt::format("`if not exists` takes an INVALID index {} of a killed build for done", name),
            fmt::format("create {}index concurrently {} on {} …\nand behind it:\n  -- cleanup\n  drop index "
                        "concurrently if exists {};",
                        unique, name, spell(table), spell({table.schema, name, {}})));
  if (!is_concurrent && !one.is_new(table) && table.schema != "pg_temp" && !one.memory.temporary.contains(table.name))
    one.add("hook_index_blocks", fmt::format("building the index {} stops every writer of {}", name, spell(table)),
            fmt::format("in a step with `-- transaction: no`:\n  create {}index concurrently {} on {} …", unique, name,
                        spell(table)),
            table.at);
}

void check_drop(hook_statement& one) {
  const json& node = one.node();
  if (node.value("removeType", "") != "OBJECT_INDEX" || node.value("concurrent", false)) return;
  for (const json& object : part(node, "objects")) {
    const sql_name index = name_of_list(part(object, "/List/items"_json_pointer));
    if (one.is_new(index)) continue;
    one.add("hook_index_drop_blocks",
            fmt::format("dropping the index {} stops everyone who uses its table", spell(index)),
            fmt::format("in a step with `-- transaction: no`:\n  drop index concurrently {};", spell(index)));
  }
}

bool is_concurrent_reindex(const json& node) {
  for (const json& item : part(node, "params"))
    if (item.value("/DefElem/defname"_json_pointer, "") == "concurrently") return true;
  return false;
}

void check_reindex(hook_statement& one) {
  const json& node = one.node();
  if (is_concurrent_reindex(node)) return;
  const bool is_table = node.value("kind", "") == "REINDEX_OBJECT_TABLE";
  const std::string what = node.contains("relation") ? spell(name_of_relation(node["relation"])) : "it";
  one.add("hook_reindex_blocks", fmt::format("rebuilding {} stops every writer", what),
          fmt::format("in a step with `-- transaction: no`:\n  reindex {} concurrently {};",
                      is_table ? "table" : "index", what));
}

std::string concurrent_words(const hook_statement& one) {
  const json& node = one.node();
  if (one.is("IndexStmt") && node.value("concurrent", false)) return "create index concurrently";
  if (one.is("DropStmt") && node.value("concurrent", false)) return "drop index concurrently";
  if (one.is("ReindexStmt") && is_concurrent_reindex(node)) return "reindex concurrently";
  for (const json& command : part(node, "cmds"))
    if (one.is("AlterTableStmt") && command.value("/AlterTableCmd/def/PartitionCmd/concurrent"_json_pointer, false))
      return "detach partition concurrently";
  return {};
}

}  // namespace

void check_indexes(hook_statement& one) {
  if (one.is("IndexStmt")) check_creation(one);
  if (one.is("DropStmt")) check_drop(one);
  if (one.is("ReindexStmt")) check_reindex(one);
  const std::string words = concurrent_words(one);
  if (words.empty() || !one.is_transaction()) return;
  one.add("hook_concurrently_in_transaction", fmt::format("`{}` cannot run in the step's transaction", words),
          "give it a step of its own:\n  -- step: index\n  -- lock: SHARE UPDATE EXCLUSIVE on the table\n  -- "
          "lock_timeout: 0\n  -- statement_timeout: 0\n  -- transaction: no");
}

}  // namespace check
