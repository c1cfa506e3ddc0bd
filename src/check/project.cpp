#include "check/project.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "check/codes.hpp"
#include "declaration/read.hpp"
#include "render/file_system.hpp"
#include "text/file.hpp"

namespace check {
namespace {

constexpr std::string_view lock_name = "quern.lock";

std::string without_carriage_returns(std::string text) {
  std::erase(text, '\r');
  return text;
}

/// The first line in which two texts differ.
text::span first_difference(const std::string& written, const std::string& wanted) {
  const auto [at, other] = std::ranges::mismatch(written, wanted);
  const text::line_index lines{written};
  const text::position place = lines.position_of(static_cast<std::size_t>(at - written.begin()));
  return {{place.line, 1}, {place.line, lines.line(place.line).size() + 1}};
}

}  // namespace

text::diagnostic problem(std::string_view code, std::string message, std::string help, const text::span& where) {
  const check::code* const known = find_code(code);
  return {known == nullptr ? text::severity::error : known->level,
          std::string{code},
          std::move(message),
          where,
          std::move(help),
          {}};
}

void read_declaration(project& of, report& found) {
  text::file_result read = text::read_source(of.where.declaration);
  if (!read.content) return found.add(name::declaration, read.name, *read.problem);
  declaration::read_result result = declaration::read(*read.content);
  for (text::diagnostic& one : result.problems) found.add(name::declaration, read.name, std::move(one));
  found.sources.emplace(read.name, *read.content);
  of.declaration_source = std::move(read.content);
  of.declared = std::move(result.declared);
}

void read_lock(project& of, report& found) {
  const std::string file = (of.where.migrations / lock_name).string();
  auto content = render::file_system::read(file);
  if (!content) {
    // Before the first generation there is none.
    of.lock = contract::lock{};
    return;
  }
  of.lock_source = text::source{file, *std::move(content)};
  found.sources.emplace(file, *of.lock_source);
  contract::read_lock_result read = contract::read_lock(*of.lock_source);
  for (text::diagnostic& one : read.diagnostics) found.add(name::lock, file, std::move(one));
  if (!read.diagnostics.empty()) return;
  of.lock = std::move(read.value);
  const std::string written = without_carriage_returns(of.lock_source->content);
  const std::string wanted = contract::write_lock(*of.lock);
  if (written != wanted)
    found.add(name::lock, file,
              problem("lock_not_canonical", "the lock is not written as quern writes it",
                      "run `quern generate`, or take the file from version control again",
                      first_difference(written, wanted)));
}

const std::vector<contract::payload_contract>& contracts_of(const contract::line& line) {
  return line.state.contracts;
}

text::span place_in_lock(const text::source& lock, std::string_view line, std::string_view file) {
  const std::string_view content = lock.content;
  std::size_t at = content.find(fmt::format("\n    \"{}\": {{", line));
  if (at == std::string_view::npos) return {};
  at += 5;
  std::size_t size = line.size() + 2;
  if (!file.empty()) {
    const std::string named = fmt::format("\"file\": \"{}\"", file);
    const std::size_t place = content.find(named, at);
    if (place != std::string_view::npos) at = place, size = named.size();
  }
  return text::line_index{content}.span_of(at, at + size);
}

}  // namespace check
