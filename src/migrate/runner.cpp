#include "migrate/runner.hpp"

#include <fmt/format.h>

#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <utility>

#include "migrate/job.hpp"
#include "migrate/ledger.hpp"
#include "migrate/plan.hpp"
#include "migrate/roles.hpp"
#include "migrate/undo.hpp"
#include "migrate/workbench.hpp"

namespace migrate {
namespace {

workplace place_of(const request& how) {
  return {.database = how.database,
          .schema = how.schema,
          .patience = how.patience,
          .progress = how.progress,
          .under_way = how.under_way};
}

class runner {
 public:
  explicit runner(const request& how) : how_{how}, place_{place_of(how)}, bench_{place_} {}

  summary run(const directory& files) {
    const plan todo = make_plan(bench_.guard(), files, how_);
    if (todo.is_empty()) return {};
    for (const std::string& role : todo.missing_roles) add_role(role);
    bench_.make_ledger();
    for (const applied_migration& one : todo.stale_drafts) take_back(one);
    for (const migration* one : todo.released) bench_.work().run_script(ledger_mark_released(how_.schema, *one));
    summary done;
    for (const pending_migration& one : todo.pending) {
      for (std::size_t step = one.first_step; step < one.what->steps.size(); ++step) apply_step(*one.what, step);
      done.steps += one.what->steps.size() - one.first_step;
      ++done.migrations;
    }
    return done;
  }

 private:
  void add_role(const std::string& role) {
    create_role(bench_.work(), role);
    how_.progress(fmt::format("created the missing role: {}", create_role_statement(role)));
  }

  void take_back(const applied_migration& one) {
    for (const undo_step& part : undo_steps(bench_.guard(), how_.schema, one))
      how_.taken_back(part.row, bench_.run(part.what));
  }

  void apply_step(const migration& one, std::size_t step) {
    const migrate::step& part = one.steps[step];
    const auto taken =
        bench_.run(apply_job(how_.schema, one, step, how_.drafts.contains(file_name(one))), onlookers_of(one, part));
    how_.reached(moment::recorded, one, part);
    how_.applied(one, part, taken);
  }

  onlookers onlookers_of(const migration& one, const step& part) {
    onlookers made;
    made.when_begun = [&] { how_.reached(moment::begun, one, part); };
    made.when_executed = [&] { how_.reached(moment::executed, one, part); };
    if (how_.observed)
      made.before_commit = [&] { how_.observed(one, part, locks_of(bench_.guard(), bench_.working_pid())); };
    return made;
  }

  const request& how_;
  const workplace place_;
  workbench bench_;
};

std::string spelled(const plan& todo, quern::connection& db, const request& how) {
  std::string sql;
  for (const std::string& role : todo.missing_roles) sql += create_role_statement(role) + '\n';
  if (needs_bootstrap(db, how.schema)) sql += ledger_bootstrap(how.schema);
  for (const applied_migration& one : todo.stale_drafts)
    for (const undo_step& part : undo_steps(db, how.schema, one))
      sql += fmt::format("\n-- {}\n{}", part.what.what, spelled(part.what));
  for (const migration* one : todo.released) sql += ledger_mark_released(how.schema, *one);
  for (const pending_migration& one : todo.pending)
    for (std::size_t step = one.first_step; step < one.what->steps.size(); ++step) {
      const job part = apply_job(how.schema, *one.what, step, how.drafts.contains(file_name(*one.what)));
      sql += fmt::format("\n-- {}\n{}", part.what, spelled(part));
    }
  return sql;
}

}  // namespace

summary apply(const directory& files, const request& how) try {
  {
    // Without locks: what is wrong, or already done, need not wait for another runner.
    quern::connection db = connect(place_of(how));
    const plan todo = make_plan(db, files, how);
    if (todo.is_empty()) return {};
    check_server(db, todo, how);
  }
  return runner{how}.run(files);

} catch (const quern::error& failed) {
  rethrow(failed);
}

std::string dry_run(const directory& files, const request& how) try {
  quern::connection db = connect(place_of(how));
  const plan todo = make_plan(db, files, how);
  if (todo.is_empty()) return {};
  check_server(db, todo, how);
  return spelled(todo, db, how);

} catch (const quern::error& failed) {
  rethrow(failed);
}

survey look(const directory& files, const std::string& database, const std::string& schema,
            const draft_names& drafts) try {
  quern::connection db{database, {.application_name = "quern status"}};
  survey made{.applied = read_ledger(db, schema), .compared = {}};
  made.compared = compare(files, made.applied, drafts);
  return made;

} catch (const quern::error& failed) {
  rethrow(failed);
}

}  // namespace migrate
