#include "recipes/recipe.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>

#include "declaration/read.hpp"
#include "support/places.hpp"
#include "text/diagnostic.hpp"

namespace test {

namespace fs = std::filesystem;

namespace {

render::generation generate(const fs::path& file, const contract::lock& lock, const render::template_set& templates) {
  const text::source source{file.filename().string(), content_of(file)};
  const auto read = declaration::read(source);
  if (!read.declared) throw std::runtime_error{text::spell(read.problems, source)};
  auto made = render::generate(*read.declared, lock, templates, render::parts::all);
  if (!made.diagnostics.empty()) throw std::runtime_error{text::spell(made.diagnostics, source)};
  return made;
}

}  // namespace

std::vector<recipe> recipes() {
  std::vector<recipe> result;
  for (const auto& each : fs::directory_iterator{cases("recipes")}) {
    result.push_back({each.path().filename().string(), each.path()});
  }
  std::sort(result.begin(), result.end(), [](const auto& left, const auto& right) { return left.name < right.name; });
  return result;
}

played_recipe play(const recipe& what, const render::template_set& templates) {
  played_recipe result;
  for (const auto* file : {"before.toml", "between.toml"}) {
    if (!fs::exists(what.directory / file)) continue;
    auto made = generate(what.directory / file, result.lock, templates);
    result.lock = contract::with_drafts_released(std::move(made.lock));
    std::move(made.migrations.begin(), made.migrations.end(), std::back_inserter(result.released));
  }
  result.wanted = generate(what.directory / "after.toml", result.lock, templates);
  return result;
}

render::template_set templates(const fs::path& directory) {
  auto checked =
      render::check_templates(render::load_templates(directory.empty() ? std::nullopt : std::optional{directory}));
  if (!checked.problems.empty())
    throw std::runtime_error{text::spell(checked.problems.front().diagnostics, checked.problems.front().source)};
  return checked;
}

std::string content_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace test
