#include "cli/rebase_hooks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "render/file_system.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

/// `email/hooks/0002_after.sql` in its parts.
struct hook_name {
  std::string_view line;
  std::size_t number = 0;
  std::string_view rest;  // _after.sql
};

std::optional<hook_name> parts_of(std::string_view name) {
  constexpr std::string_view folder = "/hooks/";
  constexpr std::size_t digits = 4;
  const auto slash = name.find(folder);
  if (slash == std::string_view::npos || name.size() < slash + folder.size() + digits) return std::nullopt;
  const auto file = name.substr(slash + folder.size());
  std::size_t number = 0;
  const auto [stop, trouble] = std::from_chars(file.data(), file.data() + digits, number);
  if (trouble != std::errc{} || stop != file.data() + digits) return std::nullopt;
  return hook_name{name.substr(0, slash), number, file.substr(digits)};
}

std::size_t released_of(const contract::line& line) {
  return line.released ? line.released->migrations : line.migrations.size();
}

/// Where a draft of that number stands now: nothing when there is no such draft any more.
std::optional<std::size_t> new_number(const contract::line& before, const contract::line* now, std::size_t number) {
  if (now == nullptr) return std::nullopt;
  const auto moved = number - released_of(before) + released_of(*now);
  return moved <= now->migrations.size() ? std::optional{moved} : std::nullopt;
}

bool is_known(const std::vector<check::base>& sides, const std::string& name, const std::string& text) {
  return std::any_of(sides.begin(), sides.end(), [&](const check::base& side) {
    return side.hooks && side.hooks->contains(name) && side.hooks->at(name) == text;
  });
}

}  // namespace

std::vector<hook_move> hook_moves(const rebase_side& own, const check::base& base, const contract::lock& now,
                                  const fs::path& migrations, const std::vector<check::base>& sides) {
  std::vector<hook_move> moves;
  for (const auto& [name, text] : own.hooks) {
    const auto parts = parts_of(name);
    const auto* before = parts ? contract::find_line(own.lock, parts->line) : nullptr;
    if (before == nullptr || parts->number <= released_of(*before) || parts->number > before->migrations.size())
      continue;
    const auto there = base.hooks->find(name);
    const bool is_in_base = there != base.hooks->end();
    // It was moved by a run that did not end.
    if (is_in_base && there->second == text) continue;
    const auto number = new_number(*before, contract::find_line(now, parts->line), parts->number);
    if (!number) {
      tell(fmt::format("{} belonged to a migration that there is none of any more", (migrations / name).string()));
      continue;
    }
    if (*number == parts->number) continue;
    hook_move move{name, fmt::format("{}/hooks/{:04}{}", parts->line, *number, parts->rest), text, {}, is_in_base};
    if (is_in_base) move.base_text = there->second;
    const auto present = render::file_system::read(migrations / move.to);
    if (present && *present != text && !is_known(sides, move.to, *present))
      throw failure{exit_code::input_wrong,
                    fmt::format("nothing was written\n{} is in the way: the hook {} belongs there",
                                (migrations / move.to).string(), name)};
    moves.push_back(std::move(move));
  }
  return moves;
}

void move_hooks(const std::vector<hook_move>& moves, const fs::path& migrations) {
  for (const auto& move : moves) {
    render::file_system::make_directory((migrations / move.to).parent_path());
    render::file_system::write(migrations / move.to, move.text);
    say(fmt::format("wrote {}", (migrations / move.to).string()));
  }
  const auto is_target = [&](const std::string& name) {
    return std::any_of(moves.begin(), moves.end(), [&](const hook_move& one) { return one.to == name; });
  };
  for (const auto& move : moves) {
    if (is_target(move.from)) continue;
    if (move.is_in_base) {
      render::file_system::write(migrations / move.from, move.base_text);
      tell(fmt::format("took {} from the base", move.from));
    } else {
      render::file_system::remove(migrations / move.from);
      say(fmt::format("removed {}", (migrations / move.from).string()));
    }
  }
}

}  // namespace cli
