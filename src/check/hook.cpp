#include "check/hook.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "check/deep_stack.hpp"
#include "check/hook_allow.hpp"
#include "check/hook_rules.hpp"
#include "check/hook_sections.hpp"
#include "check/sql_tree.hpp"
#include "text/utf8.hpp"

namespace check {
namespace {

text::diagnostic problem(std::string code, std::string message, const text::span& where, std::string help) {
  return {text::severity::error, std::move(code), std::move(message), where, std::move(help), {}};
}

/// A section, and what its SQL holds; places count from the begin of the file.
struct parsed_section {
  hook_section where;
  sql_tree tree;
};

void move_by(sql_tree& tree, std::size_t offset) {
  for (sql_statement& one : tree.statements) one.begin += offset, one.end += offset, one.origin += offset;
  for (sql_error& one : tree.errors) one.at += offset;
  for (std::size_t& at : tree.too_large) at += offset;
}

class hook_reader {
 public:
  hook_reader(const text::source& file, const project_objects& ours) : file_{file}, lines_{file.content}, ours_{ours} {}

  std::vector<text::diagnostic> run() {
    if (!check_bytes()) return std::move(found_);
    parse();
    hook_allows allows{lines_, statement_lines()};
    for (std::size_t i = 0; i < sections_.size(); ++i) check_section(i, allows);
    for (text::diagnostic& one : allows.problems()) found_.push_back(std::move(one));
    text::sort_by_position(found_);
    return std::move(found_);
  }

 private:
  bool check_bytes() {
    const std::string& content = file_.content;
    const std::size_t nul = content.find('\0');
    const std::size_t invalid = text::find_invalid_utf8(content).value_or(std::string::npos);
    const std::size_t at = std::min(nul, invalid);
    if (at == std::string::npos) return true;
    found_.push_back(problem(
        "hook_encoding",
        nul < invalid ? std::string{"a NUL byte, which no server takes"}
                      : fmt::format("this byte (0x{:02x}) is not UTF-8", static_cast<unsigned char>(content[at])),
        lines_.span_of(at, at + 1), "store the file as UTF-8"));
    return false;
  }

  void parse() {
    std::vector<migrate::problem> problems;
    const migrate::parsed_hook hook = migrate::parse_hook(file_.content, "hook", file_.name, problems);
    for (const migrate::problem& one : problems) add_malformed(static_cast<std::size_t>(one.line), one.words);
    for (const hook_section& one : sections_of(hook, lines_)) {
      sections_.push_back({one, parse_sql(file_.content.substr(one.begin, one.end - one.begin))});
      move_by(sections_.back().tree, one.begin);
    }
  }

  void add_malformed(std::size_t line, const std::string& words) {
    const text::span where = line == 0 ? text::span{} : text::span{{line, 1}, {line, lines_.line(line).size() + 1}};
    found_.push_back(problem("hook_malformed", words, where, ""));
  }

  std::vector<line_range> statement_lines() const {
    std::vector<line_range> ranges;
    for (const parsed_section& section : sections_)
      for (const sql_statement& one : section.tree.statements)
        ranges.push_back({lines_.position_of(one.begin).line, lines_.position_of(one.end).line});
    return ranges;
  }

  void check_section(std::size_t number, hook_allows& allows) {
    const parsed_section& section = sections_[number];
    for (const sql_error& one : section.tree.errors)
      found_.push_back(problem("hook_syntax", one.words, lines_.span_of(one.at, one.at + 1), ""));
    for (const std::size_t at : section.tree.too_large)
      found_.push_back(problem("hook_too_large",
                               fmt::format("a statement of more than {} KB is not looked at", largest_statement / 1024),
                               lines_.span_of(at, at + 1), "load data with a program, in batches"));
    const auto& statements = section.tree.statements;
    const bool is_query = statements.size() == 1 && statements.front().kind == "SelectStmt";
    if (section.where.kind == section_kind::probe && !is_query && section.tree.errors.empty())
      add_malformed(lines_.position_of(section.where.begin).line, "a probe is one query of one boolean");
    for (const sql_statement& one : statements) check_statement(one, number, allows);
  }

  void check_statement(const sql_statement& statement, std::size_t number, hook_allows& allows) {
    std::vector<text::diagnostic> found;
    hook_statement one{statement, sections_[number].where, number, ours_, memory_, file_, lines_, found};
    for (const auto rule : {check_quern_objects, check_indexes, check_tables, check_rewrites, check_rows, check_rights,
                            check_transactions, check_names})
      rule(one);
    check_cleanup(one, number);
    remember(one);
    const std::size_t line = lines_.position_of(statement.begin).line;
    std::erase_if(found, [&](const text::diagnostic& each) { return allows.accept(each.code, line); });
    for (text::diagnostic& each : found) found_.push_back(std::move(each));
  }

  /// What a killed concurrent build leaves behind has to go before the next try.
  void check_cleanup(hook_statement& one, std::size_t number) {
    if (!one.is("IndexStmt") || !one.node().value("concurrent", false) || one.is_transaction()) return;
    if (one.section.kind != section_kind::step) return;
    const std::string name = one.node().value("idxname", "");
    if (is_cleaned(sections_[number].where.step, name)) return;
    const sql_name table = name_of_relation(one.node().at("relation"));
    one.add("hook_index_without_cleanup", fmt::format("a killed build leaves an INVALID index {} behind", name),
            fmt::format("behind the step's SQL:\n  -- cleanup\n  drop index concurrently if exists {};",
                        spell({table.schema, name, {}})));
  }

  bool is_cleaned(std::size_t step, const std::string& index) const {
    for (const parsed_section& section : sections_) {
      if (section.where.step != step || section.where.kind != section_kind::cleanup) continue;
      for (const sql_statement& one : section.tree.statements)
        for (const sql_target& target : targets_of(one.kind, one.node))
          if (one.kind == "DropStmt" && target.what.name == index) return true;
    }
    return false;
  }

  const text::source& file_;
  text::line_index lines_;
  const project_objects& ours_;
  hook_memory memory_;
  std::vector<parsed_section> sections_;
  std::vector<text::diagnostic> found_;
};

}  // namespace

text::diagnostic hook_too_large() {
  return problem("hook_too_large", "the hook has more than 1 MB, the most that is looked at", {},
                 "load data with a program, in batches");
}

std::vector<text::diagnostic> check_hook(const text::source& file, const project_objects& ours) {
  std::vector<text::diagnostic> found;
  on_deep_stack([&] { found = hook_reader{file, ours}.run(); });
  return found;
}

}  // namespace check
