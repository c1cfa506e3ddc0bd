// A case is a directory: `quern.toml`, perhaps `quern.lock` of what is released and `templates/` in place of the
// program's. `expected/files.txt` lists every file that is generated; those that stand beside it are compared.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "declaration/read.hpp"
#include "render/generate.hpp"
#include "render/templates.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/places.hpp"
#include "text/diagnostic.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> entries_of(const fs::path& directory) {
  std::vector<fs::path> found;
  for (const auto& each : fs::directory_iterator{directory}) found.push_back(each.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// Every generated file by its path below the project.
std::map<std::string, std::string> generate(const fs::path& directory) {
  const text::source source{"quern.toml", test::content_of(directory / "quern.toml")};
  const auto read = declaration::read(source);
  INFO(text::spell(read.problems, source));
  REQUIRE(read.declared);
  contract::lock lock;
  if (fs::exists(directory / "quern.lock")) {
    const auto known = contract::read_lock({"quern.lock", test::content_of(directory / "quern.lock")});
    REQUIRE(known.diagnostics.empty());
    lock = known.value;
  }
  const bool has_templates = fs::exists(directory / "templates");
  const auto templates = render::check_templates(
      render::load_templates(has_templates ? std::optional{directory / "templates"} : std::nullopt));
  for (const auto& [where, diagnostics] : templates.problems) FAIL(text::spell(diagnostics, where));
  const auto made = render::generate(*read.declared, lock, templates, render::parts::all);
  REQUIRE(made.diagnostics.empty());
  std::map<std::string, std::string> files{{"migrations/quern.lock", made.lock_text}};
  for (const auto& file : made.files) files["generated/" + file.path] = file.text;
  for (const auto& file : made.migrations) files["migrations/" + file.path] = file.text;
  return files;
}

}  // namespace

TEST_CASE("every case generates the files that it expects") {
  const auto directories = entries_of(test::cases("render"));
  REQUIRE(directories.size() >= 3);
  for (const auto& directory : directories) {
    INFO(directory.filename().string());
    const auto files = generate(directory);
    std::string names;
    for (const auto& [path, text] : files) names += path + "\n";
    CHECK(names == test::expected(directory / "expected/files.txt", names));
    for (const auto& entry : fs::recursive_directory_iterator{directory / "expected"}) {
      const auto path = entry.path().lexically_relative(directory / "expected").string();
      if (!entry.is_regular_file() || path == "files.txt") continue;
      INFO(path);
      REQUIRE(files.contains(path));
      CHECK(files.at(path) == test::expected(entry.path(), files.at(path)));
    }
  }
}

TEST_CASE("the same declaration gives the same bytes, on however many threads") {
  const auto templates = render::check_templates(render::load_templates({}));
  std::string many = "[project]\nname = \"shop\"\n";
  for (int i = 0; i < 200; ++i) many += fmt::format("[queues.email_{}]\npayload = {{ order_id = \"int64\" }}\n", i);
  const auto read = declaration::read({"quern.toml", many});
  REQUIRE(read.declared);
  const auto first = render::generate(*read.declared, {}, templates, render::parts::all);
  const auto second = render::generate(*read.declared, {}, templates, render::parts::all);
  CHECK(first.lock_text == second.lock_text);
  REQUIRE(first.files.size() == second.files.size());
  REQUIRE(first.migrations.size() == 201);
  for (std::size_t i = 0; i < first.files.size(); ++i) {
    CHECK(first.files[i].path == second.files[i].path);
    CHECK(first.files[i].text == second.files[i].text);
  }
  for (std::size_t i = 0; i < first.migrations.size(); ++i) {
    CHECK(first.migrations[i].path == second.migrations[i].path);
    CHECK(first.migrations[i].text == second.migrations[i].text);
  }
  // As they are applied: the shared objects, then the queues by name.
  CHECK(first.migrations[0].path == "core/0001_create.sql");
  CHECK(std::is_sorted(first.migrations.begin() + 1, first.migrations.end(),
                       [](const auto& left, const auto& right) { return left.path < right.path; }));
}
