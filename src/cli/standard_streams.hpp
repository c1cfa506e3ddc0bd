#pragma once

#include <string_view>

namespace cli {

/// Writes on standard output, at once: another program may be reading along. Throws failure when that cannot be done;
/// where the reader has gone, SIGPIPE ends the program.
void write_output(std::string_view text);

/// Writes on standard error. What cannot be written is lost: neither a full disk nor a reader that has gone ends what
/// is being done.
void write_error(std::string_view text) noexcept;

}  // namespace cli
