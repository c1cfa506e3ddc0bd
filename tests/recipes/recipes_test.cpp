// What every recipe generates, to the byte. `expected/` of a case has all of its migrations, and of the other files
// those that are worth a look. So that a case shows what is its own, functions are spelled by the short templates of
// tests/recipes/templates: each says what it reads and writes, and how.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "contract/lock.hpp"
#include "recipes/recipe.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/places.hpp"

namespace {

namespace fs = std::filesystem;

const render::template_set& short_templates() {
  static const auto checked = test::templates(test::source_dir() / "tests/recipes/templates");
  return checked;
}

/// By their paths in a directory, which there may not be.
std::set<std::string> files_in(const fs::path& directory) {
  std::set<std::string> found;
  if (!fs::exists(directory)) return found;
  for (const auto& entry : fs::recursive_directory_iterator{directory})
    if (entry.is_regular_file()) found.insert(entry.path().lexically_relative(directory).string());
  return found;
}

}  // namespace

TEST_CASE("every recipe generates the migrations that it shows") {
  REQUIRE(test::recipes().size() > 55);
  for (const auto& recipe : test::recipes()) {
    INFO(recipe.name);
    const auto made = test::play(recipe, short_templates()).wanted;
    std::set<std::string> names;
    std::map<std::string, std::string> files{{"migrations/quern.lock", made.lock_text}};
    for (const auto& file : made.files) files["generated/" + file.path] = file.text;
    for (const auto& file : made.migrations) {
      files["migrations/" + file.path] = file.text;
      names.insert("migrations/" + file.path);
    }
    const auto directory = recipe.directory / "expected";
    for (const auto& name : names) {
      INFO(name);
      CHECK_FALSE(test::expected(directory / name, files[name]).empty());
    }
    for (const auto& name : files_in(directory)) {
      INFO(name);
      REQUIRE(files.contains(name));
      CHECK(files[name] == test::expected(directory / name, files[name]));
    }
  }
}

TEST_CASE("generating again what is drafted or released changes nothing") {
  for (const auto& recipe : test::recipes()) {
    INFO(recipe.name);
    const auto played = test::play(recipe, short_templates());
    const auto& declared = played.declared;
    const auto& made = played.wanted;
    const auto again = render::generate(declared, made.lock, short_templates(), render::parts::all);
    CHECK(again.lock_text == made.lock_text);
    const auto released = contract::with_drafts_released(made.lock);
    const auto after = render::generate(declared, released, short_templates(), render::parts::all);
    CHECK(after.migrations.empty());
    CHECK(after.lock == released);
    CHECK(std::equal(after.files.begin(), after.files.end(), made.files.begin(), made.files.end(),
                     [](const auto& a, const auto& b) { return a.path == b.path && a.text == b.text; }));
  }
}

TEST_CASE("the lock of every recipe is read as it was written, with its drafts") {
  for (const auto& recipe : test::recipes()) {
    INFO(recipe.name);
    const auto played = test::play(recipe, short_templates());
    const auto& made = played.wanted;
    const auto read = contract::read_lock({"quern.lock", made.lock_text});
    REQUIRE(read.diagnostics.empty());
    CHECK(read.value == made.lock);
    const bool retires = fs::exists(recipe.directory / "retired");
    CHECK(contract::without_drafts(read.value) == (retires ? made.lock : played.lock));
  }
}

TEST_CASE("every step of an expansion can be taken back, and says which lock it takes") {
  for (const auto& recipe : test::recipes()) {
    for (const auto& file : test::play(recipe, short_templates()).wanted.migrations) {
      if (file.path.starts_with("core/") || test::is_final(file)) continue;
      INFO(recipe.name << ": " << file.path);
      const auto count = [&](const std::string& mark) {
        std::size_t found = 0;
        for (auto at = file.text.find(mark); at != std::string::npos; at = file.text.find(mark, at + 1)) ++found;
        return found;
      };
      CHECK(count("\n-- step: ") > 0);
      CHECK(count("\n-- reverse\n") == count("\n-- step: "));
      CHECK(count("\n-- lock: ") == count("\n-- step: "));
    }
  }
}
