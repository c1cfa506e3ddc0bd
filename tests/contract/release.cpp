#include "release.hpp"

#include <algorithm>

#include "contract/sha256.hpp"

namespace test {

namespace {

template <class Item>
void sort_by_name(std::vector<Item>& items) {
  std::sort(items.begin(), items.end(), [](const Item& left, const Item& right) { return left.name < right.name; });
}

std::vector<contract::migration> created(const std::string& line) {
  return {{"0001_create.sql", contract::sha256(line)}};
}

}  // namespace

contract::lock release(const declaration::project& project) {
  contract::lock lock{project.name, project.schema, {}, {}};
  lock.lines.push_back({std::string{contract::core_line}, {}, {}, created("core")});
  for (const auto& enumeration : project.enumerations) lock.enumerations.push_back(contract::locked(enumeration));
  for (const auto& queue : project.queues) {
    lock.lines.push_back(
        {queue.name, {contract::contract_of(queue, 1)}, contract::options_of(queue), created(queue.name)});
  }
  sort_by_name(lock.enumerations);
  sort_by_name(lock.lines);
  return lock;
}

}  // namespace test
