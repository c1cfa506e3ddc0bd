#pragma once

#include <string>
#include <string_view>

namespace text {

/// The text with its control characters, but for line ends and tabs, written as `\x1b` and, beyond ASCII, as JSON does:
/// `\u009b`. What somebody else has written cannot act on a terminal then.
std::string visible(std::string_view content);

}  // namespace text
