#include "faults.hpp"

#include <sys/types.h>

#include <array>
#include <csignal>
#include <quern/error.hpp>
#include <utility>

namespace torture {
namespace {

bool is_full(const quern::error& failed) {
  return failed.sqlstate() == "53100";
}

}  // namespace

faults::faults(cluster::scratch& server, cluster::scratch::setting_list settings, const disk& under,
               const proxy& between, troupe& players, std::uint64_t seed, bool is_short)
    : server_{&server},
      settings_{std::move(settings)},
      disk_{&under},
      between_{&between},
      players_{&players},
      random_{seed},
      is_short_{is_short} {
  next_small_ = steady::now() + some_time(500, 1000);
  next_large_ = this->between(0, 2);
  next_crash_ = steady::now() + (is_short ? some_time(3000, 5000) : some_time(8000, 15'000));
}

void faults::step() {
  if (holder_ && steady::now() >= held_until_) holder_.reset();
  if (full_until_ && steady::now() >= *full_until_) make_room();
  // A server that dies of the full disk is not killed besides.
  if (steady::now() >= next_crash_ && !full_until_) {
    large_fault();
    next_crash_ = steady::now() + (is_short_ ? some_time(4000, 6000) : some_time(8000, 25'000));
  }
  if (steady::now() >= next_small_) {
    try {
      small_fault();
    } catch (const quern::error& failed) {
      // The session met with another fault.
      if (!failed.connection_lost() && !is_full(failed)) throw;
      holder_.reset();
    }
    next_small_ = steady::now() + some_time(50, 600);
  }
}

void faults::large_fault() {
  next_large_ = (next_large_ + 1) % 3;
  if (next_large_ == 0) return kill_backend();
  if (next_large_ == 1 && disk_->is_there()) return fill_disk();
  crash();
}

void faults::small_fault() {
  switch (between(0, 13)) {
    case 0:
    case 1:
    case 2:
    case 3:
      players_->kill_one(random_);
      ++done_.kills;
      break;
    case 4:
    case 5:
      players_->freeze_one(random_);
      ++done_.freezes;
      break;
    case 6:
      hold_horizon();
      break;
    case 7:
    case 8:
    case 9:
    case 10:
      disturb_connection();
      break;
    default:
      terminate_session();
  }
}

void faults::terminate_session() {
  quern::connection db{server_->url()};
  const auto count = db.execute(
                           "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity "
                           "where application_name = 'torture' order by hashint8extended(pid, $1) limit 1) as t",
                           static_cast<std::int64_t>(between(0, 1'000'000)))
                         .value<std::int64_t>();
  done_.terminated += static_cast<int>(count);
}

void faults::disturb_connection() {
  constexpr std::array all{cut::now, cut::in_question, cut::in_answer, cut::in_answer, cut::stall};
  between_->disturb(all.at(static_cast<std::size_t>(between(0, static_cast<int>(all.size()) - 1))));
  done_.cuts = between_->resets();
  done_.stalls = between_->stalls();
}

void faults::kill_backend() {
  try {
    quern::connection db{server_->url()};
    const auto pid = db.execute("select min(pid) from pg_stat_activity where application_name = 'torture'")
                         .value<std::optional<std::int32_t>>();
    if (!pid) return;
    kill(*pid, SIGKILL);
    ++done_.dead_backends;
  } catch (const quern::error& failed) {
    if (!failed.connection_lost() && !is_full(failed)) throw;
  }
  holder_.reset();
}

void faults::crash() {
  server_->stop(cluster::shutdown::immediate);
  ++done_.crashes;
  if (between(0, 3) == 0) players_->kill_one(random_);
  holder_.reset();
  server_->start(settings_);
}

void faults::fill_disk() {
  disk_->fill(static_cast<std::uint64_t>(between(0, 512)) * 1024);
  full_until_ = steady::now() + some_time(300, 2500);
  ++done_.full;
}

/// The server is there as before, recovers by itself or, when that has failed on the full disk, has ended.
void faults::make_room() {
  disk_->make_room();
  full_until_.reset();
  server_->start(settings_);
}

void faults::hold_horizon() {
  if (holder_) return;
  holder_.emplace(server_->url());
  holder_->execute("begin isolation level repeatable read");
  holder_->execute("select txid_current_snapshot()");
  held_until_ = steady::now() + some_time(1000, is_short_ ? 3000 : 20'000);
  ++done_.held;
}

void faults::end() {
  if (full_until_) make_room();
  done_.cuts = between_->resets();
  done_.stalls = between_->stalls();
  holder_.reset();
  players_->wake_all();
}

}  // namespace torture
