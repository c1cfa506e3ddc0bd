#include "recipes/recipe.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "declaration/read.hpp"
#include "support/files.hpp"
#include "support/places.hpp"
#include "text/diagnostic.hpp"

namespace test {

namespace fs = std::filesystem;

namespace {

declaration::project declared_in(const fs::path& file) {
  const text::source source{file.filename().string(), content_of(file)};
  auto read = declaration::read(source);
  if (!read.declared) throw std::runtime_error{text::spell(read.problems, source)};
  return *std::move(read.declared);
}

/// What is wanted so far is released.
void release(played_recipe& of) {
  of.lock = contract::with_drafts_released(of.wanted.lock);
  auto& made = of.wanted.migrations;
  std::move(made.begin(), made.end(), std::back_inserter(of.released));
}

void want(played_recipe& of, render::generation made, const fs::path& directory) {
  if (!made.diagnostics.empty())
    throw std::runtime_error{text::spell(made.diagnostics, {directory.filename().string(), {}})};
  of.wanted = std::move(made);
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> result;
  std::ifstream in{file};
  for (std::string line; std::getline(in, line);) result.push_back(line);
  return result;
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
  return play(what, templates, templates);
}

played_recipe play(const recipe& what, const render::template_set& before, const render::template_set& after) {
  played_recipe result;
  for (const auto* file : {"before.toml", "between.toml", "after.toml"}) {
    if (!fs::exists(what.directory / file)) continue;
    release(result);
    result.declared = declared_in(what.directory / file);
    const auto& templates = file == std::string_view{"after.toml"} ? after : before;
    want(result, render::generate(result.declared, result.lock, templates, render::parts::all, history_of(result)),
         what.directory);
  }
  for (const auto& queue : lines_of(what.directory / "retired")) {
    release(result);
    want(result, render::retire(result.declared, result.lock, after, queue), what.directory);
  }
  return result;
}

played_recipe play_engine(const recipe& what, const render::template_set& before, const render::template_set& after) {
  auto result = play(what, before);
  release(result);
  want(result, render::generate(result.declared, result.lock, after, render::parts::all, history_of(result)),
       what.directory);
  return result;
}

render::migration_texts history_of(const played_recipe& what) {
  render::migration_texts result;
  for (const auto& [path, text] : what.released) result.emplace(path, text);
  return result;
}

bool is_final(const render::output_file& migration) {
  return migration.path.ends_with("_drop.sql") || migration.path.find("_retire_v") != std::string::npos;
}

render::template_set templates(const fs::path& directory) {
  auto checked =
      render::check_templates(render::load_templates(directory.empty() ? std::nullopt : std::optional{directory}));
  if (!checked.problems.empty())
    throw std::runtime_error{text::spell(checked.problems.front().diagnostics, checked.problems.front().source)};
  return checked;
}

}  // namespace test
