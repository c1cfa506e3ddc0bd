#include "migrate/baseline.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <quern/connection.hpp>
#include <quern/error.hpp>

#include "migrate/error.hpp"
#include "migrate/ledger.hpp"
#include "migrate/plan.hpp"
#include "migrate/workbench.hpp"

namespace migrate {
namespace {

workplace place_of(const baseline_request& how) {
  return {.database = how.database,
          .schema = how.schema,
          .program = "quern baseline",
          .patience = how.patience,
          .progress = how.progress};
}

void check_schema(quern::connection& db, const std::string& schema) {
  if (db.execute("select to_regnamespace($1) is not null", quern::quoted_identifier(schema)).value<bool>()) return;
  throw error{reason::wrong_input, fmt::format("the database has no schema {}, so nothing of it can be there already: "
                                               "`quern migrate` makes it; nothing was recorded",
                                               schema)};
}

// Core comes along with the lines that are named, unless the ledger knows it.
bool is_wanted(const migration& one, const baseline_request& how, bool has_core) {
  if (how.up_to.empty()) return true;
  const auto named = std::ranges::find(how.up_to, one.line, &target::line);
  if (named != how.up_to.end()) return one.number <= named->number;
  return one.line == "core" && !has_core;
}

void check_unknown(const std::vector<const migration*>& wanted, const std::map<std::string, std::string>& known) {
  std::vector<std::string> lines;
  for (const migration* one : wanted) {
    const auto found = known.find(one->line);
    if (found != known.end() && one->number == 1) lines.push_back(fmt::format("{}: {}", found->first, found->second));
  }
  if (lines.empty()) return;
  throw error{
      reason::wrong_input,
      fmt::format("the ledger already knows what was applied; a baseline is for lines without a history; nothing "
                  "was recorded\n  {}",
                  fmt::join(lines, "\n  "))};
}

std::vector<const migration*> plan_baseline(quern::connection& db, const directory& files,
                                            const baseline_request& how) {
  for (const target& to : how.up_to) check_target(files, to);
  check_schema(db, how.schema);
  std::map<std::string, std::string> known;
  for (const applied_migration& one : by_migration(read_ledger(db, how.schema)))
    known.try_emplace(one.first().line, fmt::format("{} was applied at {}", title(one), one.first().applied_at));
  std::vector<const migration*> wanted;
  for (const migration& one : files.migrations)
    if (is_wanted(one, how, known.contains("core"))) wanted.push_back(&one);
  check_unknown(wanted, known);
  return wanted;
}

std::string rows_of(const std::vector<const migration*>& wanted, const baseline_request& how) {
  std::string sql;
  for (const migration* one : wanted)
    for (std::size_t step = 0; step < one->steps.size(); ++step)
      sql += ledger_insert(how.schema, *one, step, {.is_draft = how.drafts.contains(file_name(*one))});
  return sql;
}

}  // namespace

std::vector<const migration*> baseline(const directory& files, const baseline_request& how) try {
  const workplace place = place_of(how);
  {
    quern::connection db = connect(place);
    plan_baseline(db, files, how);
    check_writable(db);
  }
  workbench bench{place};
  std::vector<const migration*> wanted = plan_baseline(bench.guard(), files, how);
  bench.make_ledger();
  bench.work().run_script(rows_of(wanted, how));
  return wanted;

} catch (const quern::error& failed) {
  rethrow(failed);
}

std::string baseline_dry_run(const directory& files, const baseline_request& how) try {
  quern::connection db = connect(place_of(how));
  const std::vector<const migration*> wanted = plan_baseline(db, files, how);
  return (needs_bootstrap(db, how.schema) ? ledger_bootstrap(how.schema) : "") +
         fmt::format("begin;\n{}commit;\n", rows_of(wanted, how));

} catch (const quern::error& failed) {
  rethrow(failed);
}

}  // namespace migrate
