#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "declaration/codes.hpp"
#include "declaration/read.hpp"
#include "dump.hpp"
#include "invariants.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/places.hpp"
#include "text/diagnostic.hpp"

namespace {

std::vector<std::filesystem::path> case_directories() {
  std::vector<std::filesystem::path> found;
  for (const auto& each : std::filesystem::directory_iterator(test::cases("declaration"))) found.push_back(each.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

TEST_CASE("every case reads as it says: the diagnostics with their exact text, or the model") {
  REQUIRE(case_directories().size() > 40);
  for (const auto& directory : case_directories()) {
    const text::source source{"quern.toml", test::content_of(directory / "quern.toml")};
    const auto read = declaration::read(source);
    const auto actual = read.declared ? test::dump(*read.declared) : text::spell(read.problems, source);
    INFO(directory.filename().string());
    CHECK(read.declared.has_value() == read.problems.empty());
    CHECK(actual == test::expected(directory / "expected.txt", actual));
  }
}

TEST_CASE("every diagnostic code has a case") {
  std::string all;
  for (const auto& directory : case_directories()) all += test::content_of(directory / "expected.txt");
  for (const auto code : declaration::code::all) {
    // Sources of more than 16 MB do not stand in the repository; see limits.cpp.
    if (code == declaration::code::too_large) continue;
    CHECK_THAT(all, test::contains(" [" + std::string(code) + "]\n"));
  }
}

TEST_CASE("diagnostics come in the order of their positions") {
  for (const auto& directory : case_directories()) {
    const text::source source{"quern.toml", test::content_of(directory / "quern.toml")};
    const auto problems = declaration::read(source).problems;
    INFO(directory.filename().string());
    CHECK(std::is_sorted(problems.begin(), problems.end(),
                         [](const auto& a, const auto& b) { return a.where.begin < b.where.begin; }));
  }
}

TEST_CASE("what is accepted keeps every rule, and every diagnostic points into the source") {
  for (const auto& directory : case_directories()) {
    const text::source source{"quern.toml", test::content_of(directory / "quern.toml")};
    const auto read = declaration::read(source);
    INFO(directory.filename().string());
    if (read.declared) CHECK(test::broken_rule(*read.declared).empty());
    const text::line_index lines(source.content);
    for (const auto& problem : read.problems) CHECK(test::broken_rule(problem, lines).empty());
  }
}
