#include "contract/priorities.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace contract {

int priorities_of(const std::vector<payload_contract>& contracts) {
  int result = 0;
  for (const auto* one : live(contracts)) result = std::max(result, one->priorities);
  return result;
}

std::string priority_column(const std::vector<payload_contract>& contracts) {
  for (auto one = contracts.rbegin(); one != contracts.rend(); ++one) {
    if (!one->priority_column.empty()) return one->priority_column;
  }
  return {};
}

std::string change_of_priorities(int before, int now) {
  if (before == now) return {};
  if (before == 0) return fmt::format("adds {} priorities", now);
  if (now == 0) return "takes the priorities away";
  return fmt::format("changes the number of priorities from {} to {}", before, now);
}

}  // namespace contract
