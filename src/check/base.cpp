#include "check/base.hpp"

#include <fmt/format.h>

#include <utility>

#include "check/git.hpp"
#include "render/file_system.hpp"
#include "text/diagnostic.hpp"

namespace check {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view lock_name = "quern.lock";

void read_lock(base& into, std::string content) {
  into.has_lock = true;
  into.lock_source.content = std::move(content);
  contract::read_lock_result read = contract::read_lock(into.lock_source);
  if (!read.diagnostics.empty()) {
    std::string words = text::spell(read.diagnostics, into.lock_source);
    words.pop_back();
    throw base_error{fmt::format("the lock of {} cannot be used\n{}", into.name, words)};
  }
  into.lock = std::move(read.value);
}

/// The migrations' directory of what is named, when it has a lock.
std::optional<fs::path> directory_of(const fs::path& named) {
  for (const fs::path& directory : {named / "migrations", named})
    if (fs::is_regular_file(directory / lock_name)) return directory;
  return std::nullopt;
}

base read_directory(const std::string& name, const fs::path& migrations) {
  base made{.name = name, .lock_source = {(migrations / lock_name).string(), {}}};
  made.hooks = hooks_below(migrations);
  read_lock(made, render::file_system::read(migrations / lock_name).value_or(""));
  return made;
}

base read_file(const std::string& name) {
  base made{.name = name, .lock_source = {name, {}}};
  auto content = render::file_system::read(fs::canonical(name));
  if (!content) throw base_error{fmt::format("{} cannot be read", name)};
  read_lock(made, *std::move(content));
  return made;
}

bool is_hook(const std::string& name) {
  const std::size_t slash = name.find('/');
  return slash != std::string::npos && name.substr(slash).starts_with("/hooks/") && name.ends_with(".sql");
}

}  // namespace

std::map<std::string, std::string> hooks_below(const fs::path& migrations) {
  std::map<std::string, std::string> hooks;
  for (const fs::directory_entry& line : fs::directory_iterator{migrations}) {
    const fs::path directory = line.path() / "hooks";
    if (!fs::is_directory(directory)) continue;
    for (const fs::directory_entry& file : fs::directory_iterator{directory})
      if (auto text = render::file_system::read(file.path()))
        hooks.emplace(file.path().lexically_relative(migrations).generic_string(), *std::move(text));
  }
  return hooks;
}

base read_commit(const std::string& name, const fs::path& migrations) {
  const git_tree tree = open_git_tree(name, migrations);
  base made{.name = name, .lock_source = {fmt::format("{}:{}", name, (migrations / lock_name).string()), {}}};
  made.hooks = read_git_files(tree, [](const std::string& file) { return is_hook(file); });
  auto lock = read_git_files(tree, [](const std::string& file) { return file == lock_name; });
  if (!lock.empty()) read_lock(made, std::move(lock.begin()->second));
  return made;
}

base read_base(const std::string& against, const fs::path& migrations) {
  if (against.empty()) throw base_error{"--against needs a commit, a lock file or a directory"};
  std::error_code ignored;
  if (const auto directory = directory_of(against)) return read_directory(against, *directory);
  if (fs::is_regular_file(against, ignored)) return read_file(against);
  return read_commit(against, migrations);
}

}  // namespace check
