#include "cli/payloads.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <quern/error.hpp>

#include "cli/command.hpp"
#include "cli/operated.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

constexpr std::size_t at_once = 500;

/// Lines, and where the first of them stands.
struct batch {
  std::vector<std::string> payloads{};
  std::vector<std::int64_t> lines{};
};

// One after the other, after all of them together were refused: up to the one that is to blame.
[[noreturn]] void send_up_to_refused(const batch& refused, std::int64_t sent, const quern::error& why,
                                     const send_payloads& send) {
  for (std::size_t i = 0; i < refused.payloads.size(); ++i) {
    try {
      send({refused.payloads[i]});
      ++sent;
    } catch (const quern::error& one) {
      throw failure{code_of(one), fmt::format("line {}: {}\n{} before it {} sent", refused.lines[i], one.what(), sent,
                                              sent == 1 ? "was" : "were")};
    }
  }
  throw failure{code_of(why), why.what()};
}

void send_batch(batch& of, std::int64_t& sent, const send_payloads& send) {
  if (of.payloads.empty()) return;
  try {
    send(of.payloads);
  } catch (const quern::error& refused) {
    if (refused.connection_lost())
      throw failure{code_of(refused),
                    fmt::format("{}\n{} were sent before line {}; of the {} that follow nothing is known",
                                refused.what(), sent, of.lines.front(), of.payloads.size())};
    send_up_to_refused(of, sent, refused, send);
  }
  sent += static_cast<std::int64_t>(of.payloads.size());
  of = {};
  tell_for_now(fmt::format("{} sent", sent));
}

// The stream itself takes a failure to read for the end; a line that it cuts short is none.
bool read_line(std::string& line) {
  return std::getline(std::cin, line) && std::ferror(stdin) == 0;
}

std::int64_t send_lines(const send_payloads& send) {
  std::int64_t sent = 0;
  std::int64_t number = 0;
  batch next;
  for (std::string line; read_line(line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    next.payloads.push_back(std::move(line));
    next.lines.push_back(number);
    if (next.payloads.size() == at_once) send_batch(next, sent, send);
  }
  const int problem = std::ferror(stdin) != 0 ? errno : 0;
  send_batch(next, sent, send);
  if (problem != 0)
    throw failure{exit_code::input_wrong, fmt::format("standard input cannot be read: {}\n{} before that {} sent",
                                                      std::strerror(problem), sent, sent == 1 ? "was" : "were")};
  return sent;
}

}  // namespace

std::int64_t send_all(const std::string& given, const send_payloads& send) {
  if (given == "-") return send_lines(send);
  send({given});
  return 1;
}

}  // namespace cli
