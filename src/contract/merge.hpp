#pragma once

#include <optional>
#include <string>

#include "contract/lock.hpp"

/// How two sides of a merge stand to each other.
namespace contract {

/// Two migrations of the same place in a line.
struct divergence {
  std::string line;
  std::string own;
  std::string base;
};

/// The first migration that is released in `own`, and in whose place `base` has another one: `own` cannot be put onto
/// the base.
std::optional<divergence> released_apart(const lock& own, const lock& base);

/// `own`, of which everything that `base` has too counts as released. Where both went on from the same migration, what
/// follows in `own` stays the draft that it is.
lock released_where_in(const lock& base, const lock& own);

}  // namespace contract
