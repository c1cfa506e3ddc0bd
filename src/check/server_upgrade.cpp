// From every released state to the present one: what an upgrade makes has to be what a fresh install makes.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "check/server_run.hpp"
#include "migrate/drift_expected.hpp"

namespace check {
namespace {

/// How many migrations of each line a database has.
using state = std::map<std::string, int>;

struct starting_point {
  std::string words;
  state has;
};

migrate::directory part_of(const server_run& run, const state& has) {
  migrate::directory made{.root = run.files.root, .migrations = {}};
  for (const migrate::migration& one : run.files.migrations) {
    const auto count = has.find(one.line);
    if (count != has.end() && one.number <= count->second) made.migrations.push_back(one);
  }
  return made;
}

state counts_of(const contract::lock& lock) {
  state made;
  for (const contract::line& line : lock.lines)
    made[line.name] = static_cast<int>(line.released ? line.released->migrations : line.migrations.size());
  return made;
}

class upgrade_check {
 public:
  explicit upgrade_check(const server_run& run) : run_{run} {}

  void run() {
    collect();
    for (const starting_point& one : points_) upgrade(one);
    if (highest() > 1) in_rounds();
  }

 private:
  int highest() const {
    int most = 0;
    for (const std::string& line : lines_of(run_)) most = std::max(most, count_of(run_, line));
    return most;
  }

  void collect() {
    if (run_.against && run_.against->has_lock) add(run_.against->name, counts_of(run_.against->lock));
    add("what is released", counts_of(*run_.of.lock));
    const int core = count_of(run_, contract::core_line);
    for (const std::string& line : lines_of(run_)) {
      const int newest = count_of(run_, line) - 1;
      const int oldest = run_.how.is_thorough ? 1 : std::max(1, newest);
      for (int number = newest; number >= oldest; --number) {
        state has{{std::string{contract::core_line}, core}};
        has[line] = number;
        add(fmt::format("{}/{:04}", line, number), std::move(has));
      }
    }
  }

  /// A state from which nothing is left to do, or all of it, is none to upgrade from.
  void add(std::string words, state has) {
    std::erase_if(has, [](const auto& one) { return one.second == 0; });
    const std::size_t count = part_of(run_, has).migrations.size();
    if (count == 0 || count == run_.files.migrations.size()) return;
    const bool is_known = std::ranges::any_of(points_, [&](const starting_point& one) { return one.has == has; });
    if (!is_known) points_.push_back({std::move(words), std::move(has)});
  }

  void upgrade(const starting_point& from) {
    run_.how.progress(fmt::format("upgrading from {}", from.words));
    const auto at = run_.database();
    // What cannot be applied to an empty database by itself was never a state of its own.
    if (!apply(*at, part_of(run_, from.has), from.words)) return;
    if (!apply(*at, run_.files, from.words)) return;
    compare(*at, from.words);
  }

  /// All first migrations, then all second ones, …: as a database that has followed every release.
  void in_rounds() {
    run_.how.progress("upgrading from release to release");
    const auto at = run_.database();
    for (int number = 1; number <= highest(); ++number) {
      state has;
      for (const std::string& line : lines_of(run_))
        has[line] = line == contract::core_line ? count_of(run_, line) : number;
      if (!apply(*at, part_of(run_, has), "release to release")) return;
    }
    compare(*at, "release to release");
  }

  bool apply(const scratch_place& at, const migrate::directory& files, const std::string& from) {
    std::string reached;
    auto how = run_.request(at);
    const auto pending = migrate::look(files, at.url(), run_.schema(), run_.drafts).compared.pending;
    std::size_t done = 0;
    how.applied = [&](const auto&, const auto&, auto) { ++done; };
    try {
      migrate::apply(files, how);
      return true;
    } catch (const migrate::error& failed) {
      if (!is_of_migrations(failed)) throw;
      report_failure(pending, done, from, failed);
      return false;
    }
  }

  void report_failure(const std::vector<migrate::pending_migration>& pending, std::size_t done, const std::string& from,
                      const migrate::error& failed) {
    const migrate::migration* one = pending.empty() ? &run_.files.migrations.back() : pending.back().what;
    const migrate::step* part = nullptr;
    for (const migrate::pending_migration& each : pending) {
      const std::size_t count = each.what->steps.size() - each.first_step;
      if (done < count) {
        // `pending` refers to the directory that it was asked of.
        one = each.what;
        part = &each.what->steps[each.first_step + done];
        break;
      }
      done -= count;
    }
    run_.add(name::server_upgrade, "server_upgrade_fails", *one, part,
             fmt::format("does not apply when upgrading from {}: {}", from, first_words(failed)),
             "a database in that state cannot follow; what a step needs has to be made by a step before it, in its own "
             "line or in the core");
  }

  void compare(const scratch_place& at, const std::string& from) {
    for (const auto& one : differences(run_.installed, run_.catalog(at)))
      run_.add_at_object(name::server_upgrade, "server_upgrade_differs", one.object,
                         fmt::format("an upgrade from {} does not give what a new install gives: {}", from, one.words),
                         "a step must not depend on what other lines have done before it");
  }

  const server_run& run_;
  std::vector<starting_point> points_;
};

}  // namespace

void check_upgrade(const server_run& run) {
  upgrade_check{run}.run();
}

}  // namespace check
