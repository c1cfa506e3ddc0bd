#include "migrate/rollback.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <tuple>

#include "migrate/error.hpp"
#include "migrate/ledger.hpp"
#include "migrate/patience.hpp"
#include "migrate/plan.hpp"
#include "migrate/undo.hpp"
#include "migrate/workbench.hpp"

namespace migrate {
namespace {

using namespace std::chrono_literals;

// From which number on a line goes.
struct cut {
  std::string line;
  int lowest = 0;
  bool is_newest_only = false;
};

workplace place_of(const rollback_request& how) {
  return {.database = how.database,
          .schema = how.schema,
          .program = "quern rollback",
          .patience = how.patience,
          .progress = how.progress,
          .under_way = how.under_way};
}

std::vector<applied_migration> read_applied(quern::connection& db, const rollback_request& how) {
  return by_migration(read_ledger(db, how.schema));
}

// Of equals, another line's before core's.
auto moment_of(const applied_migration& one) {
  std::string latest;
  for (const applied_step& row : one.steps) latest = std::max(latest, row.applied_at);
  return std::tuple{latest, one.first().line != "core", one.first().number};
}

// What is asked for, while nobody holds the locks: what others apply meanwhile is not meant.
std::optional<cut> choose(const std::vector<applied_migration>& applied, const rollback_request& how) {
  if (how.line && how.number) return cut{*how.line, *how.number};
  std::vector<applied_migration> candidates;
  for (const applied_migration& one : applied)
    if (!how.line || one.first().line == *how.line) candidates.push_back(one);
  const auto newest = how.line
                          ? std::ranges::max_element(candidates, {}, [](const auto& one) { return one.first().number; })
                          : std::ranges::max_element(candidates, {}, moment_of);
  if (newest == candidates.end()) return std::nullopt;
  return cut{newest->first().line, newest->first().number, true};
}

// The newest first.
std::vector<applied_migration> what_goes(const std::vector<applied_migration>& applied, const cut& from) {
  std::vector<applied_migration> made;
  for (const applied_migration& one : applied)
    if (one.first().line == from.line && one.first().number >= from.lowest) made.push_back(one);
  std::ranges::reverse(made);
  return made;
}

void check_nothing_came_on_top(const std::vector<applied_migration>& going, const cut& from) {
  if (!from.is_newest_only || going.size() <= 1) return;
  throw error{reason::history_mismatch, fmt::format("{} was applied on top of {} meanwhile; nothing was taken back",
                                                    title(going.front()), title(going.back()))};
}

void check_core(const std::vector<applied_migration>& applied, const std::vector<applied_migration>& going) {
  if (going.empty() || going.back().first().line != "core") return;
  std::vector<std::string> later;
  for (const applied_migration& one : applied_after_core(applied, going.back().first().number))
    later.push_back(title(one));
  if (later.empty()) return;
  throw error{
      reason::wrong_input,
      fmt::format("{} cannot be taken back: every line may need what core has, and {} applied after it; take "
                  "{} back first; nothing was changed",
                  title(going.back()), fmt::format("{} {}", fmt::join(later, ", "), later.size() == 1 ? "was" : "were"),
                  later.size() == 1 ? "that" : "those")};
}

std::vector<applied_migration> plan_rollback(quern::connection& db, const rollback_request& how, const cut& from) {
  const std::vector<applied_migration> applied = read_applied(db, how);
  std::vector<applied_migration> going = what_goes(applied, from);
  check_nothing_came_on_top(going, from);
  check_core(applied, going);
  check_reversible(going);
  return going;
}

// Takes back under the runner's locks.
class undoing {
 public:
  explicit undoing(const rollback_request& how) : how_{how}, place_{place_of(how)}, bench_{place_} {}

  std::vector<std::string> run(const cut& from) {
    std::vector<std::string> titles;
    const std::vector<applied_migration> going = plan_rollback(bench_.guard(), how_, from);
    if (!going.empty()) bench_.make_ledger();
    for (const applied_migration& one : going) {
      for (const undo_step& part : undo_steps(bench_.guard(), how_.schema, one)) take_back_or_tell(part);
      titles.push_back(title(one));
    }
    return titles;
  }

 private:
  // Each step is for good when it has ended: what fails behind it does not bring it back.
  void take_back_or_tell(const undo_step& part) try {
    take_back(part);
    gone_.push_back(title(part.row));

  } catch (const error& refused) {
    if (gone_.empty()) throw;
    throw error{
        refused.why(),
        fmt::format("{}\n{} {} taken back before that: `quern migrate` brings {} back", refused.what(),
                    fmt::join(gone_, "; "), gone_.size() == 1 ? "was" : "were", gone_.size() == 1 ? "it" : "them"),
        refused.server_says()};
  }

  void take_back(const undo_step& part) {
    patience left{how_.wait_for_use, 200ms, 5s};
    onlookers watching;
    watching.when_begun = [&] { how_.begun(part.row); };
    watching.when_executed = [&] { how_.executed(part.row); };
    std::string told;
    for (;;) {
      try {
        return how_.taken_back(part.row, bench_.run(part.what, watching));
      } catch (const error& refused) {
        if (refused.why() != reason::still_in_use || left.is_over()) throw;
        if (refused.server_says() != told)
          how_.progress(fmt::format("{} waits: {}", part.what.what, refused.server_says()));
        told = refused.server_says();
      }
      left.pause();
    }
  }

  const rollback_request& how_;
  const workplace place_;
  workbench bench_;
  std::vector<std::string> gone_{};
};

}  // namespace

std::vector<std::string> rollback(const rollback_request& how) try {
  std::optional<cut> from;
  {
    quern::connection db = connect(place_of(how));
    from = choose(read_applied(db, how), how);
    if (!from || plan_rollback(db, how, *from).empty()) return {};
    check_writable(db);
  }
  return undoing{how}.run(*from);

} catch (const quern::error& failed) {
  rethrow(failed);
}

std::string rollback_dry_run(const rollback_request& how) try {
  quern::connection db = connect(place_of(how));
  const std::optional<cut> from = choose(read_applied(db, how), how);
  std::string sql;
  if (!from) return sql;
  for (const applied_migration& one : plan_rollback(db, how, *from))
    for (const undo_step& part : undo_steps(db, how.schema, one))
      sql += fmt::format("-- {}\n{}\n", part.what.what, spelled(part.what));
  return sql;

} catch (const quern::error& failed) {
  rethrow(failed);
}

}  // namespace migrate
