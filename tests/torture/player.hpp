#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "history.hpp"

namespace torture {

/// What a process is started with.
struct part {
  std::string url;
  std::filesystem::path file;  // its history
  int slot = 0;
  int incarnation = 0;  // which process in this slot
  std::uint64_t seed = 0;
};

/// One process of the play: its history and its dice.
class player {
 public:
  explicit player(const part& of);

  const std::string& url() const { return url_; }

  history& notes() { return notes_; }

  int incarnation() const { return incarnation_; }

  /// The play is over: what was begun may be finished.
  bool is_over() const;

  bool chance(double share) { return std::uniform_real_distribution{}(random_) < share; }

  int between(int least, int most) { return std::uniform_int_distribution{least, most}(random_); }

  /// Another time of day, right or wrong.
  void set_clock();

  /// As many of the last as fit into the time that is left.
  void pause(std::chrono::milliseconds time);

  /// A number that no other transaction has.
  std::int64_t next_tx() { return ++tx_; }

  void note(const quern::error& failed);

 private:
  std::string url_;
  history notes_;
  int incarnation_;
  std::mt19937_64 random_;
  std::int64_t tx_;
};

/// Works with a connection, and with another one whenever that is lost, until the play is over.
template <class Work>
void keep_working(player& me, Work work) {
  while (!me.is_over()) {
    try {
      quern::connection db{me.url(), {.application_name = "torture"}};
      while (!me.is_over()) work(db);
    } catch (const quern::error& failed) {
      me.note(failed);
      me.pause(std::chrono::milliseconds{20});
    }
  }
}

/// What a kind of process does until the play is over.
using role = void (*)(player&);

/// A role and what it works on: its histories bear both names.
struct casting {
  std::string_view role_name;
  std::string_view line;  // the stream or queue
  role plays;
  int count;
};

void publish_activity(player& me);
void publish_brief(player& me);
void straggle_activity(player& me);
void straggle_brief(player& me);
void read_activity(player& me);
void read_brief(player& me);
void receive_activity_as_audit(player& me);
void receive_activity_as_mirror(player& me);
void receive_activity_as_late(player& me);
void receive_brief_as_audit(player& me);
void receive_brief_as_mirror(player& me);
void cooperate_on_activity(player& me);
void cooperate_on_brief(player& me);
void maintain_streams(player& me);
void produce_jobs(player& me);
void maintain_letters(player& me);
void produce_letters(player& me);
void produce_urgent(player& me);
void produce_orders(player& me);
void produce_steps(player& me);
void redrive_steps(player& me);
void work_on_jobs(player& me);
void work_on_letters(player& me);
void work_on_orders(player& me);
void work_on_steps(player& me);
void work_on_urgent(player& me);
void run_workers_on_jobs(player& me);
void run_workers_on_letters(player& me);
void run_workers_on_orders(player& me);
void run_workers_on_steps(player& me);

/// All of them.
inline constexpr std::array cast{
    casting{"publisher", "activity", publish_activity, 3},
    casting{"straggler", "activity", straggle_activity, 1},
    casting{"reader", "activity", read_activity, 2},
    casting{"audit", "activity", receive_activity_as_audit, 2},
    casting{"mirror", "activity", receive_activity_as_mirror, 1},
    casting{"late", "activity", receive_activity_as_late, 1},
    casting{"crew", "activity", cooperate_on_activity, 3},
    casting{"publisher", "brief", publish_brief, 1},
    casting{"straggler", "brief", straggle_brief, 1},
    casting{"reader", "brief", read_brief, 1},
    casting{"audit", "brief", receive_brief_as_audit, 2},
    casting{"mirror", "brief", receive_brief_as_mirror, 1},
    casting{"crew", "brief", cooperate_on_brief, 2},
    casting{"maintainer", "both", maintain_streams, 1},
    casting{"producer", "jobs", produce_jobs, 2},
    casting{"worker", "jobs", work_on_jobs, 3},
    casting{"producer", "letters", produce_letters, 2},
    casting{"worker", "letters", work_on_letters, 3},
    casting{"maintainer", "letters", maintain_letters, 1},
    casting{"producer", "urgent", produce_urgent, 1},
    casting{"worker", "urgent", work_on_urgent, 2},
    casting{"staff", "jobs", run_workers_on_jobs, 1},
    casting{"staff", "letters", run_workers_on_letters, 1},
    casting{"producer", "orders", produce_orders, 1},
    casting{"worker", "orders", work_on_orders, 1},
    casting{"staff", "orders", run_workers_on_orders, 2},
    casting{"producer", "steps", produce_steps, 1},
    casting{"worker", "steps", work_on_steps, 2},
    casting{"staff", "steps", run_workers_on_steps, 1},
    casting{"redriver", "steps", redrive_steps, 1},
};

}  // namespace torture
