#include <fmt/format.h>

#include <algorithm>

#include "check/hook_rules.hpp"

namespace check {
namespace {

using nlohmann::json;

void add(hook_statement& one, std::string_view words, const sql_name& table) {
  const std::string what = table.name.empty() ? "every table" : spell(table);
  one.add("hook_rewrites_table", fmt::format("`{}` writes all of {} again while everyone waits", words, what),
          "leave it away; a plain vacuum lets others work, and rows are moved in batches", table.at);
}

bool has_option(const json& node, std::string_view option) {
  const json& options = part(node, "options");
  return std::ranges::any_of(options, [&](const json& item) {
    if (item.value("/DefElem/defname"_json_pointer, "") != option) return false;
    const std::string value = item.value("/DefElem/arg/String/sval"_json_pointer, "");
    return value != "false" && value != "off";
  });
}

void check_vacuum(hook_statement& one) {
  const json& node = one.node();
  if (!has_option(node, "full")) return;
  const auto targets = targets_of(one.kind(), node);
  add(one, "vacuum full", targets.empty() ? sql_name{} : targets.front().what);
}

void check_command(hook_statement& one, const sql_name& table, const json& command) {
  const std::string type = command.value("subtype", "");
  if (type == "AT_SetLogged") add(one, "set logged", table);
  if (type == "AT_SetUnLogged") add(one, "set unlogged", table);
  if (type == "AT_SetAccessMethod") add(one, "set access method", table);
  if (type == "AT_SetTableSpace") add(one, "set tablespace", table);
  if (type == "AT_AlterColumnType" && !is_ours(one.ours, table, one.ours.relations))
    one.add("hook_type_rewrite",
            fmt::format("changing the type of column {} writes all of {} again while everyone waits",
                        command.value("name", ""), spell(table)),
            fmt::format("a new column beside it, filled in batches:\n  alter table {} add column {}_new …;",
                        spell(table), command.value("name", "")),
            location_of(part(command, "/def/ColumnDef"_json_pointer)));
}

}  // namespace

void check_rewrites(hook_statement& one) {
  const json& node = one.node();
  if (one.is("VacuumStmt")) check_vacuum(one);
  if (one.is("ClusterStmt"))
    add(one, "cluster", node.contains("relation") ? name_of_relation(node["relation"]) : sql_name{});
  if (!one.is("AlterTableStmt")) return;
  const sql_name table = name_of_relation(node.at("relation"));
  if (one.is_new(table)) return;
  for (const json& item : part(node, "cmds")) check_command(one, table, part(item, "AlterTableCmd"));
}

}  // namespace check
