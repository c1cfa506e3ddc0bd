#include "migrate/step_script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "migrate/ledger.hpp"
#include "migrate/statements.hpp"

namespace migrate {
namespace {

// Each is one statement; the server counts them before it comes to the step's own. All of it is ASCII, so that the
// server's count of characters is a count of bytes here.
std::array<std::string, 4> opening(const step& one) {
  return {"begin isolation level read committed;\n",
          fmt::format("set local lock_timeout = {};\n", one.lock_timeout.count()),
          fmt::format("set local statement_timeout = {};\n", one.statement_timeout.count()),
          "set local search_path = '';\n"};
}

std::string opening_text(const step& one) {
  std::string text;
  for (const std::string& statement : opening(one)) text += statement;
  return text;
}

// The byte at which character `count` (from 0) of a UTF-8 text begins.
std::size_t byte_of_character(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) continue;
    if (count-- == 0) break;
  }
  return at;
}

// From the position that the server gives; without one, from the statement at which it stopped.
std::optional<std::size_t> place_in_step(const step& one, const script_failure& failed) {
  if (failed.details.position > 0) {
    const std::size_t before = opening_text(one).size();
    const auto character = static_cast<std::size_t>(failed.details.position - 1);
    if (character < before) return std::nullopt;
    const std::size_t byte = byte_of_character(one.sql, character - before);
    return byte < one.sql.size() ? std::optional{byte} : std::nullopt;
  }
  const std::vector<std::size_t> starts = split_statements(one.sql).starts;
  const std::size_t own = opening(one).size();
  if (failed.completed < own || failed.completed - own >= starts.size()) return std::nullopt;
  return starts[failed.completed - own];
}

std::string location(const migration& file, const step& one, const script_failure& failed) {
  const auto place = place_in_step(one, failed);
  if (!place) return fmt::format("{}: ", file_of(file, one).string());
  const auto lines = std::count(one.sql.begin(), one.sql.begin() + static_cast<std::ptrdiff_t>(*place), '\n');
  return fmt::format("{}:{}: ", file_of(file, one).string(), one.first_line + lines);
}

}  // namespace

std::string step_script(std::string_view schema, const migration& one, std::size_t step) {
  // The SQL may end without a semicolon.
  return opening_text(one.steps[step]) + one.steps[step].sql + ";\n" + ledger_insert(schema, one, step) + "commit;\n";
}

std::string explain(const migration& one, std::size_t step, const script_failure& failed) {
  const quern::failure& details = failed.details;
  std::string words = location(one, one.steps[step], failed) + details.message;
  if (!details.sqlstate.empty()) words += fmt::format(" (SQLSTATE {})", details.sqlstate);
  if (!details.detail.empty()) words += fmt::format("\n  detail: {}", details.detail);
  if (!details.hint.empty()) words += fmt::format("\n  hint: {}", details.hint);
  if (!details.context.empty()) words += fmt::format("\n  context: {}", details.context);
  return words;
}

}  // namespace migrate
