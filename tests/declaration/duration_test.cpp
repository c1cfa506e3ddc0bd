#include "declaration/duration.hpp"

#include <variant>

#include "support/catch.hpp"

namespace {

std::int64_t microseconds(std::string_view written) {
  const auto read = declaration::parse_duration(written);
  return std::holds_alternative<std::int64_t>(read) ? std::get<std::int64_t>(read) : -1;
}

}  // namespace

TEST_CASE("a duration is whole numbers with their units, largest first") {
  CHECK(microseconds("30s") == 30'000'000);
  CHECK(microseconds("1h30m") == 5'400'000'000);
  CHECK(microseconds("90m") == 5'400'000'000);
  CHECK(microseconds("7d") == std::int64_t{7} * 86'400'000'000);
  CHECK(microseconds("1w") == std::int64_t{7} * 86'400'000'000);
  CHECK(microseconds("250ms") == 250'000);
  CHECK(microseconds("15us") == 15);
  CHECK(microseconds("1w1d1h1m1s1ms1us") == 694'861'001'001);
  CHECK(microseconds("007s") == 7'000'000);
  CHECK(microseconds("3650d") == declaration::longest_duration);
}

TEST_CASE("what is no duration says why") {
  const auto why = [](std::string_view written) {
    return std::get<declaration::duration_problem>(declaration::parse_duration(written)).message;
  };
  CHECK(why("") == "it is empty");
  CHECK(why("30") == "it has no unit");
  CHECK(why("-30s") == "it is negative");
  CHECK(why("0s") == "it is zero");
  CHECK(why("1.5h") == "it has a fraction: write \"90s\", not \"1.5m\"");
  CHECK(why("3650d1us") == "it is longer than ten years");
  CHECK(why("99999999999999999999s") == "it is longer than ten years");
  CHECK(why("30m1h") == "whole numbers with their units are needed, each unit once and the largest first");
  CHECK(why("1h 30m") == "whole numbers with their units are needed, each unit once and the largest first");
}

TEST_CASE("a duration is spelled as short as it can be, and read back the same") {
  CHECK(declaration::spell_duration(5'400'000'000) == "1h30m");
  CHECK(declaration::spell_duration(std::int64_t{14} * 86'400'000'000) == "14d");
  for (const std::int64_t each :
       {std::int64_t{1}, std::int64_t{999'999}, std::int64_t{86'400'000'001}, declaration::longest_duration}) {
    CHECK(microseconds(declaration::spell_duration(each)) == each);
  }
}
