// The locks that a step holds just before it commits, against the words of its `-- lock:`.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "check/server_run.hpp"

namespace check {
namespace {

struct lock_mode {
  std::string_view words;  // as a step declares it
  std::string_view mode;   // as pg_locks spells it
};

/// From the weakest to the strongest.
constexpr std::array modes{lock_mode{"share update exclusive", "ShareUpdateExclusiveLock"},
                           lock_mode{"share row exclusive", "ShareRowExclusiveLock"}, lock_mode{"share", "ShareLock"},
                           lock_mode{"exclusive", "ExclusiveLock"},
                           lock_mode{"access exclusive", "AccessExclusiveLock"}};

constexpr std::array strength{"ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock",
                              "AccessExclusiveLock"};

std::size_t strength_of(std::string_view mode) {
  return static_cast<std::size_t>(std::ranges::find(strength, mode) - strength.begin());
}

std::string lower(std::string_view text) {
  std::string made{text};
  std::ranges::transform(made, made.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return made;
}

/// The strongest mode that the words allow; nothing when they say none that is known. `none` allows what neither
/// readers nor writers of a table notice.
std::optional<std::size_t> allowed(std::string_view declared) {
  const std::string words = lower(declared);
  if (words.starts_with("none")) return strength_of("ShareUpdateExclusiveLock");
  const auto found = std::ranges::find_if(modes, [&](const lock_mode& one) { return words.starts_with(one.words); });
  return found == modes.end() ? std::nullopt : std::optional{strength_of(found->mode)};
}

/// Views are replaced in place, and triggers on them made anew, under their strongest lock, for an instant in which
/// nobody reads rows; a sequence that is set waits for nobody who holds it longer. Only tables count.
bool is_table(quern::connection& db, const std::string& relation) {
  return db
      .execute(
          "select exists (select from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
          "where n.nspname || '.' || c.relname = $1 and c.relkind in ('r', 'p', 'm', 'f'))",
          relation)
      .value<bool>();
}

}  // namespace

void check_locks(const server_run& run, const scratch_place& at, const migrate::migration& one,
                 const migrate::step& part, const std::vector<migrate::table_lock>& taken) {
  const auto strongest = allowed(part.lock);
  if (!strongest) return;
  for (const migrate::table_lock& each : taken) {
    if (strength_of(each.mode) <= *strongest) continue;
    quern::connection db{at.url(), {.application_name = "quern check"}};
    if (!is_table(db, each.relation)) continue;
    run.add(name::server_locks, "server_lock_undeclared", one, &part,
            fmt::format("declares `{}`, and takes {} on {}", part.lock, each.mode, each.relation),
            "say so in its `-- lock:`, with a short lock_timeout, or find a form that does not need it");
  }
}

}  // namespace check
