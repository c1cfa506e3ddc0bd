#include "quern/connection_string.hpp"

#include <libpq-fe.h>

#include <memory>
#include <quern/error.hpp>
#include <utility>

namespace quern {
namespace {

using option_list = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

std::string quoted(std::string_view value) {
  std::string text = "'";
  for (const char each : value) {
    if (each == '\'' || each == '\\') text += '\\';
    text += each;
  }
  return text += '\'';
}

void append(std::string& to, std::string_view keyword, std::string_view value) {
  if (!to.empty()) to += ' ';
  to.append(keyword).append("=").append(quoted(value));
}

std::string spell(const PQconninfoOption* option, std::string_view without) {
  std::string text;
  for (; option->keyword != nullptr; ++option)
    if (option->val != nullptr && *option->val != '\0' && option->keyword != without)
      append(text, option->keyword, option->val);
  return text;
}

option_list parsed(const std::string& connection_string) {
  char* problem = nullptr;
  option_list options{PQconninfoParse(connection_string.c_str(), &problem), &PQconninfoFree};
  if (options) return options;
  const std::unique_ptr<char, decltype(&PQfreemem)> words{problem, &PQfreemem};
  failure details;
  details.message = words ? words.get() : "out of memory";
  while (!details.message.empty() && details.message.back() == '\n') details.message.pop_back();
  throw connection_error{std::move(details)};
}

// As libpq tells it from the name of a database.
bool is_connection_string(std::string_view text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://") ||
         text.find('=') != std::string_view::npos;
}

}  // namespace

std::string with_database(std::string_view connection_string, std::string_view name) {
  std::string text;
  if (is_connection_string(connection_string)) text = spell(parsed(std::string{connection_string}).get(), "dbname");
  append(text, "dbname", name);
  return text;
}

std::string connection_string_of(const connection& opened) {
  const option_list options{PQconninfo(opened.native()), &PQconninfoFree};
  if (!options) throw std::bad_alloc{};
  return spell(options.get(), "fallback_application_name");
}

}  // namespace quern
