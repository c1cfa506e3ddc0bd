#include <fmt/format.h>

#include <algorithm>

#include "check/hook_rules.hpp"

namespace check {
namespace {

using nlohmann::json;

/// Whether a check that holds says that the column has no null.
bool says_not_null(const json& expression, const std::string& column) {
  if (expression.contains("NullTest")) {
    const json& test = expression["NullTest"];
    return test.value("nulltesttype", "") == "IS_NOT_NULL" &&
           name_of_list(part(test, "/arg/ColumnRef/fields"_json_pointer)).name == column;
  }
  if (expression.value("/BoolExpr/boolop"_json_pointer, "") != "AND_EXPR") return false;
  const json& arguments = part(expression["BoolExpr"], "args");
  return std::ranges::any_of(arguments, [&](const json& each) { return says_not_null(each, column); });
}

bool is_proved(const hook_statement& one, const sql_name& table, const std::string& column) {
  return std::ranges::any_of(one.memory.proved, [&](const auto& each) {
    return each.first == spell(table) && says_not_null(each.second, column);
  });
}

void check_not_null(hook_statement& one, const sql_name& table, const json& command) {
  const std::string column = command.value("name", "");
  if (is_proved(one, table, column)) return;
  const std::string name = spell(table);
  one.add(
      "hook_not_null_scan", fmt::format("`set not null` reads all of {} while everyone waits", name),
      fmt::format("in three steps:\n  alter table {0} add constraint {1}_{2}_given check ({2} is not null) not valid;\n"
                  "  alter table {0} validate constraint {1}_{2}_given;\n  alter table {0} alter column {2} set not "
                  "null;",
                  name, table.name, column));
}

std::string constraint_name(const sql_name& table, const json& constraint, std::string_view ending) {
  return constraint.value("conname", fmt::format("{}_{}", table.name, ending));
}

std::string two_steps(const sql_name& table, const std::string& name, std::string_view definition) {
  return fmt::format(
      "in two steps:\n  alter table {0} add constraint {1} {2} not valid;\n  alter table {0} validate "
      "constraint {1};",
      spell(table), name, definition);
}

void check_unique(hook_statement& one, const sql_name& table, const json& constraint, bool is_primary) {
  if (constraint.contains("indexname")) return;
  const std::string name = constraint_name(table, constraint, "key");
  const std::string kind = is_primary ? "primary key" : "unique";
  one.add(
      "hook_unique_blocks", fmt::format("the {} of {} builds its index while everyone waits", kind, spell(table)),
      fmt::format("build it before, in a step with `-- transaction: no`:\n  create unique index concurrently {0} on "
                  "{1} …\n  alter table {1} add constraint {0} {2} using index {0};",
                  name, spell(table), kind),
      location_of(constraint));
}

void check_constraint(hook_statement& one, const sql_name& table, const json& constraint) {
  const std::string type = constraint.value("contype", "");
  const bool is_not_valid = constraint.value("skip_validation", false);
  if (type == "CONSTR_UNIQUE" || type == "CONSTR_PRIMARY")
    check_unique(one, table, constraint, type == "CONSTR_PRIMARY");
  if (type == "CONSTR_CHECK" && !is_not_valid)
    one.add("hook_check_scan", fmt::format("the check reads all of {} while everyone waits", spell(table)),
            two_steps(table, constraint_name(table, constraint, "check"), "check (…)"), location_of(constraint));
  if (type == "CONSTR_FOREIGN" && !is_not_valid)
    one.add("hook_foreign_key_blocks",
            fmt::format("the foreign key is checked while writers of {} and {} wait", spell(table),
                        spell(name_of_relation(part(constraint, "pktable")))),
            two_steps(table, constraint_name(table, constraint, "fkey"), "foreign key (…) references …"),
            location_of(constraint));
}

void check_validation(hook_statement& one, const sql_name& table, const json& command) {
  const auto added = one.memory.added.find({spell(table), command.value("name", "")});
  if (added == one.memory.added.end() || added->second != one.section_number || !one.is_transaction()) return;
  one.add("hook_validate_with_add",
          fmt::format("{} is validated under the lock of the step that adds it", command.value("name", "")),
          "move `validate constraint` into a `-- step:` of its own");
}

constexpr auto volatile_functions = {"random",
                                     "gen_random_uuid",
                                     "uuid_generate_v1",
                                     "uuid_generate_v4",
                                     "uuidv4",
                                     "uuidv7",
                                     "nextval",
                                     "setval",
                                     "currval",
                                     "lastval",
                                     "clock_timestamp",
                                     "timeofday",
                                     "random_normal",
                                     "txid_current",
                                     "pg_current_xact_id",
                                     "uuid_generate_v1mc",
                                     "pg_backend_pid",
                                     "gen_random_bytes"};

/// The first function of the expression whose value may differ for each row; one of a schema may be anything.
std::string volatile_call(const json& expression) {
  if (expression.is_object() && expression.contains("FuncCall")) {
    const sql_name called = name_of_list(part(expression["FuncCall"], "funcname"));
    const bool is_foreign = !called.schema.empty() && called.schema != "pg_catalog";
    if (is_foreign || std::ranges::find(volatile_functions, called.name) != volatile_functions.end())
      return spell(called) + "()";
  }
  if (!expression.is_structured()) return {};
  for (const json& each : expression)
    if (std::string found = volatile_call(each); !found.empty()) return found;
  return {};
}

bool is_serial(const json& column) {
  const std::string type = name_of_list(part(column, "/typeName/names"_json_pointer)).name;
  return type.ends_with("serial") || (type.starts_with("serial") && type.size() == 7);
}

std::string reason_to_rewrite(const json& column) {
  if (is_serial(column)) return "a serial";
  for (const json& item : part(column, "constraints")) {
    const json& constraint = part(item, "Constraint");
    const std::string type = constraint.value("contype", "");
    if (type == "CONSTR_IDENTITY") return "an identity";
    if (type == "CONSTR_GENERATED") return "a stored generated column";
    if (type == "CONSTR_DEFAULT")
      if (std::string call = volatile_call(part(constraint, "raw_expr")); !call.empty()) return "a default of " + call;
  }
  return {};
}

void check_new_column(hook_statement& one, const sql_name& table, const json& column) {
  const std::string name = column.value("colname", "");
  if (const std::string reason = reason_to_rewrite(column); !reason.empty())
    one.add("hook_volatile_default",
            fmt::format("{} writes all of {} again while everyone waits", reason, spell(table)),
            fmt::format("in steps: add the column without it, then\n  alter table {} alter column {} set default …;\n"
                        "and fill the rows that are there in batches",
                        spell(table), name),
            location_of(column));
  for (const json& item : part(column, "constraints")) {
    const json& constraint = part(item, "Constraint");
    check_constraint(one, table, constraint);
  }
}

void check_command(hook_statement& one, const sql_name& table, const json& command) {
  const std::string type = command.value("subtype", "");
  if (type == "AT_SetNotNull") check_not_null(one, table, command);
  if (type == "AT_AddConstraint" && command.contains("def"))
    check_constraint(one, table, part(command["def"], "Constraint"));
  if (type == "AT_ValidateConstraint") check_validation(one, table, command);
  if (type == "AT_AddColumn" && command.contains("def"))
    check_new_column(one, table, part(command["def"], "ColumnDef"));
}

}  // namespace

void check_tables(hook_statement& one) {
  if (one.is("LockStmt")) {
    for (const json& each : part(one.node(), "relations")) {
      const sql_name table = name_of_relation(part(each, "RangeVar"));
      if (!one.is_new(table))
        one.add("hook_lock_table", fmt::format("everyone who needs {} waits until the step ends", spell(table)),
                "leave it away: statements take the locks that they need", table.at);
    }
  }
  if (!one.is("AlterTableStmt")) return;
  const sql_name table = name_of_relation(one.node().at("relation"));
  if (one.is_new(table)) return;
  // What belongs to quern is refused as such.
  if (is_ours(one.ours, table, one.ours.relations)) return;
  for (const json& item : part(one.node(), "cmds")) check_command(one, table, part(item, "AlterTableCmd"));
}

}  // namespace check
