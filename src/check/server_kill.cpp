// The runner is killed at every point of a step, and another one goes on: the result has to be the same.

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "check/server_run.hpp"
#include "migrate/drift_expected.hpp"

namespace check {
namespace {

/// What ends a runner from inside of its call.
struct kill {};

enum class point { begun, executed, uncommitted, recorded };
enum class manner { runner, server };  // who dies: the program, or its sessions

constexpr std::string_view spell(point at) {
  switch (at) {
    case point::begun:
      return "when it was begun";
    case point::executed:
      return "when all was done and the ledger did not know";
    case point::uncommitted:
      return "before its commit";
    case point::recorded:
      return "when it was recorded";
  }
  return "";
}

point point_of(migrate::moment when) {
  return when == migrate::moment::begun      ? point::begun
         : when == migrate::moment::executed ? point::executed
                                             : point::recorded;
}

/// One death of a runner.
struct death {
  const migrate::migration* one = nullptr;
  const migrate::step* part = nullptr;
  point at{};
  manner how{};
  auto key() const { return std::tuple{part, at, how}; }
};

class kill_check {
 public:
  explicit kill_check(const server_run& run) : run_{run} {}

  void run() {
    std::vector<death> all;
    if (!play([&](const death& one) { return all.push_back(one), true; })) return;
    const auto differing = differences(run_.installed, found_);
    if (differing.empty()) return;
    find_culprit(all, differing);
  }

 private:
  bool is_wanted(const migrate::migration& one) const {
    return run_.how.is_thorough || one.number == count_of(run_, one.line);
  }

  /// Installs, with a death at every point where `dies` says so; the next runner goes on. False when it could not.
  template <class Dies>
  bool play(Dies dies) {
    const auto at = run_.database();
    done_.clear();
    last_ = {};
    for (;;) {
      try {
        migrate::apply(run_.files, request(*at, dies));
        if (!is_dead_) break;
      } catch (const kill&) {
      } catch (const migrate::error& failed) {
        if (!is_dead_) {
          report_failure(failed);
          return false;
        }
      }
      wait_for_sessions(*at);
      is_dead_ = false;
    }
    found_ = run_.catalog(*at);
    return true;
  }

  template <class Dies>
  migrate::request request(const scratch_place& at, Dies dies) {
    auto how = run_.request(at);
    const auto visit = [this, &at, dies](const migrate::migration& one, const migrate::step& part, point when) {
      if (!is_wanted(one)) return;
      for (const manner each : {manner::runner, manner::server}) {
        const death now{&one, &part, when, each};
        if (done_.contains(now.key()) || !dies(now)) continue;
        done_.insert(now.key());
        die(at, now);
        return;
      }
    };
    how.reached = [visit](migrate::moment when, const auto& one, const auto& part) {
      visit(one, part, point_of(when));
    };
    how.observed = [visit](const auto& one, const auto& part, const auto&) { visit(one, part, point::uncommitted); };
    return how;
  }

  void die(const scratch_place& at, const death& now) {
    if (now.part != last_.part)
      run_.how.progress(fmt::format("killing {}, step {}", migrate::title(*now.one), now.part->name));
    last_ = now;
    is_dead_ = true;
    if (now.how == manner::runner) throw kill{};
    quern::connection db{at.url(), {.application_name = "quern check"}};
    db.execute(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'");
    wait_for_sessions(at);
  }

  /// The server notices the death of a client a moment later.
  void wait_for_sessions(const scratch_place& at) const {
    quern::connection db{at.url(), {.application_name = "quern check"}};
    db.execute(
        "select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'");
  }

  std::string words(const death& one) const {
    return fmt::format("after {} died {}", one.how == manner::runner ? "the runner" : "its session", spell(one.at));
  }

  void report_failure(const migrate::error& failed) {
    if (!is_of_migrations(failed)) throw failed;
    run_.add(name::server_kill, "server_kill_fails", last_.one == nullptr ? run_.files.migrations.front() : *last_.one,
             last_.part, fmt::format("{}, nobody can go on: {}", words(last_), first_words(failed)), help());
  }

  static std::string help() {
    return "outside of a transaction a step needs a `-- cleanup` that removes what a killed try has left, and can have "
           "a `-- probe` that sees that it is done";
  }

  /// Each death alone, until the one is found after which the result is another.
  void find_culprit(const std::vector<death>& all, const std::vector<migrate::difference>& differing) {
    for (const death& one : all) {
      if (!play([&](const death& now) { return now.key() == one.key(); })) return;
      const auto its = differences(run_.installed, found_);
      if (!its.empty())
        return run_.add(name::server_kill, "server_kill_differs", *one.one, one.part,
                        fmt::format("{}, the next one makes something else: {}", words(one), told(its)), help());
    }
    run_.add_at_object(name::server_kill, "server_kill_differs", differing.front().object,
                       fmt::format("after runners died at every point, the result is another: {}", told(differing)),
                       help());
  }

  const server_run& run_;
  std::set<std::tuple<const migrate::step*, point, manner>> done_;
  death last_;
  bool is_dead_ = false;
  migrate::catalog found_;
};

}  // namespace

void check_kills(const server_run& run) {
  kill_check{run}.run();
}

}  // namespace check
