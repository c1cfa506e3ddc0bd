#include "text/suggestion.hpp"

#include <array>
#include <string>
#include <string_view>

#include "support/catch.hpp"

TEST_CASE("the distance of two names counts insertions, removals, replacements and swaps") {
  CHECK(text::edit_distance("lease", "lease", 5) == 0);
  CHECK(text::edit_distance("leese", "lease", 5) == 1);
  CHECK(text::edit_distance("lese", "lease", 5) == 1);
  CHECK(text::edit_distance("leaase", "lease", 5) == 1);
  CHECK(text::edit_distance("laese", "lease", 5) == 1);
  CHECK(text::edit_distance("kitten", "sitting", 5) == 3);
  CHECK(text::edit_distance("", "abc", 5) == 3);
}

TEST_CASE("a distance is not looked for beyond its limit") {
  CHECK(text::edit_distance("abc", "xyz", 2) == 3);
  CHECK(text::edit_distance(std::string(100, 'a'), std::string(100, 'a'), 5) == 6);
}

TEST_CASE("the nearest name is suggested, whatever its case") {
  constexpr std::array<std::string_view, 3> keys{"lease", "retry", "dead_letter"};
  CHECK(text::nearest_name("leese", keys) == "lease");
  CHECK(text::nearest_name("LEASE", keys) == "lease");
  CHECK(text::nearest_name("dead_leter", keys) == "dead_letter");
  CHECK(text::nearest_name("rtery", keys) == "retry");
}

TEST_CASE("nothing is suggested that is far away") {
  constexpr std::array<std::string_view, 3> keys{"lease", "retry", "a"};
  CHECK_FALSE(text::nearest_name("storage", keys));
  CHECK_FALSE(text::nearest_name("", keys));
  CHECK_FALSE(text::nearest_name("x", keys));
  CHECK_FALSE(text::nearest_name("lease", {}));
}
