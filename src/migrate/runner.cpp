#include "migrate/runner.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <quern/sqlstate.hpp>

#include "migrate/blockers.hpp"
#include "migrate/error.hpp"
#include "migrate/ledger.hpp"
#include "migrate/patience.hpp"
#include "migrate/plan.hpp"
#include "migrate/roles.hpp"
#include "migrate/runner_lock.hpp"
#include "migrate/script.hpp"
#include "migrate/step_script.hpp"

namespace migrate {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view read_only_transaction = "25006";

template <std::size_t Count>
bool is_one_of(std::string_view sqlstate, const std::array<std::string_view, Count>& codes) {
  return std::ranges::find(codes, sqlstate) != codes.end();
}

reason reason_of(std::string_view sqlstate) {
  constexpr std::array denied{quern::sqlstate::insufficient_privilege, read_only_transaction};
  return is_one_of(sqlstate, denied) ? reason::not_permitted : reason::failed;
}

bool is_passing(std::string_view sqlstate) {
  constexpr std::array passing{quern::sqlstate::lock_not_available, quern::sqlstate::deadlock_detected,
                               quern::sqlstate::serialization_failure};
  return is_one_of(sqlstate, passing);
}

// What fails outside of the steps' own SQL.
[[noreturn]] void rethrow(const quern::error& failed) {
  if (failed.connection_lost())
    throw error{reason::unreachable, fmt::format("the database cannot be reached: {}", failed.what())};
  throw error{reason_of(failed.sqlstate()), failed.what()};
}

quern::connection connect(const request& how) {
  return quern::connection{how.database, {.application_name = "quern migrate"}};
}

std::string spell_all(const std::vector<blocker>& blockers) {
  std::vector<std::string> each;
  std::ranges::transform(blockers, std::back_inserter(each), [](const blocker& one) { return spell(one); });
  return fmt::format("{}", fmt::join(each, "; "));
}

// Applies steps under the runner's two locks: `guard_` is idle and looks around, `work_` changes things.
class runner {
 public:
  explicit runner(const request& how) : how_{how}, guard_{connect(how)}, work_{connect(how)} {
    const runner_keys keys = keys_of(how.schema);
    take_lock(guard_, keys.guard, how.patience, how.progress);
    // A killed runner's last step may still be under way and about to commit: the ledger is read only after it.
    take_lock(work_, keys.work, how.patience, how.progress);
    watch_for_our_end();
    work_.on_notice([this](const quern::notice& said) {
      if (said.severity == "WARNING") how_.progress(fmt::format("the server warns: {}", said.message));
    });
  }

  summary run(const directory& files) {
    const plan todo = make_plan(guard_, files, how_);
    if (todo.pending.empty()) return {};
    for (const std::string& role : todo.missing_roles) add_role(role);
    make_ledger();
    summary done;
    for (const pending_migration& one : todo.pending) {
      for (std::size_t step = one.first_step; step < one.what->steps.size(); ++step) apply_step(*one.what, step);
      done.steps += one.what->steps.size() - one.first_step;
      ++done.migrations;
    }
    return done;
  }

 private:
  // When this process is killed while the server waits for a lock, the server should not go on waiting. Not every
  // system can notice that; there the work lock alone keeps the next runner away until the step has ended.
  void watch_for_our_end() {
    try {
      work_.execute("set client_connection_check_interval = '1s'");
    } catch (const quern::database_error&) {
    }
  }

  void add_role(const std::string& role) {
    create_role(work_, role);
    how_.progress(fmt::format("created the missing role: {}", create_role_statement(role)));
  }

  void make_ledger() {
    if (guard_.execute("select to_regclass($1) is not null", quern::quoted_identifier(how_.schema) + ".quern_migration")
            .value<bool>())
      return;
    work_.run_script(ledger_bootstrap(how_.schema));
  }

  void apply_step(const migration& one, std::size_t step) {
    const std::string script = step_script(how_.schema, one, step);
    patience left{how_.patience, 200ms, 5s};
    blockers_.clear();
    for (;;) {
      const auto start = patience::clock::now();
      const auto failed = run_script(work_, script, 200ms, [&] { look_for_blockers(one, step); });
      if (!failed) {
        const auto taken = patience::clock::now() - start;
        return how_.applied(one, one.steps[step], std::chrono::duration_cast<std::chrono::milliseconds>(taken));
      }
      if (failed->details.is_connection_lost) lost(one, step, *failed);
      if (!is_passing(failed->details.sqlstate)) refuse(one, step, *failed);
      if (left.is_over()) give_up(one, step, *failed);
      how_.progress(
          fmt::format("{}, step {}: {}; trying again", title(one), one.steps[step].name, failed->details.message));
      left.pause();
    }
  }

  void look_for_blockers(const migration& one, std::size_t step) {
    std::vector<blocker> now;
    try {
      now = blockers_of(guard_, work_.backend_pid());
    } catch (const quern::error&) {
      return;  // The step goes on without someone who looks.
    }
    if (now.empty()) return;
    const bool is_known = std::ranges::equal(now, blockers_, {}, &blocker::pid, &blocker::pid);
    blockers_ = std::move(now);
    if (!is_known)
      how_.progress(fmt::format("{}, step {} waits for {}", title(one), one.steps[step].name, spell_all(blockers_)));
  }

  [[noreturn]] static void lost(const migration& one, std::size_t step, const script_failure& failed) {
    throw error{reason::unreachable,
                fmt::format("the connection was lost during {}, step {}: {}\nRun `quern migrate` again: it looks at "
                            "what was applied and goes on from there.",
                            title(one), one.steps[step].name, failed.details.message)};
  }

  [[noreturn]] static void refuse(const migration& one, std::size_t step, const script_failure& failed) {
    throw error{reason_of(failed.details.sqlstate),
                fmt::format("{}\n{}, step {} failed: nothing of this step remains, what was applied before it stays",
                            explain(one, step, failed), title(one), one.steps[step].name)};
  }

  [[noreturn]] void give_up(const migration& one, std::size_t step, const script_failure& failed) const {
    std::string words = fmt::format("gave up on {}, step {} after {} s: {}", title(one), one.steps[step].name,
                                    std::chrono::duration_cast<std::chrono::seconds>(how_.patience).count(),
                                    explain(one, step, failed));
    if (!blockers_.empty()) words += fmt::format("\n  blocked by {}", spell_all(blockers_));
    throw error{reason::gave_up_waiting, words + "\n  nothing of this step remains"};
  }

  const request& how_;
  quern::connection guard_;
  quern::connection work_;
  std::vector<blocker> blockers_;  // of the step, as last seen
};

}  // namespace

summary apply(const directory& files, const request& how) try {
  {
    // Without locks: what is wrong, or already done, need not wait for another runner.
    quern::connection db = connect(how);
    const plan todo = make_plan(db, files, how);
    if (todo.pending.empty()) return {};
    check_server(db, todo, how);
  }
  return runner{how}.run(files);

} catch (const quern::error& failed) {
  rethrow(failed);
}

std::string dry_run(const directory& files, const request& how) try {
  quern::connection db = connect(how);
  const plan todo = make_plan(db, files, how);
  if (todo.pending.empty()) return {};
  check_server(db, todo, how);
  std::string sql;
  for (const std::string& role : todo.missing_roles) sql += create_role_statement(role) + '\n';
  if (read_ledger(db, how.schema).empty()) sql += ledger_bootstrap(how.schema);
  for (const pending_migration& one : todo.pending)
    for (std::size_t step = one.first_step; step < one.what->steps.size(); ++step)
      sql += fmt::format("\n-- {}, step {}\n{}", title(*one.what), one.what->steps[step].name,
                         step_script(how.schema, *one.what, step));
  return sql;

} catch (const quern::error& failed) {
  rethrow(failed);
}

survey look(const directory& files, const std::string& database, const std::string& schema) try {
  quern::connection db{database, {.application_name = "quern status"}};
  survey made{.applied = read_ledger(db, schema), .compared = {}};
  made.compared = compare(files, made.applied);
  return made;

} catch (const quern::error& failed) {
  rethrow(failed);
}

}  // namespace migrate
