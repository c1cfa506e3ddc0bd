#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "migrate/directory.hpp"
#include "migrate/history.hpp"

namespace migrate {

/// Who applies the migrations instead of the runner.
enum class export_format { plain, flyway, dbmate, goose, sqitch };

/// `plain`, `flyway`, …; nothing for another word.
std::optional<export_format> parse_export_format(std::string_view word);

/// Texts by their names inside of a directory.
using file_texts = std::map<std::string, std::string>;

/// What is to be written, and how.
struct export_request {
  export_format format{};
  std::string schema{};         // holds the ledger
  std::int64_t first_number{};  // of the first new file; 0: the one behind the highest that is there
  draft_names drafts{};         // of the migrations: their files and their rows in the ledger say so
};

/// The files that do in another tool what the runner would do, with its rows in the ledger, so that status and drift
/// understand the database. `present` is what the directory holds already, of whatever origin.
///
/// Such tools refuse a file that comes before one that they have applied, and a migration that is new may come before
/// old ones in the runner's order: the first of a new queue is as new as the fifth of an old one. So the files that are
/// there are the memory: they keep their numbers, and what is new is numbered behind all of them, in the runner's order
/// (core first, then the lines by name, each by number), which is how the runner would apply it to a database that has
/// the others.
///
/// Throws error (wrong_input) when there is a file of a migration that the directory does not have, when `first_number`
/// is not behind what is there, and when a file holds what its tool cannot apply.
file_texts export_migrations(const directory& files, const export_request& how, const file_texts& present);

/// All of it as one script for psql.
std::string export_script(const directory& files, const std::string& schema, const draft_names& drafts = {});

}  // namespace migrate
