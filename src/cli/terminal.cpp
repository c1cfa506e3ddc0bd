#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "cli/standard_streams.hpp"

namespace cli {
namespace {

std::string painted(std::string_view text, int code, stream of) {
  if (!has_colour(of)) return std::string{text};
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

bool is_passing_line_shown = false;

void take_passing_line_away() {
  if (is_passing_line_shown) write_error("\r\x1b[K");
  is_passing_line_shown = false;
}

bool is_dumb() {
  const char* const kind = std::getenv("TERM");
  return kind == nullptr || std::string_view{kind} == "dumb";
}

}  // namespace

bool is_terminal(stream of) {
  return isatty(of == stream::output ? STDOUT_FILENO : STDERR_FILENO) == 1;
}

bool has_colour(stream of) {
  const char* const refused = std::getenv("NO_COLOR");
  if (refused != nullptr && *refused != '\0') return false;
  return is_terminal(of) && !is_dumb();
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
  take_passing_line_away();
  write_output(fmt::format("{}\n", line));
}

void tell(std::string_view line) {
  take_passing_line_away();
  write_error(fmt::format("quern: {}\n", line));
}

void tell_for_now(std::string_view line) {
  using clock = std::chrono::steady_clock;
  static clock::time_point next = clock::now() + std::chrono::seconds{10};
  if (is_terminal(stream::error) && !is_dumb()) {
    take_passing_line_away();
    write_error(fmt::format("quern: {}", line));
    is_passing_line_shown = true;
  } else if (clock::now() >= next) {
    tell(line);
    next = clock::now() + std::chrono::seconds{10};
  }
}

void complain(std::string_view line) {
  take_passing_line_away();
  write_error(fmt::format("quern: {} {}\n", red("error:", stream::error), line));
}

}  // namespace cli
