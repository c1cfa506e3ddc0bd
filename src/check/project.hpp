#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check/finding.hpp"
#include "contract/lock.hpp"
#include "declaration/model.hpp"
#include "migrate/migration.hpp"
#include "text/source.hpp"

namespace check {

/// Where a project lies.
struct places {
  std::filesystem::path declaration;
  std::filesystem::path migrations;
  std::filesystem::path generated;
  std::optional<std::filesystem::path> templates{};
};

/// A file below migrations/<line>/.
struct line_file {
  std::string name{};  // email/0001_create.sql, email/hooks/0001_after.sql
  std::string line{};
  int number = 0;
  std::filesystem::path path{};  // as it is opened
};

/// A migration as it was read.
struct read_migration {
  line_file file{};
  std::string checksum{};
  std::vector<text::diagnostic> problems{};
};

/// What the checks share; each part is there when it could be read.
struct project {
  places where{};
  std::optional<text::source> declaration_source{};
  std::optional<declaration::project> declared{};
  std::optional<text::source> lock_source{};
  std::optional<contract::lock> lock{};
  std::vector<read_migration> migrations{};  // by name
  std::vector<line_file> hooks{};            // by name
};

/// The names of the checks, in the order in which they are made.
namespace name {
inline constexpr std::string_view declaration = "declaration";
inline constexpr std::string_view lock = "lock";
inline constexpr std::string_view migrations = "migrations";
inline constexpr std::string_view hooks = "hooks";
inline constexpr std::string_view history = "history";
inline constexpr std::string_view contracts = "contracts";
inline constexpr std::string_view generated = "generated";
}  // namespace name

/// Reads the declaration; what is wrong with it is reported.
void read_declaration(project& of, report& found);

/// Reads quern.lock, and reports when it is not what quern writes. Without one there is an empty lock.
void read_lock(project& of, report& found);

/// Lists and reads everything below migrations/; reports what has no business there, what does not have the form of a
/// migration, and what is not what the lock says. The SQL of migrations that the trusted lock knows is not parsed
/// again: their checksum says that it is what was generated.
void read_migrations(project& of, const contract::lock& trusted, report& found);

/// What a lock's line has: its contracts by version, the retired ones too.
const std::vector<contract::payload_contract>& contracts_of(const contract::line& line);

/// Where the lock's text names a migration of a line, or the line itself.
text::span place_in_lock(const text::source& lock, std::string_view line, std::string_view file = {});

/// An error; the place may be left away for a file as a whole.
text::diagnostic problem(std::string_view code, std::string message, std::string help, const text::span& where = {});

}  // namespace check
