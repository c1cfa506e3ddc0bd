#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "check/check.hpp"
#include "check/codes.hpp"
#include "check/format.hpp"
#include "check/made_project.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/places.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> case_directories() {
  std::vector<fs::path> found;
  for (const auto& each : fs::directory_iterator{test::cases("check")}) found.push_back(each.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// Checksums change with every template.
std::string without_checksums(const std::string& text) {
  static const std::regex checksum{"[0-9a-f]{64}"};
  return std::regex_replace(text, checksum, "<checksum>");
}

/// What `quern check` prints for the project of the tests with the changes of a case; `base/`, when the case has one,
/// holds the changes of the project that it is compared with, and `next.toml` a declaration that was released before.
std::string output_of(const fs::path& directory) {
  const test::made_project project;
  std::optional<check::base> base;
  if (fs::exists(directory / "base")) {
    const test::made_project before;
    before.change(directory / "base");
    base = check::read_base(before.root().string(), "migrations");
    base->name = "BASE";
  }
  if (fs::exists(directory / "next.toml")) project.generate(test::content_of(directory / "next.toml"));
  if (fs::exists(directory / "changes")) project.change(directory / "changes");
  return without_checksums(check::spell_text(project.check(base), text::colouring::plain));
}

}  // namespace

TEST_CASE("every case gives the findings with their exact text") {
  const auto directories = case_directories();
  REQUIRE(directories.size() > 30);
  for (const auto& directory : directories) {
    INFO(directory.filename().string());
    CHECK(output_of(directory) == test::content_of(directory / "expected.txt"));
  }
}

TEST_CASE("every finding of the checks has a case") {
  std::string all;
  for (const auto& directory : case_directories()) all += test::content_of(directory / "expected.txt");
  for (const auto codes : {check::history_codes(), check::hook_codes(), check::hook_lock_codes()})
    for (const auto& one : codes) {
      // A hook of that size does not stand in the repository; two sides that differ are made in history_test.cpp.
      if (one.name == "hook_too_large" || one.name == "history_diverged") continue;
      CHECK_THAT(all, test::contains(" [" + std::string{one.name} + "]\n"));
    }
}
