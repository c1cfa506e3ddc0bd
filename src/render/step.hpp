#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "render/renderer.hpp"

namespace render {

/// A part of a migration that is applied by itself.
struct migration_step {
  std::string name{};
  std::string lock{};  // which lock it takes, in words
  std::string lock_timeout = "5s";
  std::string statement_timeout = "1min";
  bool is_transactional = true;
  std::string text{};
  std::optional<std::string> probe{};    // only of a step outside of a transaction: whether it is done,
  std::optional<std::string> cleanup{};  // and what takes away that it was begun
  std::optional<std::string> reverse{};
};

/// A migration as its file says it.
struct migration_text {
  std::string name;                // email/0002_expand_v2
  std::vector<std::string> words;  // what it is for, a line each
  std::vector<std::string> roles;  // that must exist
  std::vector<migration_step> steps;
};

/// Of sql/change/migration.
view view_of(const migration_text& migration);

std::string spell(renderer& with, const migration_text& migration);

/// Texts one below the other, with a blank line in between; empty ones leave none.
std::string joined(const std::vector<std::string>& texts);

/// The text that creates objects, as one that replaces them where they exist.
std::string replacing(std::string text);

/// A section that only says why there is nothing to do.
std::string nothing(std::string_view why);

}  // namespace render
