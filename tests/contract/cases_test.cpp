// A case is a directory. With `quern.lock` alone: what is said of the lock. With `before.toml` and `after.toml`: what
// is said of the second declaration when the first one is released.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "contract/diff.hpp"
#include "contract/lock.hpp"
#include "contract/release.hpp"
#include "declaration/read.hpp"
#include "support/catch.hpp"
#include "support/places.hpp"
#include "text/diagnostic.hpp"

namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  INFO(file.string());
  REQUIRE(in);
  return {std::istreambuf_iterator<char>{in}, {}};
}

declaration::project declared_in(const fs::path& file) {
  const text::source source{file.filename().string(), content_of(file)};
  auto read = declaration::read(source);
  INFO(text::spell(read.problems, source));
  REQUIRE(read.declared);
  return *std::move(read.declared);
}

std::string said_of_lock(const fs::path& directory) {
  const text::source source{"quern.lock", content_of(directory / "quern.lock")};
  return text::spell(contract::read_lock(source).diagnostics, source);
}

std::string said_of_change(const fs::path& directory) {
  const text::source source{"after.toml", content_of(directory / "after.toml")};
  const auto lock = test::release(declared_in(directory / "before.toml"));
  return text::spell(contract::compare(declared_in(directory / "after.toml"), lock).diagnostics, source);
}

}  // namespace

TEST_CASE("every case of a lock or a change is told in its exact words") {
  std::vector<fs::path> directories;
  for (const auto& each : fs::directory_iterator{test::cases("contract")}) directories.push_back(each.path());
  std::sort(directories.begin(), directories.end());
  REQUIRE(directories.size() > 25);
  for (const auto& directory : directories) {
    INFO(directory.filename().string());
    const auto said = fs::exists(directory / "quern.lock") ? said_of_lock(directory) : said_of_change(directory);
    CHECK(said == content_of(directory / "expected.txt"));
  }
}
