#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check/hook_sections.hpp"
#include "check/sql_names.hpp"
#include "check/sql_tree.hpp"
#include "text/diagnostic.hpp"
#include "text/source.hpp"

/// What statements of a hook must not do. Each rule looks at one statement.
namespace check {

/// What the statements before have done in the same file.
struct hook_memory {
  std::set<std::string> created{};                                         // relations, as spell() gives them
  std::set<std::string, std::less<>> temporary{};                          // tables of the session, by name
  std::set<std::string, std::less<>> functions{};                          // created ones, by name
  std::map<std::pair<std::string, std::string>, nlohmann::json> checks{};  // by table and constraint: not valid yet
  std::map<std::pair<std::string, std::string>, std::size_t> added{};      // constraints: the section that adds them
  std::vector<std::pair<std::string, nlohmann::json>> proved{};            // by table: validated checks
};

/// One statement, and where what is wrong with it goes to.
struct hook_statement {
  const sql_statement& statement;
  const hook_section& section;
  std::size_t section_number;
  const project_objects& ours;
  hook_memory& memory;
  const text::source& file;
  const text::line_index& lines;
  std::vector<text::diagnostic>& found;

  const nlohmann::json& node() const { return statement.node; }

  bool is(std::string_view kind) const { return statement.kind == kind; }

  std::string_view kind() const { return statement.kind; }

  bool is_transaction() const { return section.is_transaction; }

  /// Whether the table is there only since the same file created it: nobody waits for it.
  bool is_new(const sql_name& table) const { return memory.created.contains(spell(table)); }

  /// Reports the code with its severity, at a place of the parser's, or at the statement as a whole.
  void add(std::string_view code, std::string message, std::string help, std::optional<std::size_t> at = {});
};

// The rules, by what they are about.
void check_indexes(hook_statement& one);
void check_tables(hook_statement& one);
void check_rewrites(hook_statement& one);
void check_quern_objects(hook_statement& one);
void check_rows(hook_statement& one);
void check_rights(hook_statement& one);
void check_transactions(hook_statement& one);
void check_names(hook_statement& one);

/// Keeps what later statements of the file need to know.
void remember(hook_statement& one);

}  // namespace check
