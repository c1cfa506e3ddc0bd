#include "migrate/undo.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "migrate/error.hpp"
#include "migrate/ledger.hpp"

namespace migrate {

void check_reversible(const std::vector<applied_migration>& all) {
  std::vector<std::string> lines;
  for (const applied_migration& one : all)
    for (const applied_step& row : one.steps)
      if (!row.is_reversible) lines.push_back(title(row));
  if (lines.empty()) return;
  throw error{reason::wrong_input,
              fmt::format("cannot be taken back, because the ledger has no reverse of {}; nothing was changed\n  {}",
                          lines.size() == 1 ? "this step" : "these steps", fmt::join(lines, "\n  "))};
}

std::vector<applied_migration> applied_after_core(const std::vector<applied_migration>& applied, int number) {
  const auto is_it = [&](const applied_migration& one) {
    return one.first().line == "core" && one.first().number == number;
  };
  const auto core = std::ranges::find_if(applied, is_it);
  std::vector<applied_migration> later;
  if (core == applied.end()) return later;
  // A baseline records all at the same moment.
  for (const applied_migration& one : applied)
    if (one.first().line != "core" && one.first().applied_at >= core->first().applied_at &&
        (later.empty() || later.back().first().line != one.first().line))
      later.push_back(one);
  return later;
}

std::vector<undo_step> undo_steps(quern::connection& db, std::string_view schema, const applied_migration& one) {
  const std::map<int, std::string> reverses = read_reverses(db, schema, one.first());
  std::vector<undo_step> made;
  made.reserve(one.steps.size());
  for (auto row = one.steps.rbegin(); row != one.steps.rend(); ++row)
    made.push_back({*row, undo_job(schema, *row, reverses.at(row->step))});
  return made;
}

}  // namespace migrate
