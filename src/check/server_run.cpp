#include "check/server_run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "contract/queue_names.hpp"
#include "migrate/drift_expected.hpp"
#include "render/file_system.hpp"

namespace check {
namespace {

text::span place_of(report& found, const std::string& file, int line) {
  if (!found.sources.contains(file)) {
    auto content = render::file_system::read(file);
    if (!content) return {};
    found.sources.emplace(file, text::source{file, *std::move(content)});
  }
  auto number = static_cast<std::size_t>(line);
  const text::line_index lines{found.sources.at(file).content};
  while (number < lines.line_count() && lines.line(number).empty()) ++number;
  return {{number, 1}, {number, lines.line(number).size() + 1}};
}

const migrate::migration* last_of(const server_run& run, std::string_view line) {
  const migrate::migration* last = nullptr;
  for (const migrate::migration& one : run.files.migrations)
    if (one.line == line) last = &one;
  return last;
}

/// The line of the queue one of whose names the object's begins with; the core's for all others.
std::string line_of(const server_run& run, const std::string& object) {
  const std::string head = object.substr(0, object.find('('));
  const std::string name = head.substr(head.rfind(' ') + 1);
  std::string best{contract::core_line};
  std::size_t longest = 0;
  for (const contract::line& line : run.of.lock->lines) {
    auto bears = contract::all_names(line.state);
    bears.push_back(line.name);
    for (const std::string& one : bears) {
      const bool is_its = name == one || name.starts_with(one + "_") || name.starts_with(one + ".");
      if (is_its && one.size() > longest) best = line.name, longest = one.size();
    }
  }
  return best;
}

}  // namespace

migrate::request server_run::request(const scratch_place& at, std::optional<migrate::target> to) const {
  migrate::request made{.database = at.url(), .schema = schema(), .to = std::move(to)};
  made.creates_roles = true;
  made.drafts = drafts;
  return made;
}

migrate::catalog server_run::catalog(const scratch_place& at) const {
  return migrate::catalog_of(at.url(), schema());
}

void server_run::add(std::string_view check, std::string_view code, const migrate::migration& one,
                     const migrate::step* part, std::string message, std::string help) const {
  const std::string file = part == nullptr ? one.file.string() : migrate::file_of(one, *part).string();
  const text::span where = part == nullptr ? text::span{} : place_of(found, file, part->first_line);
  const std::string what =
      part == nullptr ? migrate::title(one) : fmt::format("{}, step {}", migrate::title(one), part->name);
  found.add(check, file, problem(code, fmt::format("{}: {}", what, message), std::move(help), where));
}

void server_run::add_at_line(std::string_view check, std::string_view code, std::string_view line, std::string message,
                             std::string help) const {
  const migrate::migration* const last = last_of(*this, line);
  add(check, code, last == nullptr ? files.migrations.back() : *last, nullptr, std::move(message), std::move(help));
}

void server_run::add_at_object(std::string_view check, std::string_view code, const std::string& object,
                               std::string message, std::string help) const {
  const std::string line = line_of(*this, object);
  // A hook is the likelier cause.
  for (auto one = files.migrations.rbegin(); one != files.migrations.rend(); ++one)
    for (const migrate::step& part : one->steps)
      if (one->line == line && part.from_hook)
        return add(check, code, *one, &part, std::move(message), std::move(help));
  add_at_line(check, code, line, std::move(message), std::move(help));
}

int count_of(const server_run& run, std::string_view line) {
  return static_cast<int>(std::ranges::count(run.files.migrations, line, &migrate::migration::line));
}

std::vector<std::string> lines_of(const server_run& run) {
  std::vector<std::string> lines;
  for (const migrate::migration& one : run.files.migrations)
    if (lines.empty() || lines.back() != one.line) lines.push_back(one.line);
  return lines;
}

std::vector<migrate::difference> differences(const migrate::catalog& expected, const migrate::catalog& found) {
  auto all = migrate::compare(expected, found);
  std::erase_if(all, [](const auto& one) { return one.kind == migrate::difference_kind::order; });
  return all;
}

std::string told(const std::vector<migrate::difference>& all) {
  std::string words = all.front().words;
  if (all.size() > 1) words += fmt::format("; {} more", all.size() - 1);
  return words;
}

bool is_of_migrations(const migrate::error& failed) {
  using migrate::reason;
  return failed.why() != reason::unreachable && failed.why() != reason::not_permitted;
}

std::string first_words(const migrate::error& failed) {
  if (!failed.server_says().empty()) return failed.server_says();
  const std::string words = failed.what();
  return words.substr(0, words.find('\n'));
}

last_step step_after(const migrate::directory& files, std::size_t count) {
  for (const migrate::migration& one : files.migrations) {
    if (count < one.steps.size()) return {&one, &one.steps[count]};
    count -= one.steps.size();
  }
  return {};
}

}  // namespace check
