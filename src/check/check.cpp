#include "check/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "check/breaks.hpp"
#include "check/generation.hpp"
#include "check/history.hpp"
#include "check/hook.hpp"
#include "render/file_system.hpp"
#include "text/file.hpp"

namespace check {
namespace {

namespace fs = std::filesystem;

bool has_migration(const project& of, const line_file& hook) {
  const contract::line* const line = of.lock ? contract::find_line(*of.lock, hook.line) : nullptr;
  if (line != nullptr && static_cast<std::size_t>(hook.number) <= line->migrations.size()) return true;
  return std::ranges::any_of(of.migrations, [&](const read_migration& one) {
    return one.file.line == hook.line && one.file.number == hook.number;
  });
}

void check_one_hook(const project& of, const line_file& hook, const project_objects& ours, report& found) {
  const std::string file = hook.path.string();
  if (!has_migration(of, hook))
    found.add(name::hooks, file,
              problem("hook_without_migration",
                      fmt::format("there is no migration {}/{:04}, so that the hook is never applied", hook.line,
                                  hook.number),
                      "give it the number of the migration that it belongs to"));
  if (fs::file_size(hook.path) > largest_hook) return found.add(name::hooks, file, hook_too_large());
  const auto content = render::file_system::read(hook.path);
  if (!content) return;
  const text::source source{file, *content};
  auto problems = check_hook(source, ours);
  if (!problems.empty()) found.sources.emplace(file, source);
  for (text::diagnostic& one : problems) found.add(name::hooks, file, std::move(one));
}

}  // namespace

report check_project(const places& where, const std::optional<base>& against, std::chrono::sys_days today) {
  report found;
  found.checks = {name::declaration, name::lock, name::migrations, name::contracts, name::generated, name::hooks};
  project of{.where = where};
  read_declaration(of, found);
  read_lock(of, found);
  // What the base has was looked at when it was merged.
  read_migrations(of, against && against->has_lock ? against->lock : of.lock.value_or(contract::lock{}), found);
  const project_objects ours = check_generated(of, found);
  check_breaks(of, today, found);
  for (const line_file& hook : of.hooks) check_one_hook(of, hook, ours, found);
  if (against) {
    found.checks.push_back(name::history);
    check_history(of, *against, found);
  }
  sort(found);
  return found;
}

}  // namespace check
