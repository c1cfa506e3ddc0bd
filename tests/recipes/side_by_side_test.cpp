// Every recipe on a real server: programs of all contracts work at the same time.

#include <algorithm>
#include <cstddef>
#include <vector>

#include "recipes/scene.hpp"
#include "support/catch.hpp"

namespace {

bool contract_breaks(const std::vector<contract::payload_contract>& all) {
  return std::any_of(all.begin(), all.end(), [](const auto& one) { return one.breaks.has_value(); });
}

}  // namespace

TEST_CASE("every contract goes on to enqueue and to read, beside those that came before and after it") {
  for (const auto& recipe : test::recipes()) {
    INFO(recipe.name);
    const test::recipe_scene here{recipe};
    here.migrate_to_released();
    const auto old = here.lasting();
    for (const auto& contract : old) here.enqueue(contract);
    here.migrate_to_all();
    const auto all = here.spoken(here.played().wanted.lock);
    for (const auto& contract : all) here.enqueue(contract);
    for (const auto& contract : all) {
      INFO("v" << contract.version);
      const auto is_it = [&](const auto& one) { return one.version == contract.version; };
      const auto own = 1 + static_cast<std::size_t>(std::count_if(old.begin(), old.end(), is_it));
      for (const auto count : here.readable(contract)) {
        // Of what others wrote everything that is no break: the examples are in the range of all.
        CHECK(count >= own);
        CHECK((contract_breaks(all) || count == old.size() + all.size()));
      }
    }
  }
}
