#include "text/visible.hpp"

#include <fmt/format.h>

#include "text/utf8.hpp"

namespace text {

std::string visible(std::string_view content) {
  std::string made;
  made.reserve(content.size());
  for (std::size_t at = 0; at < content.size();) {
    const auto [code_point, size] = character_at(content, at);
    if (code_point < 0x20 && code_point != '\n' && code_point != '\t')
      made += fmt::format("\\x{:02x}", static_cast<unsigned>(code_point));
    else if (code_point >= 0x7F && code_point < 0xA0)
      made += fmt::format("\\u{:04x}", static_cast<unsigned>(code_point));
    else
      made += content.substr(at, size);
    at += size;
  }
  return made;
}

}  // namespace text
