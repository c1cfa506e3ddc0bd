#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "render/generate.hpp"

/// A recipe is a directory of tests/recipes/cases: `before.toml` and perhaps `between.toml`, which are released, and
/// `after.toml`, whose migration is wanted.
namespace test {

struct recipe {
  std::string name;
  std::filesystem::path directory;
};

/// By name.
std::vector<recipe> recipes();

/// What the generator makes of a recipe.
struct played_recipe {
  std::vector<render::output_file> released;  // the migrations before, in the order in which they are applied
  contract::lock lock;                        // of them
  render::generation wanted;                  // as a draft
};

/// Throws std::runtime_error with everything that is wrong with a declaration.
played_recipe play(const recipe& what, const render::template_set& templates);

/// The program's templates, or those of a directory in their place. Throws std::runtime_error when there are problems.
render::template_set templates(const std::filesystem::path& directory = {});

/// The file's text; empty when there is none.
std::string content_of(const std::filesystem::path& file);

}  // namespace test
