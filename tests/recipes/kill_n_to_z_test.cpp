// The runner dies at every point of every step of the recipes from n to z.

#include "recipes/kill_matrix.hpp"
#include "support/catch.hpp"

TEST_CASE(
    "whoever dies at any point of any step of a recipe from n to z, the next runner goes on and nothing is lost") {
  std::size_t steps = 0;
  std::size_t deaths = 0;
  for (const auto& recipe : test::recipes()) {
    if (recipe.name < "n") continue;
    INFO(recipe.name);
    const auto report = test::kill_everywhere(recipe);
    CHECK(report.problems == std::vector<std::string>{});
    steps += report.steps;
    deaths += report.deaths;
  }
  CHECK(steps > 150);
  CHECK(deaths > 500);
}
