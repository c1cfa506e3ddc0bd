#include "migrate/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace migrate {
namespace {

using key = std::pair<std::string, int>;

key key_of(const applied_migration& one) {
  return {one.first().line, one.first().number};
}

// The migration's own file; nothing when only steps of a hook were applied.
const applied_step* own_step(const applied_migration& known) {
  const auto found = std::ranges::find(known.steps, false, &applied_step::is_hook);
  return found == known.steps.end() ? nullptr : &*found;
}

// Whether as many steps may have been applied as there are now.
bool can_be_all_of_it(const migration& file, const applied_migration& known) {
  if (known.is_complete()) return known.steps.size() == file.steps.size();
  const auto finished = std::ranges::count_if(known.steps, &applied_step::is_finished);
  return known.steps.size() <= file.steps.size() && static_cast<std::size_t>(finished) < file.steps.size();
}

// What the file of a hook is now and was then, in words; nothing when it is the same.
std::optional<std::string> hook_difference(const migration& file, const applied_migration& known) {
  const std::size_t common = std::min(file.steps.size(), known.steps.size());
  for (std::size_t i = 0; i < common; ++i) {
    const step& now = file.steps[i];
    const applied_step& then = known.steps[i];
    // A hook that failed outside of a transaction may be mended.
    if (now.from_hook && !then.is_finished) continue;
    if (now.from_hook.has_value() != then.is_hook)
      return fmt::format("a hook of {} was added or removed after {} was applied at {}", file_name(file), title(then),
                         then.applied_at);
    if (now.from_hook && now.from_hook->checksum != then.checksum)
      return fmt::format("{} was edited after {} was applied at {}: the file's checksum is {}, the database's is {}",
                         now.from_hook->file.string(), title(then), then.applied_at, now.from_hook->checksum,
                         then.checksum);
  }
  if (!can_be_all_of_it(file, known))
    return fmt::format(
        "a hook of {} was added or removed after it was applied at {}: the files make {} steps of it, the "
        "database has {}",
        file_name(file), known.steps.back().applied_at, file.steps.size(), known.steps.size());
  return std::nullopt;
}

std::optional<std::string> difference(const migration& file, const applied_migration& known) {
  if (known.first().name != file.name)
    return fmt::format("{} was applied as {}: it was renamed", file_name(file), title(known));
  const applied_step* const own = own_step(known);
  if (own != nullptr && own->checksum != file.checksum)
    return fmt::format("{} was edited after it was applied at {}: the file's checksum is {}, the database's is {}",
                       file_name(file), own->applied_at, file.checksum, own->checksum);
  return hook_difference(file, known);
}

std::string stale_words(const migration& file, const applied_migration& known, const draft_names& drafts) {
  constexpr std::string_view remedy =
      "`quern migrate --replace-drafts` takes the old draft back and applies the new one";
  if (known.first().name != file.name)
    return fmt::format("{} is a draft that this database got, and its file is {} now: {}", title(known),
                       file_name(file), remedy);
  if (!drafts.contains(file_name(file)))
    return fmt::format("{} was released in another form than the draft that this database got: {}", title(known),
                       remedy);
  return fmt::format("{} is a draft and was generated again after this database got it: {}", title(known), remedy);
}

void compare_one(const migration& file, const applied_migration& known, const draft_names& drafts, comparison& into) {
  if (const auto found = difference(file, known)) {
    if (known.is_draft())
      into.stale_drafts.push_back({file.line, file.number, stale_words(file, known, drafts)});
    else
      into.mismatches.push_back(*found);
    return;
  }
  if (known.is_complete()) return;
  const auto unfinished = std::ranges::find(known.steps, false, &applied_step::is_finished);
  into.pending.push_back({&file, static_cast<std::size_t>(unfinished - known.steps.begin())});
}

std::map<std::string, int> last_numbers(const directory& files) {
  std::map<std::string, int> last;
  for (const migration& file : files.migrations) last[file.line] = std::max(last[file.line], file.number);
  return last;
}

void find_missing(const directory& files, const std::vector<applied_migration>& applied, comparison& into) {
  std::set<key> present;
  for (const migration& file : files.migrations) present.emplace(file.line, file.number);
  std::map<std::string, int> last = last_numbers(files);
  for (const applied_migration& known : applied) {
    const applied_step& row = known.first();
    if (present.contains(key_of(known))) continue;
    if (known.is_draft())
      into.stale_drafts.push_back({row.line, row.number,
                                   fmt::format("{} is a draft that this database got, and its file is gone: `quern "
                                               "migrate --replace-drafts` takes it back",
                                               title(known))});
    else if (row.number > last[row.line])
      into.unknown.push_back(title(known));
    else
      into.mismatches.push_back(fmt::format("{} was applied at {} (checksum {}), but its file is missing", title(known),
                                            row.applied_at, row.checksum));
  }
}

// Unfinished migrations in front of an applied one would be applied out of order. Drafts that are to be taken back are
// no reason.
void find_overtaken(const std::vector<applied_migration>& applied, comparison& into) {
  std::set<key> stale;
  for (const stale_draft& one : into.stale_drafts) stale.emplace(one.line, one.number);
  std::map<std::string, int> last;
  for (const applied_migration& known : applied)
    if (!stale.contains(key_of(known)))
      last[known.first().line] = std::max(last[known.first().line], known.first().number);
  for (const pending_migration& one : into.pending) {
    const auto found = last.find(one.what->line);
    if (found == last.end() || found->second <= one.what->number) continue;
    into.mismatches.push_back(fmt::format("{} is not applied, but the later {}/{:04} is: their order was changed",
                                          file_name(*one.what), one.what->line, found->second));
  }
}

}  // namespace

bool applied_migration::is_complete() const {
  return steps.back().step == steps.back().step_count && std::ranges::all_of(steps, &applied_step::is_finished);
}

bool applied_migration::is_draft() const {
  return std::ranges::any_of(steps, &applied_step::is_draft);
}

std::string title(const applied_migration& one) {
  return fmt::format("{}/{:04}_{}", one.first().line, one.first().number, one.first().name);
}

std::string title(const applied_step& one) {
  const std::string step = one.step_name.empty() ? std::to_string(one.step) : one.step_name;
  return fmt::format("{}/{:04}_{}, step {}", one.line, one.number, one.name, step);
}

std::vector<applied_migration> by_migration(std::vector<applied_step> applied) {
  const auto place = [](const applied_step& row) { return std::tie(row.line, row.number, row.step); };
  std::ranges::sort(applied, {}, place);
  std::vector<applied_migration> made;
  for (applied_step& row : applied) {
    if (made.empty() || key_of(made.back()) != key{row.line, row.number}) made.emplace_back();
    made.back().steps.push_back(std::move(row));
  }
  return made;
}

comparison compare(const directory& files, std::vector<applied_step> rows, const draft_names& drafts) {
  comparison made;
  const std::vector<applied_migration> applied = by_migration(std::move(rows));
  std::map<key, const applied_migration*> by_key;
  for (const applied_migration& known : applied) by_key.emplace(key_of(known), &known);
  for (const migration& file : files.migrations) {
    const auto known = by_key.find({file.line, file.number});
    if (known == by_key.end())
      made.pending.push_back({&file, 0});
    else
      compare_one(file, *known->second, drafts, made);
  }
  find_missing(files, applied, made);
  find_overtaken(applied, made);
  return made;
}

}  // namespace migrate
