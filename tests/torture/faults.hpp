#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <quern/connection.hpp>
#include <quern/transaction.hpp>
#include <random>

#include "cluster/scratch.hpp"
#include "disk.hpp"
#include "proxy.hpp"
#include "troupe.hpp"

namespace torture {

/// What was done to the play.
struct harm {
  int kills = 0;          // processes
  int freezes = 0;        // processes that stood still for a while
  int terminated = 0;     // sessions
  int cuts = 0;           // connections reset on their way
  int stalls = 0;         // connections on which nothing came through for a while
  int crashes = 0;        // the server, stopped at once
  int dead_backends = 0;  // a server process killed: the server starts anew by itself
  int full = 0;           // times that the disk was full for a while
  int held = 0;           // transactions with a snapshot that kept the horizon
};

/// Faults at random, from a seed.
class faults {
 public:
  /// `settings` are those that the server was started with, and is again.
  faults(cluster::scratch& server, cluster::scratch::setting_list settings, const disk& under, const proxy& between,
         troupe& players, std::uint64_t seed, bool is_short);

  /// Does what is due by now. Throws what is no fault of its own making.
  void step();

  /// Lets go of what is held.
  void end();

  const harm& done() const { return done_; }

 private:
  using steady = std::chrono::steady_clock;

  int between(int least, int most) { return std::uniform_int_distribution{least, most}(random_); }
  std::chrono::milliseconds some_time(int least, int most) { return std::chrono::milliseconds{between(least, most)}; }

  void large_fault();
  void small_fault();
  void terminate_session();
  void kill_backend();
  void crash();
  void hold_horizon();
  void disturb_connection();
  void fill_disk();
  void make_room();

  cluster::scratch* server_;
  cluster::scratch::setting_list settings_;
  const disk* disk_;
  const proxy* between_;
  troupe* players_;
  std::mt19937_64 random_;
  bool is_short_;
  harm done_;
  int next_large_ = 0;  // they take turns, so that a short play has each
  steady::time_point next_small_;
  steady::time_point next_crash_;
  steady::time_point held_until_;
  std::optional<steady::time_point> full_until_;
  std::optional<quern::connection> holder_;
};

}  // namespace torture
