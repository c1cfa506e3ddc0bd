// Up, rollback, up: what a reverse leaves has to be what was there before, and going up again has to give the same.

#include <fmt/format.h>

#include "check/server_run.hpp"
#include "migrate/drift_expected.hpp"
#include "migrate/rollback.hpp"

namespace check {
namespace {

/// The runner makes the schema, for its ledger, and leaves it.
bool is_left_by_runner(const server_run& run, const migrate::difference& each) {
  return each.kind == migrate::difference_kind::unexpected && each.object == "schema " + run.schema();
}

class rollback_check {
 public:
  explicit rollback_check(const server_run& run) : run_{run}, at_{run.database()} {}

  void run() {
    migrate::catalog before = run_.catalog(*at_);
    for (const migrate::migration& one : run_.files.migrations) {
      run_.how.progress(fmt::format("taking back {}", migrate::title(one)));
      if (!up(one)) return;
      const migrate::catalog after = run_.catalog(*at_);
      if (is_reversible(one) && !there_and_back(one, before, after)) return;
      before = after;
    }
  }

 private:
  bool is_reversible(const migrate::migration& one) const {
    for (const migrate::step& part : one.steps) {
      if (part.reverse) continue;
      run_.how.noted(fmt::format("{} cannot be taken back: step {} has no reverse", migrate::title(one), part.name));
      return false;
    }
    return true;
  }

  /// False when there is no way to go on.
  bool there_and_back(const migrate::migration& one, const migrate::catalog& before, const migrate::catalog& after) {
    if (!down(one)) return false;
    compare(one, "server_rollback_differs", "taking it back does not leave what was there before", before);
    if (!up(one)) return false;
    compare(one, "server_rollback_differs", "applying it again after a rollback does not give the same", after);
    return true;
  }

  bool up(const migrate::migration& one) {
    std::size_t done = 0;
    auto how = run_.request(*at_, migrate::target{one.line, one.number});
    how.applied = [&](const auto&, const auto&, auto) { ++done; };
    try {
      migrate::apply(run_.files, how);
      return true;
    } catch (const migrate::error& failed) {
      if (!is_of_migrations(failed)) throw;
      const migrate::step* const part = done < one.steps.size() ? &one.steps[done] : nullptr;
      run_.add(name::server_rollback, "server_rollback_fails", one, part,
               fmt::format("does not apply in its place, or not again: {}", first_words(failed)), "");
      return false;
    }
  }

  bool down(const migrate::migration& one) {
    std::size_t left = one.steps.size();
    migrate::rollback_request how{.database = at_->url(), .schema = run_.schema(), .line = one.line};
    how.number = one.number;
    how.taken_back = [&](const auto&, auto) { --left; };
    try {
      migrate::rollback(how);
      return true;
    } catch (const migrate::error& failed) {
      if (!is_of_migrations(failed)) throw;
      run_.add(name::server_rollback, "server_rollback_fails", one, left == 0 ? nullptr : &one.steps[left - 1],
               fmt::format("its reverse fails: {}", first_words(failed)),
               "a reverse has to undo what its step has done, and nothing else");
      return false;
    }
  }

  /// The step whose text names the object is the one that is meant.
  const migrate::step* step_of(const migrate::migration& one, const std::string& object) const {
    const std::string name = object.substr(object.find_last_of(". ") + 1);
    for (const migrate::step& part : one.steps)
      if (part.sql.find(name) != std::string::npos) return &part;
    return nullptr;
  }

  void compare(const migrate::migration& one, std::string_view code, std::string_view what,
               const migrate::catalog& expected) {
    for (const auto& each : differences(expected, run_.catalog(*at_))) {
      if (is_left_by_runner(run_, each)) continue;
      run_.add(name::server_rollback, code, one, step_of(one, each.object), fmt::format("{}: {}", what, each.words),
               "a reverse has to undo what its step has done, and nothing else");
    }
  }

  const server_run& run_;
  std::unique_ptr<scratch_place> at_;
};

}  // namespace

void check_rollback(const server_run& run) {
  rollback_check{run}.run();
}

}  // namespace check
