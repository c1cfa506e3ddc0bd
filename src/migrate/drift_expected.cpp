#include "migrate/drift_expected.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <quern/connection.hpp>
#include <quern/error.hpp>

#include "migrate/error.hpp"

namespace migrate {
namespace {

void check_history(const comparison& compared) {
  if (!compared.stale_drafts.empty()) {
    std::vector<std::string> words;
    for (const stale_draft& one : compared.stale_drafts) words.push_back(one.words);
    throw error{reason::history_mismatch,
                fmt::format("the database has drafts that are other files now: what should be in it is not known\n  {}",
                            fmt::join(words, "\n  "))};
  }
  if (!compared.mismatches.empty())
    throw error{
        reason::history_mismatch,
        fmt::format("the database was migrated by other files than these: what should be in it is not known\n  {}",
                    fmt::join(compared.mismatches, "\n  "))};
  if (!compared.unknown.empty())
    throw error{reason::database_ahead,
                fmt::format("the database is ahead of this directory: what should be in it is not known\n  it has {}",
                            fmt::join(compared.unknown, "\n  it has "))};
}

std::size_t applied_steps(const migration& one, const comparison& compared) {
  const auto pending = std::ranges::find(compared.pending, &one, &pending_migration::what);
  return pending == compared.pending.end() ? one.steps.size() : pending->first_step;
}

}  // namespace

directory applied_part(const directory& files, const survey& found) {
  check_history(found.compared);
  directory made{.root = files.root, .migrations = {}};
  for (const migration& one : files.migrations) {
    const std::size_t count = applied_steps(one, found.compared);
    if (count == 0) continue;
    made.migrations.push_back(one);
    made.migrations.back().steps.resize(count);
  }
  return made;
}

catalog catalog_after(const directory& files, const request& how) {
  apply(files, how);
  return catalog_of(how.database, how.schema);
}

catalog catalog_of(const std::string& database, const std::string& schema) try {
  quern::connection db{database, {.application_name = "quern drift"}};
  return read_catalog(db, schema);

} catch (const quern::error& failed) {
  if (failed.connection_lost())
    throw error{reason::unreachable, fmt::format("the database cannot be reached: {}", failed.what())};
  throw error{reason::failed, fmt::format("the catalog cannot be read: {}", failed.what())};
}

}  // namespace migrate
