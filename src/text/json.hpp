#pragma once

#include <string>
#include <string_view>

namespace text {

/// A well-formed JSON text without the blanks and line ends outside of its strings. Nothing of it is read, so that
/// numbers stay as they are written.
std::string compact_json(std::string_view json);

}  // namespace text
