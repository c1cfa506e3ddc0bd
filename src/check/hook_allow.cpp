#include "check/hook_allow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace check {
namespace {

constexpr std::string_view opening = "-- quern:allow";

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

hook_allow read_allow(std::string_view line, std::size_t number) {
  const std::size_t begin = line.find(opening);
  const std::string_view words = without_blanks(line.substr(begin + opening.size()));
  const std::size_t end = std::min(words.find_first_of(" \t"), words.size());
  return {std::string{words.substr(0, end)},
          !without_blanks(words.substr(end)).empty(),
          false,
          {{number, begin + 1}, {number, line.size() + 1}}};
}

text::diagnostic problem(std::string code, std::string message, std::string help, const text::span& where) {
  return {text::severity::error, std::move(code), std::move(message), where, std::move(help), {}};
}

}  // namespace

hook_allows::hook_allows(const text::line_index& lines, const std::vector<line_range>& statements) : lines_{lines} {
  auto next = statements.begin();
  for (std::size_t number = 1; number <= lines.line_count(); ++number) {
    while (next != statements.end() && next->last < number) ++next;
    if (next != statements.end() && next->first <= number) continue;
    const std::string_view line = lines.line(number);
    if (without_blanks(line).starts_with(opening)) all_.push_back(read_allow(line, number));
  }
}

bool hook_allows::accept(const std::string& code, std::size_t first_line) {
  bool is_accepted = false;
  for (std::size_t number = first_line - 1; number > 0; --number) {
    if (!without_blanks(lines_.line(number)).starts_with("--")) break;
    for (hook_allow& one : all_) {
      if (one.where.begin.line != number || one.code != code) continue;
      one.is_used = true;
      is_accepted = is_accepted || one.has_reason;
    }
  }
  return is_accepted;
}

std::vector<text::diagnostic> hook_allows::problems() const {
  std::vector<text::diagnostic> found;
  for (const hook_allow& one : all_) {
    if (!one.has_reason)
      found.push_back(problem("hook_allow_without_reason", "a finding is accepted without a reason",
                              fmt::format("{} {} why it is safe here", opening, one.code.empty() ? "CODE" : one.code),
                              one.where));
    else if (!one.is_used)
      found.push_back(problem("hook_allow_unused", fmt::format("the statement below has no finding {}", one.code),
                              "remove the comment, or move it to the line before its statement", one.where));
  }
  return found;
}

}  // namespace check
