#include "migrate/workbench.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <quern/error.hpp>
#include <quern/sqlstate.hpp>

#include "migrate/index_progress.hpp"
#include "migrate/ledger.hpp"
#include "migrate/patience.hpp"
#include "migrate/runner_lock.hpp"

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
  if (sqlstate == quern::sqlstate::still_in_use) return reason::still_in_use;
  return is_one_of(sqlstate, denied) ? reason::not_permitted : reason::failed;
}

bool is_passing(std::string_view sqlstate) {
  constexpr std::array passing{quern::sqlstate::lock_not_available, quern::sqlstate::deadlock_detected,
                               quern::sqlstate::serialization_failure};
  return is_one_of(sqlstate, passing);
}

std::string spell_all(const std::vector<blocker>& blockers) {
  std::vector<std::string> each;
  std::ranges::transform(blockers, std::back_inserter(each), [](const blocker& one) { return spell(one); });
  return fmt::format("{}", fmt::join(each, "; "));
}

[[noreturn]] void lost(const workplace& at, const job& one, const setback& failed) {
  throw error{
      reason::unreachable,
      fmt::format("the connection was lost during {}: {}\nRun `{}` again: it looks at what was applied and goes "
                  "on from there.",
                  one.what, failed.details.message, at.program)};
}

}  // namespace

quern::connection connect(const workplace& at) {
  return quern::connection{at.database, {.application_name = at.program}};
}

void rethrow(const quern::error& failed) {
  if (failed.connection_lost())
    throw error{reason::unreachable, fmt::format("the database cannot be reached: {}", failed.what())};
  throw error{reason_of(failed.sqlstate()), failed.what()};
}

workbench::workbench(const workplace& at) : at_{at}, guard_{connect(at)}, work_{connect(at)} {
  const runner_keys keys = keys_of(at.schema);
  take_lock(guard_, keys.guard, at.patience, at.progress);
  // A killed runner's last step may still be under way and about to commit: the ledger is read only after it.
  take_lock(work_, keys.work, at.patience, at.progress);
  watch_for_our_end();
  work_.on_notice([&at](const quern::notice& said) {
    if (said.severity == "WARNING") at.progress(fmt::format("the server warns: {}", said.message));
  });
}

// When this process is killed while the server waits for a lock, the server should not go on waiting. Not every
// system can notice that; there the work lock alone keeps the next runner away until the step has ended.
void workbench::watch_for_our_end() {
  try {
    work_.execute("set client_connection_check_interval = '1s'");
  } catch (const quern::database_error&) {
  }
}

void workbench::make_ledger() {
  if (needs_bootstrap(guard_, at_.schema)) work_.run_script(ledger_bootstrap(at_.schema));
}

std::chrono::milliseconds workbench::run(const job& one, onlookers watching) {
  patience left{at_.patience, 200ms, 5s};
  blockers_.clear();
  for (;;) {
    const auto start = patience::clock::now();
    told_at_ = start;
    watching.while_waiting = [&] { look_around(one, start); };
    const auto failed = attempt(work_, one, watching);
    if (!failed) return std::chrono::duration_cast<std::chrono::milliseconds>(patience::clock::now() - start);
    if (failed->details.is_connection_lost) lost(at_, one, *failed);
    if (!is_passing(failed->details.sqlstate)) refuse(one, *failed);
    if (left.is_over()) give_up(one, *failed);
    at_.progress(fmt::format("{}: {}; trying again", one.what, failed->details.message));
    left.pause();
  }
}

// The job goes on without someone who looks.
void workbench::look_around(const job& one, std::chrono::steady_clock::time_point start) {
  try {
    look_for_blockers(one);
    tell_how_far(one, start);
  } catch (const quern::error&) {
  }
}

void workbench::look_for_blockers(const job& one) {
  std::vector<blocker> now = blockers_of(guard_, work_.backend_pid());
  if (now.empty()) return;
  const bool is_known = std::ranges::equal(now, blockers_, {}, &blocker::pid, &blocker::pid);
  blockers_ = std::move(now);
  if (!is_known) at_.progress(fmt::format("{} waits for {}", one.what, spell_all(blockers_)));
}

void workbench::tell_how_far(const job& one, std::chrono::steady_clock::time_point start) {
  const auto now = patience::clock::now();
  if (now - told_at_ < 1s) return;
  told_at_ = now;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - start).count();
  const std::string phase = index_progress(guard_, work_.backend_pid());
  at_.under_way(fmt::format("{}: {}{} s", one.what, phase.empty() ? "" : phase + ", ", seconds));
}

void workbench::refuse(const job& one, const setback& failed) const {
  const quern::failure& details = failed.details;
  throw error{reason_of(details.sqlstate),
              fmt::format("{}\n{} {}", failed.words, one.what,
                          failed.left.empty() ? one.when_failed : fmt::format("failed: {}", failed.left)),
              details.detail.empty() ? details.message : fmt::format("{} ({})", details.message, details.detail)};
}

void workbench::give_up(const job& one, const setback& failed) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_.patience).count();
  std::string words = fmt::format("gave up on {} after {} s: {}", one.what, seconds, failed.words);
  if (!blockers_.empty()) words += fmt::format("\n  blocked by {}", spell_all(blockers_));
  throw error{reason::gave_up_waiting,
              words + fmt::format("\n  {}", failed.left.empty() ? one.when_given_up : failed.left)};
}

}  // namespace migrate
