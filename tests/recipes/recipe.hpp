#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "render/generate.hpp"

/// A recipe is a directory of tests/recipes/cases: `before.toml` and perhaps `between.toml`, which are released, and
/// `after.toml`, whose migration is wanted. Where there is a file `retired`, that is released too: each of its lines
/// names a queue whose oldest contract is retired, and the migration of the last of them is wanted.
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
  render::generation wanted;                  // as a draft, unless it retires
  declaration::project declared;              // in the end
};

/// Whether a migration, named by its file, cannot be taken back: one that drops a queue or retires a contract.
bool is_final(const render::output_file& migration);

/// Throws std::runtime_error with everything that is wrong with a declaration.
played_recipe play(const recipe& what, const render::template_set& templates);

/// The program's templates, or those of a directory in their place. Throws std::runtime_error when there are problems.
render::template_set templates(const std::filesystem::path& directory = {});

/// The file's text; empty when there is none.
std::string content_of(const std::filesystem::path& file);

}  // namespace test
