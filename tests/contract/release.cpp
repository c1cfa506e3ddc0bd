#include "release.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "contract/diff.hpp"
#include "contract/sha256.hpp"

namespace test {

namespace {

/// The line, with a migration more than is released of it.
contract::line& add_migration(contract::lock& lock, const contract::lock& released, std::string_view name) {
  const auto is_before = [](const contract::line& line, std::string_view wanted) { return line.name < wanted; };
  auto place = std::lower_bound(lock.lines.begin(), lock.lines.end(), name, is_before);
  if (place == lock.lines.end() || place->name != name)
    place = lock.lines.insert(place, {std::string{name}, {}, {}, {}});
  place->released = contract::all_of(*place, released);
  const auto file = fmt::format("{:04}_change.sql", place->migrations.size() + 1);
  place->migrations.push_back({file, contract::sha256(fmt::format("{}/{}", name, file))});
  return *place;
}

}  // namespace

contract::lock draft(const declaration::project& project, const contract::lock& before) {
  auto changes = contract::compare(project, before);
  if (!changes.diagnostics.empty()) throw std::runtime_error{changes.diagnostics.front().message};
  auto lock = changes.released;
  lock.project = project.name;
  lock.schema = project.schema;
  if (changes.core.is_new || !changes.core.words.empty()) {
    add_migration(lock, changes.released, contract::core_line);
    lock.enumerations = changes.core.enumerations;
    lock.schedules = changes.core.schedules;
  }
  for (auto& change : changes.lines) {
    add_migration(lock, changes.released, change.line).state = std::move(change.after);
  }
  return lock;
}

contract::lock release(const declaration::project& project, const contract::lock& before) {
  return contract::with_drafts_released(draft(project, before));
}

}  // namespace test
