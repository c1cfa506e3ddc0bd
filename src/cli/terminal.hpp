#pragma once

#include <string>
#include <string_view>

namespace cli {

/// A stream of the terminal, as far as its looks are concerned.
enum class stream { output, error };

/// Whether someone reads along: the stream is a terminal.
bool is_terminal(stream of);

/// Whether colours are welcome: a terminal that understands them, and no NO_COLOR in the environment.
bool has_colour(stream of);

// The text in a colour where `of` has colours, else as it is.
std::string red(std::string_view text, stream of);
std::string green(std::string_view text, stream of);
std::string yellow(std::string_view text, stream of);
std::string dim(std::string_view text, stream of);
std::string bold(std::string_view text, stream of);

/// A line on standard output. Throws failure when that cannot be written.
void say(std::string_view line);

/// A line on standard error: `quern: …`, what is going on.
void tell(std::string_view line);

/// What is going on, for as long as it goes on: on a terminal a line of standard error that the next one, or the next
/// line of another kind, takes the place of; elsewhere a line every 10 seconds.
void tell_for_now(std::string_view line);

/// A line on standard error: `quern: error: …`.
void complain(std::string_view line);

}  // namespace cli
