#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace cli {
namespace {

std::string painted(std::string_view text, int code, stream of) {
  if (!has_colour(of)) return std::string{text};
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

}  // namespace

bool is_terminal(stream of) {
  return isatty(of == stream::output ? STDOUT_FILENO : STDERR_FILENO) == 1;
}

bool has_colour(stream of) {
  const char* const refused = std::getenv("NO_COLOR");
  if (refused != nullptr && *refused != '\0') return false;
  const char* const kind = std::getenv("TERM");
  return is_terminal(of) && kind != nullptr && std::string_view{kind} != "dumb";
}

std::string red(std::string_view text, stream of) {
  return painted(text, 31, of);
}

std::string green(std::string_view text, stream of) {
  return painted(text, 32, of);
}

std::string yellow(std::string_view text, stream of) {
  return painted(text, 33, of);
}

std::string dim(std::string_view text, stream of) {
  return painted(text, 2, of);
}

std::string bold(std::string_view text, stream of) {
  return painted(text, 1, of);
}

void say(std::string_view line) {
  fmt::print(stdout, "{}\n", line);
  // Another program may be reading along.
  std::fflush(stdout);
}

void tell(std::string_view line) {
  fmt::print(stderr, "quern: {}\n", line);
}

void complain(std::string_view line) {
  fmt::print(stderr, "quern: {} {}\n", red("error:", stream::error), line);
}

}  // namespace cli
