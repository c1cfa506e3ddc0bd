#include "declaration/roles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "declaration/codes.hpp"
#include "declaration/keys.hpp"
#include "declaration/names.hpp"
#include "text/excerpt.hpp"

namespace declaration {
namespace {

/// Why a name can be no role's; empty when it can. Roles are listed in a comment of each migration, separated by
/// commas.
std::string_view problem_with(std::string_view role) {
  if (role.empty()) return "a role has a name";
  if (role.size() > longest_identifier) return "a role's name has at most 63 bytes";
  const bool has_control =
      std::any_of(role.begin(), role.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (has_control) return "line ends and other control characters are not possible in the name of a role";
  if (role.find(',') != std::string_view::npos) return "a comma is not possible in the name of a role: write a list";
  if (role.front() == ' ' || role.back() == ' ') return "a space at an end of a role's name is not possible";
  if (role == "public" || role == "none") return "PostgreSQL reserves this name; rights are given to roles by name";
  if (role.starts_with("pg_")) return "PostgreSQL reserves names that begin with 'pg_'";
  return {};
}

}  // namespace

std::vector<std::string> read_roles(const entry& from, report& problems) {
  std::vector<std::string> roles;
  std::unordered_map<std::string_view, text::span> seen;
  for (const auto* item : read_strings(from, "a list of roles: [\"web\"]", problems)) {
    if (const auto reason = problem_with(item->text); !reason.empty()) {
      problems.error(code::invalid_role, item->where, fmt::format("this is no role in '{}': {}", from.key, reason));
      continue;
    }
    const auto [first, is_new] = seen.try_emplace(item->text, item->where);
    if (is_new) {
      roles.push_back(item->text);
      continue;
    }
    auto& problem =
        problems.error(code::duplicate_value, item->where,
                       fmt::format("the role '{}' stands twice in '{}'", text::clipped(item->text), from.key));
    problem.notes.push_back({"first named here", first->second});
  }
  return roles;
}

}  // namespace declaration
