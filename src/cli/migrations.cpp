#include "cli/migrations.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "contract/lock.hpp"
#include "migrate/parse.hpp"
#include "render/generate.hpp"
#include "render/migration_files.hpp"
#include "text/diagnostic.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(exit_code code, std::string_view words, const std::vector<migrate::problem>& problems) {
  std::vector<std::string> lines;
  std::ranges::transform(problems, std::back_inserter(lines), [](const auto& one) { return migrate::spell(one); });
  throw failure{code, fmt::format("{}\n{}", words, fmt::join(lines, "\n"))};
}

contract::lock read_lock(const fs::path& file) {
  refuse_lost_lock(file);
  std::ifstream input{file, std::ios::binary};
  if (!fs::is_regular_file(file) || !input)
    throw failure{exit_code::input_wrong,
                  fmt::format("{} cannot be read: `quern generate` writes it, --migrations says where", file.string())};
  const text::source source{file.string(), {std::istreambuf_iterator<char>{input}, {}}};
  contract::read_lock_result read = contract::read_lock(source);
  if (read.diagnostics.empty()) return std::move(read.value);
  const auto colours = has_colour(stream::error) ? text::colouring::ansi : text::colouring::plain;
  throw failure{exit_code::input_wrong,
                fmt::format("{} cannot be used\n{}", file.string(), text::spell(read.diagnostics, source, colours))};
}

migrate::checksums checksums_of(const contract::lock& lock) {
  migrate::checksums checksums;
  for (const contract::line& line : lock.lines)
    for (const contract::migration& one : line.migrations)
      checksums.emplace(fmt::format("{}/{}", line.name, one.file), one.checksum);
  return checksums;
}

migrate::draft_names drafts_of(const contract::lock& lock) {
  migrate::draft_names drafts;
  for (const render::output_file& one : render::drafts_of(lock)) drafts.insert(one.path);
  return drafts;
}

}  // namespace

void refuse_lost_lock(const fs::path& lock) {
  if (fs::exists(lock) || !render::has_migrations(lock.parent_path())) return;
  throw failure{exit_code::input_wrong,
                fmt::format("{} is missing beside its migrations: take it from version control again; `quern generate` "
                            "writes one only where none was ever committed",
                            lock.string())};
}

checked_migrations read_migrations(const fs::path& root) {
  const contract::lock lock = read_lock(root / "quern.lock");
  migrate::read_directory_result read = migrate::read_directory(root);
  // An edited file is told as such, even when the edit has made it malformed.
  const auto differences = migrate::compare_with_lock(read.value, checksums_of(lock));
  if (!differences.empty())
    refuse(exit_code::history_mismatch, "the migrations are not those of quern.lock; nothing was applied", differences);
  if (!read.problems.empty()) refuse(exit_code::input_wrong, "the migrations cannot be used", read.problems);
  const auto gaps = migrate::check_numbers(read.value);
  if (!gaps.empty()) refuse(exit_code::history_mismatch, "the migrations are not numbered without gaps", gaps);
  return {.files = std::move(read.value), .schema = lock.schema, .drafts = drafts_of(lock)};
}

void handle_drafts(checked_migrations& migrations, bool released) {
  const auto is_draft = [&](const migrate::migration& one) {
    return migrations.drafts.contains(migrate::file_name(one));
  };
  auto& all = migrations.files.migrations;
  if (released) {
    std::erase_if(all, is_draft);
    migrations.drafts.clear();
    return;
  }
  std::vector<std::string> titles;
  for (const migrate::migration& one : all)
    if (is_draft(one)) titles.push_back(migrate::title(one));
  if (titles.empty()) return;
  tell(fmt::format(
      "{} {}, and may become another text: `quern release` makes history of a draft, --released leaves it out",
      fmt::join(titles, ", "), titles.size() == 1 ? "is a draft" : "are drafts"));
}

locked_project read_project(const fs::path& root) {
  const contract::lock lock = read_lock(root / "quern.lock");
  locked_project made{.schema = lock.schema};
  for (const contract::line& line : lock.lines) made.lines.insert(line.name);
  return made;
}

std::optional<migrate::target> parse_target(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || slash == 0) return std::nullopt;
  migrate::target made{.line = text.substr(0, slash)};
  const char* const end_of_text = text.data() + text.size();
  const auto [end, problem] = std::from_chars(text.data() + slash + 1, end_of_text, made.number);
  if (problem != std::errc{} || made.number < 1 || (end != end_of_text && *end != '_')) return std::nullopt;
  return made;
}

std::optional<std::chrono::milliseconds> parse_wait(const std::string& text) {
  const bool is_number = text != "0" && text.find_first_not_of("0123456789") == std::string::npos;
  return migrate::parse_duration(is_number ? text + "s" : text);
}

std::string problem_with_wait(const std::string& text) {
  return parse_wait(text) ? "" : "a time to wait is written like 500ms, 30s, 5min or 2h, or in seconds: 30";
}

exit_code code_of(migrate::reason why) {
  switch (why) {
    case migrate::reason::wrong_input:
      return exit_code::input_wrong;
    case migrate::reason::unreachable:
      return exit_code::unreachable;
    case migrate::reason::failed:
      return exit_code::migration_failed;
    case migrate::reason::gave_up_waiting:
      return exit_code::gave_up_waiting;
    case migrate::reason::history_mismatch:
      return exit_code::history_mismatch;
    case migrate::reason::database_ahead:
      return exit_code::database_ahead;
    case migrate::reason::not_permitted:
      return exit_code::not_permitted;
    case migrate::reason::still_in_use:
      return exit_code::still_in_use;
  }
  return exit_code::internal_error;
}

}  // namespace cli
