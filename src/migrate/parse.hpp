#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/migration.hpp"

namespace migrate {

/// What is wrong with a file: `line` from 1, 0 for the file as a whole.
struct problem {
  std::filesystem::path file;
  int line = 0;
  std::string words;
  bool operator==(const problem&) const = default;
};

/// `file:line: words`.
std::string spell(const problem& one);

/// Fills `into`, whose line, number, name and file are known, from the text of the file, and adds what is wrong with it
/// to `problems`.
void parse_migration(std::string_view text, migration& into, std::vector<problem>& problems);

/// What a hook holds.
struct parsed_hook {
  std::vector<std::string> roles{};
  std::vector<step> steps{};
};

/// Reads a hook: the same steps as a migration's, or plain SQL (and perhaps a `-- reverse`), which is one step of this
/// name: in a transaction, with a lock_timeout of 5s and a statement_timeout of 1min. What is wrong goes to `problems`.
parsed_hook parse_hook(std::string_view text, std::string_view name, const std::filesystem::path& file,
                       std::vector<problem>& problems);

/// `0`, `500ms`, `5s`, `1min`, `2h`; nothing for anything else, and for more than 24 days.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Every CRLF as LF: the same text for every checkout.
std::string with_line_feeds(std::string_view text);

/// SHA-256 as 64 lower-case hex digits.
std::string sha256(std::string_view text);

}  // namespace migrate
