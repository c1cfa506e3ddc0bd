// A case is a directory. With `quern.lock` alone: what is said of the lock. With `before.toml` and `after.toml`: what
// is said of the second declaration when the first one is released, or what it changes; `between.toml` is released too.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "contract/diff.hpp"
#include "contract/lock.hpp"
#include "contract/release.hpp"
#include "declaration/read.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/places.hpp"
#include "text/diagnostic.hpp"

namespace {

namespace fs = std::filesystem;

declaration::project declared_in(const fs::path& file) {
  const text::source source{file.filename().string(), test::content_of(file)};
  auto read = declaration::read(source);
  INFO(text::spell(read.problems, source));
  REQUIRE(read.declared);
  return *std::move(read.declared);
}

std::string said_of_lock(const fs::path& directory) {
  const text::source source{"quern.lock", test::content_of(directory / "quern.lock")};
  return text::spell(contract::read_lock(source).diagnostics, source);
}

std::string words_of(const contract::field& field) {
  auto words = fmt::format("{} {}", field.name, field.type);
  if (field.column != field.name) words += fmt::format(" in column {}", field.column);
  if (!field.renamed_from.empty()) words += fmt::format(", renamed from {}", field.renamed_from);
  if (field.is_new) words += ", unrelated to the one before";
  return words;
}

std::string words_of(const contract::payload_contract& contract) {
  auto words = fmt::format("  v{}\n", contract.version);
  if (contract.breaks)
    words += fmt::format("    breaks until {}: {}\n", contract.breaks->until, contract.breaks->reason);
  if (contract.has_headers) words += "    headers\n";
  if (contract.priorities > 0)
    words += fmt::format("    {} priorities in column {}\n", contract.priorities, contract.priority_column);
  if (const auto& rule = contract.unique) {
    words += fmt::format("    unique by {} {}\n", fmt::join(rule->fields, ", "),
                         rule->is_timed ? "for a time" : "while pending");
  }
  for (const auto& field : contract.fields) words += fmt::format("    {}\n", words_of(field));
  for (const auto& [name, value] : contract.removed) words += fmt::format("    without {}: \"{}\"\n", name, value);
  return words;
}

std::string words_of(const contract::changes& changes) {
  std::string words;
  const auto add = [&](const std::string& line, const std::vector<std::string>& all) {
    words += line + "\n";
    for (const auto& one : all) words += fmt::format("  {}\n", one);
  };
  if (!changes.core.words.empty()) add("core", changes.core.words);
  for (const auto& change : changes.lines) {
    add(change.line, change.words);
    if (change.discards_messages) words += "  with its messages\n";
    for (auto i = change.before.contracts.size(); i < change.after.contracts.size(); ++i) {
      words += words_of(change.after.contracts[i]);
    }
  }
  return words;
}

std::string said_of_change(const fs::path& directory) {
  const text::source source{"after.toml", test::content_of(directory / "after.toml")};
  auto lock = test::release(declared_in(directory / "before.toml"));
  if (fs::exists(directory / "between.toml")) lock = test::release(declared_in(directory / "between.toml"), lock);
  const auto declared = declared_in(directory / "after.toml");
  const auto changes = contract::compare(declared, lock);
  return changes.diagnostics.empty() ? words_of(changes) : text::spell(changes.diagnostics, source);
}

}  // namespace

TEST_CASE("every case of a lock or a change is told in its exact words") {
  std::vector<fs::path> directories;
  for (const auto& each : fs::directory_iterator{test::cases("contract")}) directories.push_back(each.path());
  std::sort(directories.begin(), directories.end());
  REQUIRE(directories.size() > 25);
  for (const auto& directory : directories) {
    INFO(directory.filename().string());
    const auto said = fs::exists(directory / "quern.lock") ? said_of_lock(directory) : said_of_change(directory);
    CHECK(said == test::expected(directory / "expected.txt", said));
  }
}
