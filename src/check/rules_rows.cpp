#include <fmt/format.h>

#include "check/hook_rules.hpp"

namespace check {
namespace {

using nlohmann::json;

void check_truncate(hook_statement& one) {
  for (const json& item : part(one.node(), "relations")) {
    const sql_name table = name_of_relation(part(item, "RangeVar"));
    if (!is_ours(one.ours, table, one.ours.relations)) continue;
    one.add("hook_deletes_messages", fmt::format("`truncate` empties {}, which belongs to quern", spell(table)),
            "let a consumer drain the queue, or call its purge function", table.at);
  }
}

void check_delete(hook_statement& one, const sql_name& table) {
  if (is_ours(one.ours, table, one.ours.relations)) {
    one.add("hook_deletes_messages",
            fmt::format("`delete` without where empties {}, which belongs to quern", spell(table)),
            "let a consumer drain the queue, or call its purge function", table.at);
  } else {
    one.add(
        "hook_rewrites_rows", fmt::format("`delete` without where locks every row of {}", spell(table)),
        fmt::format("delete from {} where …; many rows in batches, in a step with `-- transaction: no`", spell(table)),
        table.at);
  }
}

}  // namespace

void check_rows(hook_statement& one) {
  const json& node = one.node();
  if (one.is("TruncateStmt")) check_truncate(one);
  if (one.is("CopyStmt") && node.value("is_from", false) && !node.contains("filename"))
    one.add("hook_copy_stdin", "`copy … from stdin` waits for data that a step cannot give",
            "insert … values, or load the data with a program");
  if ((!one.is("UpdateStmt") && !one.is("DeleteStmt")) || node.contains("whereClause")) return;
  const sql_name table = name_of_relation(node.at("relation"));
  if (one.is_new(table) || (table.schema.empty() && one.memory.temporary.contains(table.name))) return;
  if (one.is("DeleteStmt")) return check_delete(one, table);
  one.add(
      "hook_rewrites_rows", fmt::format("`update` without where locks and writes every row of {}", spell(table)),
      fmt::format("update {} set … where …; many rows in batches, in a step with `-- transaction: no`", spell(table)),
      table.at);
}

}  // namespace check
