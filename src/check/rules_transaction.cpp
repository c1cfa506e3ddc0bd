#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "check/hook_rules.hpp"

namespace check {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> alone{{
    {"CreatedbStmt", "create database"},
    {"DropdbStmt", "drop database"},
    {"CreateTableSpaceStmt", "create tablespace"},
    {"DropTableSpaceStmt", "drop tablespace"},
    {"AlterSystemStmt", "alter system"},
    {"CreateSubscriptionStmt", "create subscription"},
    {"DropSubscriptionStmt", "drop subscription"},
    {"VacuumStmt", "vacuum"},
}};

std::string_view words_of_lone(const hook_statement& one) {
  const json& node = one.node();
  if (one.is("VacuumStmt") && !node.value("is_vacuumcmd", false)) return {};
  if (one.is("ClusterStmt") && !node.contains("relation")) return "cluster";
  const std::string kind = one.is("ReindexStmt") ? node.value("kind", "") : "";
  if (kind == "REINDEX_OBJECT_DATABASE" || kind == "REINDEX_OBJECT_SYSTEM" || kind == "REINDEX_OBJECT_SCHEMA")
    return "reindex of a schema or database";
  if (one.is("DiscardStmt") && node.value("target", "") == "DISCARD_ALL") return "discard all";
  const auto known = std::ranges::find(alone, one.kind(), &std::pair<std::string_view, std::string_view>::first);
  return known == alone.end() ? std::string_view{} : known->second;
}

bool is_reset(const std::string& kind) {
  return kind == "VAR_RESET" || kind == "VAR_RESET_ALL";
}

void check_setting(hook_statement& one) {
  const json& node = one.node();
  const std::string name = node.value("name", "all");
  // `set transaction …` and `set constraints …` end with the transaction.
  if (node.value("kind", "") == "VAR_SET_MULTI") return;
  if (node.value("is_local", false)) {
    if (!one.is_transaction())
      one.add("hook_set_local_useless", fmt::format("`set local {}` ends with its own statement here", name),
              "the step does not run in a transaction: use the step's keys for timeouts");
    return;
  }
  const bool resets = is_reset(node.value("kind", ""));
  one.add("hook_session_setting",
          fmt::format("`{} {}` stays in the session, in which later steps run", resets ? "reset" : "set", name),
          resets ? "leave it away: `set local` ends with the step by itself" : fmt::format("set local {} = …", name));
}

/// `set_config(name, value, false)` anywhere.
void check_set_config(hook_statement& one, const json& tree) {
  if (!tree.is_structured()) return;
  if (tree.is_object() && tree.contains("FuncCall")) {
    const json& call = tree["FuncCall"];
    const json& arguments = part(call, "args");
    const bool is_local = arguments.size() == 3 && arguments[2].value("/A_Const/boolval/boolval"_json_pointer, false);
    if (name_of_list(part(call, "funcname")).name == "set_config" && !is_local)
      one.add("hook_session_setting", "`set_config` without its third argument true stays in the session",
              "set_config(name, value, true)", location_of(call));
  }
  for (const json& each : tree) check_set_config(one, each);
}

}  // namespace

void check_transactions(hook_statement& one) {
  if (one.is("TransactionStmt")) {
    const std::string kind = one.node().value("kind", "");
    const bool is_savepoint =
        kind == "TRANS_STMT_SAVEPOINT" || kind == "TRANS_STMT_RELEASE" || kind == "TRANS_STMT_ROLLBACK_TO";
    if (!is_savepoint)
      one.add("hook_transaction_control",
              one.is_transaction() ? "the step is one transaction already"
                                   : "each statement of the step is a transaction of its own",
              "leave it away; what has to be committed before the rest is a step of its own");
  }
  if (const auto words = words_of_lone(one); !words.empty() && one.is_transaction())
    one.add("hook_not_in_transaction", fmt::format("`{}` cannot run in the step's transaction", words),
            "give it a step of its own with `-- transaction: no`, or leave it to whoever runs the server");
  if (one.is("VariableSetStmt")) check_setting(one);
  if (one.is("DiscardStmt"))
    one.add("hook_session_setting", "`discard` takes from the session what the runner needs in it", "leave it away");
  if (one.is("SelectStmt") || one.is("CallStmt")) check_set_config(one, one.node());
}

}  // namespace check
