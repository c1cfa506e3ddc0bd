#include <fmt/format.h>

#include <algorithm>

#include "check/hook_rules.hpp"

namespace check {
namespace {

using nlohmann::json;

void check_grantees(hook_statement& one, const json& grant, const char* key) {
  if (!grant.value("is_grant", false)) return;
  for (const json& item : part(grant, key)) {
    const json& role = part(item, "RoleSpec");
    if (role.value("roletype", "") != "ROLESPEC_PUBLIC" && role.value("rolename", "") != "public") continue;
    one.add("hook_grant_public", "every role of the database gets the right, also those that are made later",
            "grant it to the role that needs it", location_of(role));
  }
}

bool is_definer(const json& option) {
  return option.value("defname", "") == "security" && option.value("/arg/Boolean/boolval"_json_pointer, false);
}

bool sets_search_path(const json& option) {
  return option.value("defname", "") == "set" &&
         option.value("/arg/VariableSetStmt/name"_json_pointer, "") == "search_path";
}

/// Options of `create function`, actions of `alter function`.
void check_definer(hook_statement& one, const char* key) {
  const json& options = part(one.node(), key);
  const auto has = [&](auto test) {
    return std::ranges::any_of(options, [&](const json& item) { return test(part(item, "DefElem")); });
  };
  if (!has(is_definer) || has(sets_search_path)) return;
  one.add("hook_search_path", "the function runs as its owner, on the search_path of its caller",
          "security definer\nset search_path = ''\nand qualified names in its body");
}

void check_cascade(hook_statement& one) {
  const bool takes_more = one.node().value("behavior", "") == "DROP_CASCADE";
  if (takes_more && (one.is("DropStmt") || one.is("TruncateStmt") || one.is("DropOwnedStmt")))
    one.add("hook_cascade", "`cascade` takes away what nobody has named",
            "name what is to go, one after another, without cascade");
  if (!one.is("AlterTableStmt")) return;
  for (const json& item : part(one.node(), "cmds")) {
    const std::string type = item.value("/AlterTableCmd/subtype"_json_pointer, "");
    if (item.value("/AlterTableCmd/behavior"_json_pointer, "") != "DROP_CASCADE") continue;
    if (type == "AT_DropColumn" || type == "AT_DropConstraint")
      one.add(
          "hook_cascade",
          fmt::format("`cascade` takes away what depends on {}", item.value("/AlterTableCmd/name"_json_pointer, "")),
          "name what is to go, one after another, without cascade");
  }
}

}  // namespace

void check_rights(hook_statement& one) {
  const json& node = one.node();
  if (one.is("GrantStmt")) check_grantees(one, node, "grantees");
  if (one.is("GrantRoleStmt")) check_grantees(one, node, "grantee_roles");
  if (one.is("AlterDefaultPrivilegesStmt")) check_grantees(one, part(node, "action"), "grantees");
  if (one.is("CreateFunctionStmt")) check_definer(one, "options");
  if (one.is("AlterFunctionStmt")) check_definer(one, "actions");
  check_cascade(one);
}

}  // namespace check
