#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "check/hook_rules.hpp"

namespace check {
namespace {

using nlohmann::json;

/// What may be done to a table of quern: it changes neither what functions see nor what drift compares by name.
constexpr std::array harmless{"AT_SetRelOptions",   "AT_ResetRelOptions", "AT_SetStatistics",  "AT_ValidateConstraint",
                              "AT_SetStorage",      "AT_SetCompression",  "AT_SetLogged",      "AT_SetUnLogged",
                              "AT_ReplicaIdentity", "AT_SetTableSpace",   "AT_SetAccessMethod"};

constexpr std::string_view use_declaration = "change the declaration and run `quern generate`: it makes the migration";

void check_alter_table(hook_statement& one) {
  const sql_name table = name_of_relation(one.node().at("relation"));
  if (!is_ours(one.ours, table, one.ours.relations)) return;
  for (const json& item : part(one.node(), "cmds")) {
    const std::string type = item.value("/AlterTableCmd/subtype"_json_pointer, "");
    if (std::ranges::find(harmless, type) != harmless.end()) continue;
    one.add("hook_quern_object",
            fmt::format("{} belongs to quern: its columns and constraints follow the declaration", spell(table)),
            std::string{use_declaration}, table.at);
    return;
  }
}

bool changes_objects(const hook_statement& one) {
  constexpr std::array kinds{"DropStmt",       "RenameStmt", "AlterObjectSchemaStmt", "AlterEnumStmt", "AlterSeqStmt",
                             "AlterOwnerStmt", "ViewStmt",   "AlterDomainStmt",       "AlterTypeStmt"};
  return std::ranges::find(kinds, one.kind()) != kinds.end();
}

void report_function(hook_statement& one, const sql_name& function) {
  one.add("hook_quern_function",
          fmt::format("{} belongs to quern, and released functions never change", spell(function)),
          "write a function of your own beside it that calls it", function.at);
}

void check_objects(hook_statement& one) {
  for (const sql_target& target : targets_of(one.kind(), one.node())) {
    const auto& names = target.kind == object_kind::type ? one.ours.types : one.ours.relations;
    if (target.kind == object_kind::function) {
      if (is_ours(one.ours, target.what, one.ours.functions)) report_function(one, target.what);
    } else if (is_ours(one.ours, target.what, names)) {
      one.add("hook_quern_object", fmt::format("{} belongs to quern", spell(target.what)), std::string{use_declaration},
              target.what.at);
    }
  }
}

void check_functions(hook_statement& one) {
  for (const sql_target& target : targets_of(one.kind(), one.node()))
    if (target.kind == object_kind::function && is_ours(one.ours, target.what, one.ours.functions))
      report_function(one, target.what);
}

std::string old_name(const json& node) {
  if (node.contains("subname")) return "column or constraint " + node.value("subname", "");
  return node.contains("relation") ? spell(name_of_relation(node["relation"])) : "the object";
}

void check_rename(hook_statement& one) {
  const auto targets = targets_of(one.kind(), one.node());
  const auto is_of_quern = [&](const sql_target& target) {
    return is_ours(one.ours, target.what, one.ours.relations) || is_ours(one.ours, target.what, one.ours.functions) ||
           is_ours(one.ours, target.what, one.ours.types);
  };
  if (std::ranges::any_of(targets, is_of_quern)) return;
  if (!targets.empty() && one.is_new(targets.front().what)) return;
  const std::string type = one.node().value("renameType", "");
  if (type != "OBJECT_TABLE" && type != "OBJECT_COLUMN" && type != "OBJECT_VIEW" && type != "OBJECT_FUNCTION") return;
  one.add("hook_rename", fmt::format("programs that are running use {} under its old name", old_name(one.node())),
          "add what has the new name beside it; drop the old one when nobody uses it");
}

/// `drop schema` takes everything, whoever it belongs to.
void check_schema(hook_statement& one) {
  if (one.node().value("removeType", "") != "OBJECT_SCHEMA") return;
  for (const std::string& name : texts_of(part(one.node(), "objects")))
    if (name == one.ours.schema)
      one.add("hook_quern_object", fmt::format("the schema {} holds everything of quern", name),
              std::string{use_declaration});
}

}  // namespace

void check_quern_objects(hook_statement& one) {
  if (one.is("AlterTableStmt")) check_alter_table(one);
  if (changes_objects(one)) check_objects(one);
  if (one.is("CreateFunctionStmt") || one.is("AlterFunctionStmt")) check_functions(one);
  if (one.is("RenameStmt")) check_rename(one);
  if (one.is("DropStmt")) check_schema(one);
}

}  // namespace check
