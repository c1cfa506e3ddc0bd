// Who takes a migration back dies at every point of every step of every recipe.

#include "recipes/kill_matrix.hpp"
#include "support/catch.hpp"

TEST_CASE("whoever dies at any point of taking a migration back, the next one goes on and nothing is lost") {
  std::size_t steps = 0;
  std::size_t deaths = 0;
  for (const auto& recipe : test::recipes()) {
    INFO(recipe.name);
    const auto report = test::kill_everywhere(recipe, test::direction::down);
    CHECK(report.problems == std::vector<std::string>{});
    steps += report.steps;
    deaths += report.deaths;
  }
  CHECK(steps > 300);
  CHECK(deaths > 1'000);
}
