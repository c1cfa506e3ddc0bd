#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "check/hook_rules.hpp"

namespace check {
namespace {

using nlohmann::json;
using names = std::set<std::string, std::less<>>;

/// The types of pg_catalog under names that the parser leaves as they are.
const names& known_types() {
  static const names types{"text",
                           "uuid",
                           "json",
                           "jsonb",
                           "bytea",
                           "date",
                           "money",
                           "xml",
                           "inet",
                           "cidr",
                           "macaddr",
                           "macaddr8",
                           "point",
                           "line",
                           "lseg",
                           "box",
                           "path",
                           "polygon",
                           "circle",
                           "tsvector",
                           "tsquery",
                           "oid",
                           "xid",
                           "xid8",
                           "cid",
                           "tid",
                           "name",
                           "regclass",
                           "regproc",
                           "regprocedure",
                           "regtype",
                           "regrole",
                           "regnamespace",
                           "regoper",
                           "regoperator",
                           "regconfig",
                           "regdictionary",
                           "regcollation",
                           "pg_lsn",
                           "txid_snapshot",
                           "pg_snapshot",
                           "int2",
                           "int4",
                           "int8",
                           "float4",
                           "float8",
                           "bool",
                           "numeric",
                           "varchar",
                           "bpchar",
                           "char",
                           "bit",
                           "varbit",
                           "time",
                           "timetz",
                           "timestamp",
                           "timestamptz",
                           "interval",
                           "serial",
                           "serial2",
                           "serial4",
                           "serial8",
                           "bigserial",
                           "smallserial",
                           "void",
                           "trigger",
                           "event_trigger",
                           "record",
                           "any",
                           "anyelement",
                           "anyarray",
                           "anynonarray",
                           "anyenum",
                           "anyrange",
                           "anymultirange",
                           "anycompatible",
                           "anycompatiblearray",
                           "internal",
                           "cstring",
                           "unknown",
                           "int4range",
                           "int8range",
                           "numrange",
                           "tsrange",
                           "tstzrange",
                           "daterange",
                           "int4multirange",
                           "int8multirange",
                           "nummultirange",
                           "tsmultirange",
                           "tstzmultirange",
                           "datemultirange",
                           "refcursor",
                           "int2vector",
                           "oidvector",
                           "aclitem",
                           "jsonpath",
                           "gtsvector",
                           "language_handler",
                           "fdw_handler",
                           "table_am_handler"};
  return types;
}

/// Walks through a statement and reports names that an empty search_path does not find.
class name_walk {
 public:
  explicit name_walk(hook_statement& one) : one_{one} { collect_queries(one.node()); }

  void run() { walk(one_.node()); }

  void report(const sql_name& name, std::string_view what) {
    if (!reported_.insert(fmt::format("{} {}", what, name.name)).second) return;
    one_.add("hook_unqualified_name",
             fmt::format("the {} {} has no schema, and the search_path of a step is empty", what, spell(name)),
             fmt::format("{}.{}", one_.ours.schema.empty() ? "SCHEMA" : one_.ours.schema, spell(name)), name.at);
  }

 private:
  /// Names of `with` queries look like tables.
  void collect_queries(const json& tree) {
    if (!tree.is_structured()) return;
    if (tree.is_object() && tree.contains("ctename")) queries_.insert(tree.value("ctename", ""));
    for (const json& each : tree) collect_queries(each);
  }

  void walk(const json& tree) {
    if (!tree.is_structured()) return;
    if (tree.is_object()) look_at(tree);
    for (const json& each : tree) walk(each);
  }

  void look_at(const json& tree) {
    if (tree.contains("relname") && tree.contains("relpersistence")) look_at_relation(tree);
    if (tree.contains("FuncCall")) look_at_call(tree["FuncCall"]);
    if (tree.contains("names") && tree.contains("typemod")) look_at_type(tree);
    if (tree.contains("TypeCast")) look_at_cast(tree["TypeCast"]);
  }

  void look_at_relation(const json& tree) {
    const sql_name name = name_of_relation(tree);
    const bool is_temporary = tree.value("relpersistence", "") == "t" || one_.memory.temporary.contains(name.name);
    if (!name.schema.empty() || is_temporary || queries_.contains(name.name) || name.name.starts_with("pg_")) return;
    report(name, "relation");
  }

  void look_at_call(const json& call) {
    sql_name name = name_of_list(part(call, "funcname"));
    name.at = location_of(call);
    const bool is_known = one_.ours.functions.contains(name.name) || one_.memory.functions.contains(name.name);
    if (name.schema.empty() && is_known) report(name, "function");
    if (name.name == "nextval" || name.name == "setval" || name.name == "currval") {
      const json& arguments = part(call, "args");
      if (!arguments.empty()) look_at_text(arguments[0], "relation");
    }
  }

  void look_at_type(const json& tree) {
    sql_name name = name_of_list(tree["names"]);
    name.at = location_of(tree);
    if (name.schema.empty() && !known_types().contains(name.name)) report(name, "type");
  }

  void look_at_cast(const json& cast) {
    const std::string type = name_of_list(part(cast, "/typeName/names"_json_pointer)).name;
    if (type == "regclass") look_at_text(part(cast, "arg"), "relation");
  }

  /// A name inside of quotes: 'email_message'::regclass.
  void look_at_text(const json& argument, std::string_view what) {
    if (!argument.is_object()) return;
    const std::string written = argument.value("/A_Const/sval/sval"_json_pointer, "");
    if (written.empty() || written.find('.') != std::string::npos || written.starts_with("pg_")) return;
    sql_name name{{}, written, location_of(part(argument, "A_Const"))};
    report(name, what);
  }

  hook_statement& one_;
  names queries_;
  std::set<std::string> reported_;
};

bool is_foreign(const hook_statement& one, const sql_name& name) {
  return !name.schema.empty() && !one.ours.schema.empty() && name.schema != one.ours.schema &&
         name.schema != "pg_temp" && name.schema != "pg_catalog";
}

}  // namespace

void check_names(hook_statement& one) {
  name_walk walk{one};
  walk.run();
  for (const sql_target& target : targets_of(one.kind(), one.node())) {
    // Relations with a place have been looked at, and an index is named without its schema.
    const bool is_relation_node = target.kind == object_kind::relation && target.what.at.has_value();
    const bool is_trigger_function = one.is("CreateTrigStmt") && target.kind == object_kind::function;
    const bool is_type_node = target.kind == object_kind::type && target.what.at.has_value();
    if (target.what.schema.empty() && !target.what.name.empty() && !is_relation_node && !is_type_node &&
        !one.memory.temporary.contains(target.what.name))
      walk.report(target.what, target.kind == object_kind::function ? "function"
                               : target.kind == object_kind::type   ? "type"
                                                                    : "relation");
    if (is_foreign(one, target.what) && !is_trigger_function)
      one.add("hook_other_schema",
              fmt::format("{} lies outside of the project's schema {}", spell(target.what), one.ours.schema),
              "leave it to the migrations of its owner, or accept it with a reason", target.what.at);
  }
}

void remember(hook_statement& one) {
  const json& node = one.node();
  hook_memory& memory = one.memory;
  if (one.is("CreateStmt") || one.is("CreateTableAsStmt")) {
    const json range = one.is("CreateStmt") ? node.at("relation") : part(node, "/into/rel"_json_pointer);
    const sql_name table = name_of_relation(range);
    memory.created.insert(spell(table));
    if (range.value("relpersistence", "") == "t") memory.temporary.insert(table.name);
  }
  if (one.is("IndexStmt") && !node.value("concurrent", false))
    memory.created.insert(spell({name_of_relation(node.at("relation")).schema, node.value("idxname", ""), {}}));
  if (one.is("CreateFunctionStmt")) memory.functions.insert(name_of_list(part(node, "funcname")).name);
  if (!one.is("AlterTableStmt")) return;
  const std::string table = spell(name_of_relation(node.at("relation")));
  for (const json& item : part(node, "cmds")) {
    const json& command = part(item, "AlterTableCmd");
    const json& constraint = part(command, "/def/Constraint"_json_pointer);
    if (command.value("subtype", "") == "AT_AddConstraint") {
      const std::pair key{table, constraint.value("conname", "")};
      memory.added[key] = one.section_number;
      memory.checks[key] = part(constraint, "raw_expr");
      if (!constraint.value("skip_validation", false)) memory.proved.emplace_back(table, memory.checks[key]);
    }
    const auto check = memory.checks.find({table, command.value("name", "")});
    if (command.value("subtype", "") == "AT_ValidateConstraint" && check != memory.checks.end())
      memory.proved.emplace_back(table, check->second);
  }
}

}  // namespace check
