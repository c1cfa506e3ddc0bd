#include "migrate/statements.hpp"

#include <fmt/format.h>
#include <pg_query.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace migrate {
namespace {

// Behind white space, `-- …` and `/* … */`, which nest.
std::size_t skip_blank(std::string_view sql, std::size_t at) {
  int depth = 0;
  while (at < sql.size()) {
    if (sql.substr(at, 2) == "/*") {
      ++depth;
      at += 2;
    } else if (depth > 0 && sql.substr(at, 2) == "*/") {
      --depth;
      at += 2;
    } else if (depth == 0 && sql.substr(at, 2) == "--") {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (depth > 0 || std::isspace(static_cast<unsigned char>(sql[at])) != 0) {
      ++at;
    } else {
      break;
    }
  }
  return at;
}

std::string first_word(std::string_view sql, std::size_t at) {
  std::string word;
  for (; at < sql.size() && std::isalpha(static_cast<unsigned char>(sql[at])) != 0; ++at)
    word.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(sql[at]))));
  return word;
}

bool ends_transaction(std::string_view word) {
  constexpr std::array<std::string_view, 6> words{"begin", "start", "commit", "end", "rollback", "abort"};
  return std::ranges::find(words, word) != words.end();
}

bool is_two_phase(std::string_view sql, std::size_t start) {
  const std::string word = first_word(sql, start);
  return word == "prepare" && first_word(sql, skip_blank(sql, start + word.size())) == "transaction";
}

// A text of a step, and how it is sent.
struct part {
  const std::filesystem::path& file;
  const std::string& sql;
  int first_line;
  std::string_view why_no_transaction;
};

// Positions behind the end count as the end.
int line_at(const part& one, std::size_t position) {
  const auto end = one.sql.begin() + static_cast<std::ptrdiff_t>(std::min(position, one.sql.size()));
  return one.first_line + static_cast<int>(std::count(one.sql.begin(), end, '\n'));
}

std::vector<part> parts_of(const migration& one, const step& from) {
  const std::filesystem::path& file = file_of(one, from);
  const std::string_view why =
      from.is_transactional ? "a step is one transaction already" : "each statement of this step is sent by itself";
  std::vector<part> parts{{file, from.sql, from.first_line, why}};
  for (const auto* const section : {&from.probe, &from.cleanup, &from.reverse})
    if (*section) parts.push_back({file, (*section)->sql, (*section)->first_line, why});
  return parts;
}

void check_part(const part& one, const statement_list& list, std::vector<problem>& problems) {
  if (!list.error.empty()) problems.push_back({one.file, line_at(one, list.error_at), list.error});
  for (const std::size_t start : list.starts) {
    const std::string word = first_word(one.sql, start);
    if (!ends_transaction(word) && !is_two_phase(one.sql, start)) continue;
    problems.push_back(
        {one.file, line_at(one, start), fmt::format("`{}` is not possible here: {}", word, one.why_no_transaction)});
  }
}

void check_probe(const migration& one, const step& from, std::vector<problem>& problems) {
  if (!from.probe || split_statements(from.probe->sql).starts.size() <= 1) return;
  problems.push_back({file_of(one, from), from.probe->first_line, "a probe is one query"});
}

}  // namespace

std::size_t byte_of_character(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) continue;
    if (count-- == 0) break;
  }
  return at;
}

statement_list split_statements(const std::string& sql) {
  PgQuerySplitResult parts = pg_query_split_with_parser(sql.c_str());
  if (parts.error != nullptr) {
    // What this parser does not understand a newer server may: the lexer suffices to find the semicolons.
    pg_query_free_split_result(parts);
    parts = pg_query_split_with_scanner(sql.c_str());
  }
  statement_list made;
  if (parts.error != nullptr) {
    made.error = parts.error->message;
    // Statements are told by their byte, errors by their character, from 1; 0 is no place.
    made.error_at = byte_of_character(sql, static_cast<std::size_t>(std::max(parts.error->cursorpos - 1, 0)));
  } else {
    for (int i = 0; i < parts.n_stmts; ++i)
      made.starts.push_back(skip_blank(sql, static_cast<std::size_t>(parts.stmts[i]->stmt_location)));
  }
  pg_query_free_split_result(parts);
  return made;
}

std::vector<problem> check_statements(const migration& one) {
  std::vector<problem> problems;
  for (const step& from : one.steps) {
    for (const part& text : parts_of(one, from)) check_part(text, split_statements(text.sql), problems);
    check_probe(one, from, problems);
  }
  return problems;
}

}  // namespace migrate
