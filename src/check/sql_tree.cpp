#include "check/sql_tree.hpp"

#include <pg_query.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "text/utf8.hpp"

namespace check {
namespace {

// Behind white space, `-- …` and `/* … */`, which nest.
std::size_t skip_blank(std::string_view sql, std::size_t at) {
  int depth = 0;
  while (at < sql.size()) {
    const auto two = sql.substr(at, 2);
    if (two == "/*") {
      ++depth;
      at += 2;
    } else if (depth > 0 && two == "*/") {
      --depth;
      at += 2;
    } else if (depth == 0 && two == "--") {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (depth > 0 || std::isspace(static_cast<unsigned char>(sql[at])) != 0) {
      ++at;
    } else {
      break;
    }
  }
  return at;
}

/// The parser counts characters in the places of its errors.
std::size_t byte_of_character(std::string_view sql, int number) {
  std::size_t at = 0;
  for (int i = 1; i < number && at < sql.size(); ++i) at += text::character_at(sql, at).size;
  return at;
}

struct piece {
  std::size_t origin = 0;
  std::size_t size = 0;
};

class tree_reader {
 public:
  explicit tree_reader(const std::string& sql) : sql_{sql} {}

  sql_tree read() {
    for (const piece& one : split()) read_statement(one);
    return std::move(made_);
  }

 private:
  std::vector<piece> split() {
    PgQuerySplitResult parts = pg_query_split_with_parser(sql_.c_str());
    const bool is_guessed = parts.error != nullptr;
    if (is_guessed) {
      // One statement is wrong: the lexer finds where the others begin.
      pg_query_free_split_result(parts);
      parts = pg_query_split_with_scanner(sql_.c_str());
    }
    std::vector<piece> pieces;
    if (parts.error != nullptr) add_error(*parts.error, 0, sql_);
    for (int i = 0; parts.error == nullptr && i < parts.n_stmts; ++i)
      pieces.push_back({static_cast<std::size_t>(parts.stmts[i]->stmt_location),
                        static_cast<std::size_t>(parts.stmts[i]->stmt_len)});
    const bool is_from_lexer = is_guessed && parts.error == nullptr;
    pg_query_free_split_result(parts);
    return is_from_lexer ? with_gaps(pieces) : pieces;
  }

  /// The lexer passes over statements without any keyword: `selct 1;`.
  std::vector<piece> with_gaps(const std::vector<piece>& pieces) const {
    std::vector<piece> all;
    std::size_t end = 0;
    const auto add_gap = [&](std::size_t until) {
      const auto rest = std::string_view{sql_}.substr(0, until);
      for (std::size_t at = skip_blank(rest, end); at < until; at = skip_blank(rest, end)) {
        if (rest[at] != ';') all.push_back({at, until - at});
        end = rest[at] == ';' ? at + 1 : until;
      }
    };
    for (const piece& one : pieces) {
      add_gap(one.origin);
      all.push_back(one);
      end = one.origin + one.size;
    }
    add_gap(sql_.size());
    return all;
  }

  void add_error(const PgQueryError& error, std::size_t origin, std::string_view part) {
    std::string words = error.message;
    std::erase(words, '\n');
    made_.errors.push_back({origin + byte_of_character(part, error.cursorpos), std::move(words)});
  }

  void read_statement(const piece& one) {
    const std::string part = sql_.substr(one.origin, one.size == 0 ? std::string::npos : one.size);
    const std::size_t begin = skip_blank(part, 0);
    if (begin == part.size()) return;
    if (part.size() > largest_statement) return made_.too_large.push_back(one.origin + begin);
    const PgQueryParseResult parsed = pg_query_parse(part.c_str());
    if (parsed.error != nullptr) {
      add_error(*parsed.error, one.origin, part);
    } else {
      add_statement(nlohmann::json::parse(parsed.parse_tree), one.origin, begin, part.size());
    }
    pg_query_free_parse_result(parsed);
  }

  void add_statement(nlohmann::json tree, std::size_t origin, std::size_t begin, std::size_t size) {
    for (nlohmann::json& one : tree["stmts"]) {
      nlohmann::json& holder = one["stmt"];
      if (holder.empty()) continue;
      const std::string kind = holder.begin().key();
      made_.statements.push_back({origin + begin, origin + size, kind, std::move(holder[kind]), origin});
    }
  }

  const std::string& sql_;
  sql_tree made_;
};

}  // namespace

sql_tree parse_sql(const std::string& sql) {
  return tree_reader{sql}.read();
}

}  // namespace check
