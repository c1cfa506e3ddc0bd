#include "migrate/directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>

namespace migrate {
namespace {

namespace fs = std::filesystem;

bool is_name(std::string_view text) {
  const auto is_part = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !text.empty() && std::ranges::all_of(text, is_part);
}

// NNNN_<name>.sql
bool parse_file_name(std::string_view file, migration& into) {
  constexpr std::string_view ending = ".sql";
  if (!file.ends_with(ending)) return false;
  file.remove_suffix(ending.size());
  const std::size_t bar = file.find('_');
  if (bar == std::string_view::npos || bar < 4) return false;
  const auto [end, trouble] = std::from_chars(file.data(), file.data() + bar, into.number);
  into.name = file.substr(bar + 1);
  // Written back it has to be the same: 0001, not 00001.
  return trouble == std::errc{} && end == file.data() + bar && into.number > 0 && is_name(into.name) &&
         file == fmt::format("{:04}_{}", into.number, into.name);
}

std::optional<std::string> contents(const fs::path& file) {
  std::ifstream input{file, std::ios::binary | std::ios::ate};
  if (!input) return std::nullopt;
  std::string text(static_cast<std::size_t>(input.tellg()), '\0');
  input.seekg(0);
  input.read(text.data(), static_cast<std::streamsize>(text.size()));
  return input ? std::optional{std::move(text)} : std::nullopt;
}

std::vector<fs::directory_entry> sorted_entries(const fs::path& directory) {
  std::vector<fs::directory_entry> entries{fs::directory_iterator{directory}, {}};
  std::ranges::sort(entries, {}, &fs::directory_entry::path);
  return entries;
}

std::optional<std::string> contents_or_problem(const fs::path& file, std::vector<problem>& problems) {
  auto text = contents(file);
  if (!text) problems.push_back({file, 0, "cannot be read"});
  return text;
}

void read_file(const fs::directory_entry& entry, const std::string& line, read_directory_result& into) {
  migration made{.line = line, .file = entry.path()};
  const std::string name = entry.path().filename().string();
  if (!entry.is_regular_file() || !parse_file_name(name, made)) {
    into.problems.push_back({entry.path(), 0, "is no migration: they are named NNNN_<name>.sql"});
    return;
  }
  const auto text = contents_or_problem(entry.path(), into.problems);
  if (!text) return;
  parse_migration(*text, made, into.problems);
  into.value.migrations.push_back(std::move(made));
}

// Before the first step of the migration, or behind its last.
void attach(migration& to, parsed_hook found, bool is_before, const fs::path& file, std::vector<problem>& problems) {
  for (const step& one : found.steps)
    if (std::ranges::find(to.steps, one.name, &step::name) != to.steps.end())
      problems.push_back({file, 0, fmt::format("a step named {} is in {} already", one.name, title(to))});
  to.roles.insert(to.roles.end(), found.roles.begin(), found.roles.end());
  to.steps.insert(is_before ? to.steps.begin() : to.steps.end(), std::make_move_iterator(found.steps.begin()),
                  std::make_move_iterator(found.steps.end()));
}

void read_hook(const fs::directory_entry& entry, const std::string& line, read_directory_result& into) {
  migration place{.line = line};
  const bool is_named = entry.is_regular_file() && parse_file_name(entry.path().filename().string(), place);
  if (!is_named || (place.name != "before" && place.name != "after")) {
    into.problems.push_back({entry.path(), 0, "is no hook: they are named NNNN_before.sql and NNNN_after.sql"});
    return;
  }
  const auto text = contents_or_problem(entry.path(), into.problems);
  if (!text) return;
  const auto is_its = [&](const migration& one) { return one.line == line && one.number == place.number; };
  const auto found = std::ranges::find_if(into.value.migrations, is_its);
  if (found == into.value.migrations.end()) {
    into.problems.push_back(
        {entry.path(), 0, fmt::format("belongs to no migration: there is no {}/{:04}", line, place.number)});
    return;
  }
  attach(*found, parse_hook(*text, place.name, entry.path(), into.problems), place.name == "before", entry.path(),
         into.problems);
}

void read_line(const fs::directory_entry& entry, read_directory_result& into) {
  const std::string line = entry.path().filename().string();
  if (line == "quern.lock" || line == "adopted.json" || line.starts_with('.')) return;
  if (!entry.is_directory() || !is_name(line)) {
    into.problems.push_back({entry.path(), 0, "is no line of migrations: it should be a directory named like a queue"});
    return;
  }
  const std::vector<fs::directory_entry> files = sorted_entries(entry.path());
  const auto holds_hooks = [](const fs::directory_entry& one) {
    return one.is_directory() && one.path().filename() == "hooks";
  };
  for (const fs::directory_entry& file : files)
    if (!holds_hooks(file)) read_file(file, line, into);
  // Behind the migrations that they belong to.
  for (const fs::directory_entry& directory : files)
    if (holds_hooks(directory))
      for (const fs::directory_entry& file : sorted_entries(directory.path())) read_hook(file, line, into);
}

problem unreadable(const fs::filesystem_error& failed) {
  return {failed.path1(), 0, fmt::format("cannot be read: {}", failed.code().message())};
}

read_directory_result read_line_alone(const fs::directory_entry& entry) {
  read_directory_result made;
  try {
    read_line(entry, made);
  } catch (const fs::filesystem_error& failed) {
    made.problems.push_back(unreadable(failed));
  }
  return made;
}

// A history is thousands of files: each processor reads some of the lines.
std::vector<read_directory_result> read_lines(const std::vector<fs::directory_entry>& entries) {
  std::vector<read_directory_result> results(entries.size());
  std::atomic<std::size_t> next = 0;
  const auto read_some = [&] {
    for (std::size_t i = next++; i < entries.size(); i = next++) results[i] = read_line_alone(entries[i]);
  };
  const std::size_t helpers = std::min<std::size_t>(std::max(std::thread::hardware_concurrency(), 1U), entries.size());
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < helpers; ++i) others.emplace_back(read_some);
  read_some();
  others.clear();
  return results;
}

auto place_in_order(const migration& one) {
  return std::tuple<bool, std::string_view, int, std::string_view>{one.line != "core", one.line, one.number, one.name};
}

}  // namespace

read_directory_result read_directory(const fs::path& root) {
  read_directory_result made{.value = {.root = root, .migrations = {}}, .problems = {}};
  try {
    for (read_directory_result& line : read_lines(sorted_entries(root))) {
      std::ranges::move(line.value.migrations, std::back_inserter(made.value.migrations));
      std::ranges::move(line.problems, std::back_inserter(made.problems));
    }
  } catch (const fs::filesystem_error& failed) {
    made.problems.push_back(unreadable(failed));
  }
  std::ranges::sort(made.value.migrations, {}, place_in_order);
  return made;
}

std::vector<problem> compare_with_lock(const directory& files, const checksums& locked) {
  std::vector<problem> problems;
  checksums missing = locked;
  for (const migration& one : files.migrations) {
    const auto expected = locked.find(file_name(one));
    if (expected == locked.end())
      problems.push_back({one.file, 0, "is not in quern.lock: only `quern generate` adds migrations"});
    else if (expected->second != one.checksum)
      problems.push_back({one.file, 0,
                          fmt::format("was edited: its checksum is {}, quern.lock says {}; a released migration "
                                      "never changes, bring the file back from version control",
                                      one.checksum, expected->second)});
    missing.erase(file_name(one));
  }
  for (const auto& [name, checksum] : missing)
    problems.push_back({files.root / name, 0, "is missing: quern.lock names it; bring it back from version control"});
  return problems;
}

std::vector<problem> check_numbers(const directory& files) {
  std::vector<problem> problems;
  const migration* before = nullptr;
  for (const migration& one : files.migrations) {
    const int last = before != nullptr && before->line == one.line ? before->number : 0;
    if (one.number == last)
      problems.push_back({one.file, 0, fmt::format("has the same number as {}", file_name(*before))});
    else if (one.number != last + 1)
      problems.push_back({one.file, 0, fmt::format("follows on number {:04}: {:04} is missing", last, last + 1)});
    before = &one;
  }
  return problems;
}

}  // namespace migrate
