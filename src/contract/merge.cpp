#include "contract/merge.hpp"

#include <algorithm>

namespace contract {

std::optional<divergence> released_apart(const lock& own, const lock& base) {
  for (const auto& ours : without_drafts(own).lines) {
    const auto* theirs = find_line(base, ours.name);
    if (theirs == nullptr) continue;
    const auto [a, b] = std::mismatch(ours.migrations.begin(), ours.migrations.end(), theirs->migrations.begin(),
                                      theirs->migrations.end());
    if (a != ours.migrations.end() && b != theirs->migrations.end()) return divergence{ours.name, a->file, b->file};
  }
  return std::nullopt;
}

lock released_where_in(const lock& base, const lock& own) {
  auto result = own;
  for (auto& line : result.lines) {
    if (!line.released) continue;
    const auto* theirs = find_line(base, line.name);
    if (theirs == nullptr || theirs->migrations.size() <= line.released->migrations) continue;
    const auto has_all = [](const contract::line& one, const contract::line& of) {
      return one.migrations.size() >= of.migrations.size() &&
             std::equal(of.migrations.begin(), of.migrations.end(), one.migrations.begin());
    };
    if (has_all(*theirs, line)) {
      line.released.reset();
    } else if (has_all(line, *theirs)) {
      line.released = all_of(*theirs, base);
    }
  }
  return result;
}

}  // namespace contract
