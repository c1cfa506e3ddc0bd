// Every recipe on a real server: what its migrations make of what was released is what a fresh database has, and can be
// taken back and applied again.

#include <string>

#include "recipes/scene.hpp"
#include "support/catch.hpp"

TEST_CASE("an upgrade gives what a fresh database has, can be taken back, and applied again") {
  for (const auto& recipe : test::recipes()) {
    INFO(recipe.name);
    const test::recipe_scene here{recipe};
    const auto wanted = here.fresh_catalog();
    const auto before = here.released_catalog();
    here.forget_everything();
    here.migrate_to_released();
    const auto released = here.catalog();
    here.migrate_to_all();
    CHECK(test::differences(wanted, here.catalog()) == std::string{});
    if (here.is_final()) continue;
    here.roll_back();
    CHECK(test::differences(before, here.catalog()) == std::string{});
    if (here.can_roll_core_back()) {
      here.roll_core_back();
      CHECK(test::differences(released, here.catalog()) == std::string{});
    }
    here.migrate_to_all();
    CHECK(test::differences(wanted, here.catalog()) == std::string{});
  }
}
