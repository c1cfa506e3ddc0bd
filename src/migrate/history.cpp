#include "migrate/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace migrate {
namespace {

using key = std::pair<std::string, int>;

// What the ledger says about one migration.
struct entry {
  const applied_step* first = nullptr;
  std::size_t steps = 0;
};

std::map<key, entry> by_migration(const std::vector<applied_step>& applied) {
  std::map<key, entry> entries;
  for (const applied_step& row : applied) {
    entry& one = entries[{row.line, row.number}];
    if (one.first == nullptr || row.step < one.first->step) one.first = &row;
    ++one.steps;
  }
  return entries;
}

std::string title(const applied_step& row) {
  return fmt::format("{}/{:04}_{}", row.line, row.number, row.name);
}

void compare_one(const migration& file, const entry& known, comparison& into) {
  const applied_step& row = *known.first;
  if (row.name != file.name)
    into.mismatches.push_back(fmt::format("{} was applied as {}: it was renamed", file_name(file), title(row)));
  else if (row.checksum != file.checksum)
    into.mismatches.push_back(
        fmt::format("{} was edited after it was applied at {}: the file's checksum is {}, the database's is {}",
                    file_name(file), row.applied_at, file.checksum, row.checksum));
  else if (known.steps < file.steps.size())
    into.pending.push_back({&file, known.steps});
}

// The last applied number of each line.
std::map<std::string, int> last_numbers(const std::map<key, entry>& entries) {
  std::map<std::string, int> last;
  for (const auto& [where, known] : entries) last[where.first] = std::max(last[where.first], where.second);
  return last;
}

std::map<std::string, int> last_numbers(const directory& files) {
  std::map<std::string, int> last;
  for (const migration& file : files.migrations) last[file.line] = std::max(last[file.line], file.number);
  return last;
}

// Unfinished migrations in front of an applied one would be applied out of order.
void find_overtaken(const std::map<key, entry>& entries, comparison& into) {
  const std::map<std::string, int> last = last_numbers(entries);
  for (const pending_migration& one : into.pending) {
    const auto found = last.find(one.what->line);
    if (found == last.end() || found->second <= one.what->number) continue;
    into.mismatches.push_back(fmt::format("{} is not applied, but the later {}/{:04} is: their order was changed",
                                          file_name(*one.what), one.what->line, found->second));
  }
}

void find_missing(const directory& files, const std::map<key, entry>& entries, comparison& into) {
  std::set<key> present;
  for (const migration& file : files.migrations) present.emplace(file.line, file.number);
  std::map<std::string, int> last = last_numbers(files);
  for (const auto& [where, known] : entries) {
    if (present.contains(where)) continue;
    if (where.second > last[where.first])
      into.unknown.push_back(title(*known.first));
    else
      into.mismatches.push_back(fmt::format("{} was applied at {} (checksum {}), but its file is missing",
                                            title(*known.first), known.first->applied_at, known.first->checksum));
  }
}

}  // namespace

comparison compare(const directory& files, const std::vector<applied_step>& applied) {
  comparison made;
  const std::map<key, entry> entries = by_migration(applied);
  for (const migration& file : files.migrations) {
    const auto known = entries.find({file.line, file.number});
    if (known == entries.end())
      made.pending.push_back({&file, 0});
    else
      compare_one(file, known->second, made);
  }
  find_overtaken(entries, made);
  find_missing(files, entries, made);
  return made;
}

}  // namespace migrate
