#include "text/json.hpp"

namespace text {

std::string compact_json(std::string_view json) {
  std::string made;
  made.reserve(json.size());
  bool is_in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (!is_in_string && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) continue;
    made += c;
    if (c == '"') is_in_string = !is_in_string;
    // What follows a backslash ends no string.
    if (is_in_string && c == '\\' && i + 1 < json.size()) made += json[++i];
  }
  return made;
}

}  // namespace text
