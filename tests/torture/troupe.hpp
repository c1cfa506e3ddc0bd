#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "player.hpp"

namespace torture {

/// The ways to the server: each process goes the one or the other.
struct urls {
  std::string direct;
  std::string by_proxy;
};

/// The processes of a play: one for each slot, started again whenever it was killed or has ended. They end with this
/// process at the latest.
class troupe {
 public:
  /// `workers` of the queues in all; 0: as many as the cast has.
  troupe(urls to, std::filesystem::path directory, std::uint64_t seed, int workers);
  troupe(const troupe&) = delete;
  troupe& operator=(const troupe&) = delete;
  ~troupe();

  /// Starts all that do not run. Throws std::runtime_error when one has failed by itself.
  void raise();

  /// Kills one.
  void kill_one(std::mt19937_64& random);

  /// Stops one in the middle of whatever it does, and lets the one before go on.
  void freeze_one(std::mt19937_64& random);
  void wake_all();

  /// Lets all finish what they have begun, and kills who does not.
  void end();

  std::size_t size() const { return slots_.size(); }

 private:
  struct slot {
    const casting* who = nullptr;
    pid_t process = 0;
    int incarnation = 0;
    bool is_frozen = false;
  };

  void start(std::size_t number);
  void collect(slot& from);
  slot& any(std::mt19937_64& random);

  urls to_;
  std::filesystem::path directory_;
  std::uint64_t seed_;
  std::vector<slot> slots_;
};

}  // namespace torture
