#pragma once

// Catch2 as the tests use it, whether the distribution has version 2 (one header) or 3 (a library).

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>
#include <utility>

namespace test {

#if __has_include(<catch2/catch_all.hpp>)
inline auto contains(std::string part) {
  return Catch::Matchers::ContainsSubstring(std::move(part));
}
#else
inline auto contains(std::string part) {
  return Catch::Matchers::Contains(std::move(part));
}
#endif

inline auto starts_with(std::string part) {
  return Catch::Matchers::StartsWith(std::move(part));
}

inline auto ends_with(std::string part) {
  return Catch::Matchers::EndsWith(std::move(part));
}

/// For floating point: `CHECK(x == test::approx(0.5))`.
#if __has_include(<catch2/catch_all.hpp>)
using approx = Catch::Approx;
#else
using approx = Catch::Detail::Approx;
#endif

}  // namespace test
