#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "check/base.hpp"
#include "contract/lock.hpp"

namespace cli {

/// The side of a merge whose drafts are numbered anew.
struct rebase_side {
  contract::lock lock{};
  std::map<std::string, std::string> hooks{};  // name → text
};

/// A hook that a draft takes along to its new number.
struct hook_move {
  std::string from;
  std::string to;
  std::string text;
  std::string base_text{};  // of the hook that the base has at the old place
  bool is_in_base = false;
};

/// The hooks of drafts of `own` that have another number in `now`. Throws failure when another hook stands where one
/// belongs; says which are left without a migration.
std::vector<hook_move> hook_moves(const rebase_side& own, const check::base& base, const contract::lock& now,
                                  const std::filesystem::path& migrations, const std::vector<check::base>& sides);

/// Writes them to their new places, before they are removed from the old ones.
void move_hooks(const std::vector<hook_move>& moves, const std::filesystem::path& migrations);

}  // namespace cli
