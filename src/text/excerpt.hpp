#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace text {

/// A source line as it is shown, and the caret line below it.
struct excerpt {
  std::string line;
  std::string marks;
};

/// Shows a line with the columns (bytes, from 1) from `begin` up to, not including, `end` marked as `^~~~`. Tabs become
/// spaces, control characters and bytes that are not UTF-8 become U+FFFD, and a long line is cut around its mark.
excerpt excerpt_of(std::string_view line, std::size_t begin, std::size_t end);

/// A text of the user inside a message: on one line, without control characters, and cut behind `most` bytes.
std::string clipped(std::string_view content, std::size_t most = 80);

}  // namespace text
