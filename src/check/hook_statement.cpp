#include <algorithm>
#include <cctype>

#include "check/codes.hpp"
#include "check/hook_rules.hpp"

namespace check {
namespace {

bool is_part_of_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

/// Behind the name that begins there; quotes and the dots between its parts belong to it.
std::size_t end_of_name(std::string_view sql, std::size_t at) {
  const std::size_t begin = at;
  while (at < sql.size()) {
    if (sql[at] == '"') {
      at = std::min(sql.find('"', at + 1), sql.size() - 1) + 1;
    } else if (is_part_of_name(sql[at])) {
      ++at;
    } else {
      break;
    }
  }
  return std::max(at, begin + 1);
}

}  // namespace

void hook_statement::add(std::string_view code, std::string message, std::string help, std::optional<std::size_t> at) {
  std::size_t begin = statement.begin;
  std::size_t end = std::min(file.content.find('\n', begin), statement.end);
  if (at) {
    begin = statement.origin + *at;
    end = end_of_name(file.content, begin);
  }
  const check::code* const known = find_code(code);
  found.push_back({known == nullptr ? text::severity::error : known->level,
                   std::string{code},
                   std::move(message),
                   lines.span_of(begin, end),
                   std::move(help),
                   {}});
}

}  // namespace check
