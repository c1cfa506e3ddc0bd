// Every recipe on a real server: what its migrations make of what was released is what a fresh database has, and can be
// taken back and applied again.

#include <string>

#include "migrate/drift.hpp"
#include "recipes/scene.hpp"
#include "support/catch.hpp"

namespace {

/// Roles keep the rights on shared objects that another queue may have given them.
bool is_shared_right(const migrate::difference& one) {
  const bool is_shared = one.object.find("quern_") != std::string::npos || one.object.starts_with("schema ") ||
                         one.object.find(" queue_") != std::string::npos ||
                         one.object.find(" stream_") != std::string::npos;
  return is_shared && one.property.starts_with("grant");
}

std::string differences(const migrate::catalog& expected, const migrate::catalog& found) {
  std::string words;
  for (const auto& one : migrate::compare(expected, found)) {
    if (one.kind != migrate::difference_kind::order && !is_shared_right(one)) words += one.words + "\n";
  }
  return words;
}

}  // namespace

TEST_CASE("an upgrade gives what a fresh database has, can be taken back, and applied again") {
  for (const auto& recipe : test::recipes()) {
    INFO(recipe.name);
    const test::recipe_scene here{recipe};
    const auto wanted = here.fresh_catalog();
    const auto before = here.released_catalog();
    here.forget_everything();
    here.migrate_to_released();
    here.migrate_to_all();
    CHECK(differences(wanted, here.catalog()) == std::string{});
    if (here.is_final()) continue;
    here.roll_back();
    CHECK(differences(before, here.catalog()) == std::string{});
    here.migrate_to_all();
    CHECK(differences(wanted, here.catalog()) == std::string{});
  }
}
