#include "recipes/kill_matrix.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <quern/connection.hpp>
#include <set>
#include <string>
#include <utility>

#include "migrate/drift.hpp"
#include "migrate/error.hpp"
#include "migrate/ledger.hpp"
#include "migrate/runner.hpp"
#include "migrate/statements.hpp"
#include "recipes/kill_points.hpp"
#include "recipes/scene.hpp"
#include "support/processes.hpp"

namespace test {

namespace {

using migrate::moment;

enum class direction { up, down };

/// A step, or its reverse, as it was seen when nobody died.
struct seen_step {
  std::string title{};
  bool is_transactional = true;
  std::string text{};  // what is executed
  bool waits = false;  // for whatever is older
  bool has_probe = false;
  bool defines = false;  // an object of the catalog
};

/// What a runner tells.
struct listeners {
  std::function<void(const seen_step&)> done = [](const seen_step&) {};
  std::function<void(moment)> reached = [](moment) {};
};

/// How the ledger has it.
struct progress {
  std::size_t done = 0;
  bool is_half_way = false;  // with the next step
  bool operator==(const progress&) const = default;
};

/// Those that wait for some rows alone find none here that is in use.
bool waits(const migrate::step& part, const std::string& sql) {
  return part.lock.find("older transactions") != std::string::npos && !migrate::split_statements(sql).starts.empty();
}

/// All that is to be done in a direction, by runners that can be killed.
class work {
 public:
  work(const recipe_scene& scene, direction where)
      : scene_{scene}, where_{where}, files_{scene.files()}, db_{scene.url()}, at_start_{count(read())} {}

  /// Throws migrate::error.
  void run(const std::string& url, const listeners& told) const {
    if (where_ == direction::up) return migrate(url, told);
    for (auto one : scene_.rollbacks()) {
      one.database = url;
      roll_back(one, told);
    }
  }

  progress ledger() {
    const auto rows = read();
    const auto finished = count(rows);
    if (where_ == direction::up) return {finished - at_start_, finished < rows.size()};
    return {at_start_ - rows.size(), finished < rows.size()};
  }

 private:
  void migrate(const std::string& url, const listeners& told) const {
    migrate::request how{.database = url, .schema = "shop", .patience = std::chrono::seconds{30}};
    how.reached = [&](moment when, const auto& one, const migrate::step& part) {
      told.reached(when);
      if (when != moment::recorded) return;
      told.done({.title = fmt::format("{}, step {}", migrate::title(one), part.name),
                 .is_transactional = part.is_transactional,
                 .text = part.sql + (part.probe ? part.probe->sql : "") + (part.cleanup ? part.cleanup->sql : ""),
                 .waits = waits(part, part.sql),
                 .has_probe = part.probe.has_value()});
    };
    migrate::apply(files_, how);
  }

  void roll_back(migrate::rollback_request& how, const listeners& told) const {
    how.patience = std::chrono::seconds{30};
    how.begun = [&](const auto&) { told.reached(moment::begun); };
    how.executed = [&](const auto&) { told.reached(moment::executed); };
    how.taken_back = [&](const migrate::applied_step& row, auto) {
      const auto& part = step_of(row);
      told.done({.title = "taking back " + migrate::title(row),
                 .is_transactional = row.is_transactional,
                 .text = part.reverse.value().sql,
                 .waits = waits(part, part.reverse.value().sql)});
    };
    migrate::rollback(how);
  }

  const migrate::step& step_of(const migrate::applied_step& row) const {
    const auto is_it = [&](const auto& one) { return one.line == row.line && one.number == row.number; };
    const auto& all = files_.migrations;
    return std::find_if(all.begin(), all.end(), is_it)->steps.at(static_cast<std::size_t>(row.step) - 1);
  }

  std::vector<migrate::applied_step> read() { return migrate::read_ledger(db_, "shop"); }

  static std::size_t count(const std::vector<migrate::applied_step>& rows) {
    return static_cast<std::size_t>(
        std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.is_finished; }));
  }

  const recipe_scene& scene_;
  direction where_;
  migrate::directory files_;
  quern::connection db_;
  std::size_t at_start_;
};

/// The steps, while nobody dies.
std::vector<seen_step> watch(const recipe_scene& scene, direction where) {
  std::vector<seen_step> result;
  kill_points points{scene.database_of()};
  auto defined = points.definitions();
  listeners told;
  told.done = [&](seen_step one) {
    const auto now = points.definitions();
    one.defines = now > defined;
    defined = now;
    result.push_back(std::move(one));
  };
  work{scene, where}.run(scene.url(), told);
  return result;
}

/// A way to die in a step.
struct death {
  enum class kind {
    session_at,       // the server ends the session
    session_waiting,  // the same while it waits for older transactions
    process_at,       // the process is killed between two messages to the server
    process_waiting,  // the process is killed while the server waits for older transactions, and goes on
    process_held_up,  // the process is killed while the server is about to commit, and goes on
  };
  kind how{};
  server_point point{};
  moment when{};
};

std::string spell(const death& one) {
  switch (one.how) {
    case death::kind::session_at:
      return fmt::format("after its session was ended {}", spell(one.point));
    case death::kind::session_waiting:
      return "after its session was ended while it waited";
    case death::kind::process_at:
      return fmt::format("after its process was killed when the step was {}",
                         one.when == moment::begun ? "begun" : "executed");
    case death::kind::process_waiting:
      return "after its process was killed while the server waited";
    case death::kind::process_held_up:
      return fmt::format("after its process was killed while the server was at it, {}", spell(one.point));
  }
  return "";
}

death session_at(server_point point) {
  return {.how = death::kind::session_at, .point = point};
}

std::vector<death> deaths_of_transactional(const seen_step& step) {
  return {session_at(step.defines ? server_point::statement : server_point::end_commit),
          session_at(server_point::end_row),
          {.how = death::kind::process_held_up, .point = server_point::end_row}};
}

std::vector<death> deaths_of_other(const seen_step& step) {
  std::vector<death> all{session_at(server_point::begin_row),
                         session_at(server_point::begin_commit),
                         {.how = death::kind::process_at, .when = moment::begun}};
  if (step.waits) all.push_back({.how = death::kind::session_waiting});
  // What a probe finds done is not done again.
  if (step.defines && !step.has_probe) all.push_back(session_at(server_point::statement));
  if (!step.has_probe) all.push_back({.how = death::kind::process_at, .when = moment::executed});
  // The index that a statement before has dropped is not waited for again.
  if (step.waits && (step.has_probe || !step.defines)) all.push_back({.how = death::kind::process_waiting});
  all.push_back(session_at(server_point::end_row));
  all.push_back(session_at(server_point::end_commit));
  all.push_back({.how = death::kind::process_held_up, .point = server_point::end_row});
  return all;
}

/// In an order in which each can follow the one before: only after the last one the step is recorded.
std::vector<death> deaths_of(const seen_step& step) {
  return step.is_transactional ? deaths_of_transactional(step) : deaths_of_other(step);
}

/// Whether a step is the first of its kind: others of the same text, in other recipes, would die the same deaths.
bool is_first(direction where, const seen_step& step) {
  static std::set<std::pair<direction, std::string>> known;
  return known.emplace(where, step.text).second;
}

/// Kills the runner in each step in every way.
class killing {
 public:
  killing(const recipe_scene& scene, direction where, std::vector<seen_step> steps, kill_report& report)
      : scene_{scene},
        where_{where},
        points_{scene.database_of()},
        work_{scene, where},
        steps_{std::move(steps)},
        report_{report} {}

  void run() {
    for (std::size_t step = 0; step < steps_.size(); ++step) {
      if (!is_first(where_, steps_[step])) {
        go_on();
        continue;
      }
      before_ = points_.fingerprint();
      for (const auto& one : deaths_of(steps_[step])) {
        place_ = fmt::format("{}, {}", steps_[step].title, spell(one));
        die(one, step);
        // What comes after a problem says nothing.
        if (!report_.problems.empty()) return;
        ++report_.deaths;
      }
      ++report_.steps;
    }
    work_.run(scene_.url(), {});
  }

 private:
  /// By one step.
  void go_on() {
    struct enough {};
    listeners told;
    told.done = [](const seen_step&) { throw enough{}; };
    try {
      work_.run(scene_.url(), told);
    } catch (const enough&) {
      points_.wait_until_runners_are_gone();
    }
  }

  void die(const death& one, std::size_t step) {
    if (one.how == death::kind::process_held_up) return die_held_up(one.point, step);
    if (one.how == death::kind::session_at) {
      die_with_session(one.point);
    } else if (one.how == death::kind::process_at) {
      die_at(one.when);
    } else {
      die_waiting(one.how);
    }
    points_.wait_until_runners_are_gone();
    look(step);
  }

  void die_with_session(server_point point) {
    try {
      work_.run(points_.dying_at(point), {});
      complain("it did not come there");
    } catch (const migrate::error& failed) {
      if (failed.why() != migrate::reason::unreachable) complain(failed.what());
    }
  }

  void die_at(moment when) {
    other_process runner{[&] {
      listeners told;
      told.reached = [when](moment now) {
        if (now == when) test::die();
      };
      work_.run(scene_.url(), told);
    }};
    if (!has_died(runner.wait_for_end())) complain("it did not come there");
  }

  void die_waiting(death::kind how) {
    const holder older{scene_.url(), writes_everywhere};
    other_process runner{[&] { work_.run(scene_.url(), {}); }};
    if (!points_.wait_for_waiting([&] { return runner.has_ended(); })) complain("it did not wait");
    if (how == death::kind::session_waiting) {
      points_.end_runners();
      runner.wait_for_end();
    } else {
      runner.kill_now();
    }
  }

  /// The server commits, or notices that its client has gone: then once more.
  void die_held_up(server_point point, std::size_t step) {
    for (int tries = 0; tries < 10; ++tries) {
      points_.close_gate();
      other_process runner{[&] { work_.run(points_.held_up_at(point), {}); }};
      if (!points_.wait_for_arrival([&] { return runner.has_ended(); })) complain("it did not come there");
      runner.kill_now();
      points_.open_gate();
      points_.wait_until_runners_are_gone();
      if (work_.ledger() == progress{.done = step + 1}) return;
      look(step);
    }
    complain("the server did not commit a single time");
  }

  /// Nothing of the step may be there while the ledger has it not.
  void look(std::size_t step) {
    const auto found = work_.ledger();
    if (found.done != step) return complain(fmt::format("the ledger has {} steps instead of {}", found.done, step));
    // Outside of a transaction what is half done may be there or not.
    if (found.is_half_way && steps_[step].defines) return;
    if (points_.fingerprint() != before_) complain("something of the step is there, and the ledger does not know");
  }

  void complain(const std::string& what) { report_.problems.push_back(fmt::format("{}: {}", place_, what)); }

  // Whoever waits for older transactions waits for this one, which may have written to every table.
  static constexpr auto writes_everywhere = R"(
do $$
declare
  v_table regclass;
begin
  for v_table in select oid from pg_class where relnamespace = 'shop'::regnamespace and relkind = 'r' loop
    execute format('lock table %s in row exclusive mode', v_table);
  end loop;
end
$$)";

  const recipe_scene& scene_;
  direction where_;
  kill_points points_;
  work work_;
  std::vector<seen_step> steps_;
  kill_report& report_;
  std::int64_t before_ = 0;  // of the step
  std::string place_{};
};

/// Of all contracts of a lock.
std::vector<std::vector<std::string>> messages_in(const recipe_scene& scene, const contract::lock& lock) {
  std::vector<std::vector<std::string>> result;
  for (const auto& contract : recipe_scene::spoken(lock)) result.push_back(scene.messages(contract));
  return result;
}

/// One is left alone, in the other one everybody dies.
void kill_on_the_way(direction where, const recipe_scene& calm, const recipe_scene& killed, kill_report& report) {
  killing{killed, where, watch(calm, where), report}.run();
  if (!report.problems.empty()) return;
  for (const auto& one : migrate::compare(calm.catalog(), killed.catalog()))
    report.problems.push_back("at the end: " + one.words);
  const auto& lock = where == direction::up ? calm.played().wanted.lock : calm.played().lock;
  if (messages_in(calm, lock) != messages_in(killed, lock))
    report.problems.push_back(fmt::format("messages are not handed out as before: {} instead of {}",
                                          messages_in(killed, lock), messages_in(calm, lock)));
}

}  // namespace

kill_report kill_everywhere(const recipe& what) {
  const recipe_scene calm{what};
  calm.migrate_to_released();
  for (const auto& contract : calm.lasting()) calm.enqueue(contract);
  const recipe_scene killed{calm};
  kill_report report;
  kill_on_the_way(direction::up, calm, killed, report);
  if (report.problems.empty() && !calm.is_final()) kill_on_the_way(direction::down, calm, killed, report);
  return report;
}

}  // namespace test
