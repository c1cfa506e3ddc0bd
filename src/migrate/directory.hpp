#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "migrate/migration.hpp"
#include "migrate/parse.hpp"

namespace migrate {

/// The migrations in the order in which they are applied: the line `core`, then the others by name, each by number.
struct directory {
  std::filesystem::path root;
  std::vector<migration> migrations;
  bool operator==(const directory&) const = default;
};

struct read_directory_result {
  directory value;
  std::vector<problem> problems;  // by file and line; when there are any, `value` is not to be used
};

/// Reads migrations/<line>/NNNN_<name>.sql and their hooks, migrations/<line>/hooks/NNNN_before.sql and NNNN_after.sql,
/// whose steps become the first and the last of the migration of that number. Everything that does not fit the format
/// is a problem, as is any file that has no business there; quern.lock, adopted.json and hidden files at the top are
/// passed over.
read_directory_result read_directory(const std::filesystem::path& root);

/// By the names that file_name() gives.
using checksums = std::map<std::string, std::string>;

/// What differs between the files and what quern.lock says of them: edited, missing, unknown. Each with its words.
std::vector<problem> compare_with_lock(const directory& files, const checksums& locked);

/// Where a number is missing or taken twice inside of a line.
std::vector<problem> check_numbers(const directory& files);

}  // namespace migrate
