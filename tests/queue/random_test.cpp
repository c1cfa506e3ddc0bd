#include <fmt/format.h>

#include <atomic>
#include <map>
#include <mutex>
#include <quern/error.hpp>
#include <random>
#include <set>
#include <thread>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

// Producers and consumers that do everything that is allowed, in any order, and die in between. What was committed must
// be ended exactly once.

namespace {

using namespace std::chrono_literals;

constexpr std::string_view restless_queue = R"(
[queues.mail]
retry = { max_attempts = 4, backoff = "constant", initial = "20ms" }
[queues.mail.payload]
body = "text"
)";

/// What the participants believe; checked against the database in the end.
class record {
 public:
  void sent(const std::vector<std::int64_t>& ids) { add(sent_, ids, "sent"); }

  void ended(const std::vector<std::int64_t>& ids) { add(ended_, ids, "ended"); }

  void complain(std::string what) {
    const std::lock_guard hold{mutex_};
    complaints_.push_back(std::move(what));
  }

  const std::multiset<std::int64_t>& sent() const { return sent_; }

  const std::multiset<std::int64_t>& ended() const { return ended_; }

  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  void add(std::multiset<std::int64_t>& to, const std::vector<std::int64_t>& ids, const char* what) {
    const std::lock_guard hold{mutex_};
    for (const auto id : ids) {
      if (to.contains(id)) complaints_.push_back(fmt::format("{} twice: {}", what, id));
      to.insert(id);
    }
  }

  std::mutex mutex_;
  std::multiset<std::int64_t> sent_;
  std::multiset<std::int64_t> ended_;
  std::vector<std::string> complaints_;
};

class chance {
 public:
  explicit chance(unsigned seed) : random_{seed} {}

  int below(int limit) { return std::uniform_int_distribution{0, limit - 1}(random_); }

  void pause(int most_ms) { std::this_thread::sleep_for(std::chrono::milliseconds{below(most_ms + 1)}); }

 private:
  std::mt19937 random_;
};

/// A message that was never retried, and that nobody else can end now, cannot be below the mark.
void check_low_water(test::session& with, std::int64_t id, record& all) {
  if (test::is_log()) return;
  const auto passed =
      with.ask(fmt::format("select m.message_id from mail_message as m where m.message_id = {} and m.message_id < "
                           "pg_sequence_last_value('mail_low_water')",
                           id));
  if (!passed.empty()) all.complain(fmt::format("the low-water mark has passed the live message {}", passed));
}

void produce(test::session db, chance random, record& all, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<std::int64_t> ids;
    db.begin();
    for (int i = random.below(4); i >= 0; --i) {
      const bool is_undone = random.below(5) == 0;
      db.ask("savepoint one");
      const bool is_delayed = random.below(4) == 0;
      const auto id = db.send("x", is_delayed ? fmt::format("{} ms", random.below(200)) : "0");
      if (!is_delayed) check_low_water(db, id, all);
      if (is_undone) {
        db.ask("rollback to one");
      } else {
        ids.push_back(id);
      }
    }
    random.pause(random.below(20) == 0 ? 400 : 8);
    if (random.below(6) == 0) {
      db.rollback();
    } else {
      db.commit();
      all.sent(ids);
    }
  }
}

std::vector<std::int64_t> ids_of(const std::vector<test::held>& messages) {
  std::vector<std::int64_t> ids;
  for (const auto& message : messages) ids.push_back(message.id);
  return ids;
}

void take_some(test::session& db, chance& random, record& all) {
  db.begin();
  const auto first = db.take(1 + random.below(3));
  random.pause(random.below(10) == 0 ? 250 : 3);
  const auto second = db.take(1 + random.below(3));
  if (random.below(3) == 0) return db.rollback();
  db.commit();
  all.ended(ids_of(first));
  all.ended(ids_of(second));
}

void end_one(test::session& db, chance& random, record& all, const test::held& message) {
  switch (random.below(10)) {
    case 0:
      db.fail(message, fmt::format("{} ms", random.below(50)));
      break;
    case 1:
      db.release(message);
      break;
    case 2:
      // Forgotten: the lease runs out.
      break;
    case 3:
      random.pause(250);
      if (db.extend(message, "150 ms")) check_low_water(db, message.id, all);
      if (db.ack(message)) all.ended({message.id});
      break;
    default:
      if (db.ack(message)) all.ended({message.id});
  }
}

/// What the worker of the library does: acknowledge and claim in one transaction.
std::vector<test::held> acknowledge_and_claim(test::session& db, chance& random, record& all,
                                              const std::vector<test::held>& done) {
  db.begin();
  // `{1,2}` as `,1,2,`
  std::string lost = db.ack_many(done);
  lost.front() = lost.back() = ',';
  auto next = db.receive(1 + random.below(5), "150 ms");
  if (random.below(8) == 0) {
    db.rollback();
    return {};
  }
  db.commit();
  for (const auto& message : done)
    if (lost.find(fmt::format(",{},", message.id)) == std::string::npos) all.ended({message.id});
  return next;
}

void consume(const test::workshop& here, chance random, record& all, const std::stop_token& stop) {
  auto db = here.open();
  while (!stop.stop_requested()) {
    const int choice = random.below(20);
    if (choice == 0) {
      // Dies with a claim under way, or after it.
      db.begin();
      db.receive(2, "150 ms");
      if (random.below(2) == 0) db.commit();
      db = here.open();
    } else if (choice < 5) {
      take_some(db, random, all);
    } else if (choice < 12) {
      auto held = db.receive(1 + random.below(5), "150 ms");
      for (int i = 0; i < 3 && !held.empty(); ++i) held = acknowledge_and_claim(db, random, all, held);
    } else {
      for (const auto& message : db.receive(1 + random.below(5), "150 ms")) end_one(db, random, all, message);
    }
  }
}

void with_log(test::session& db, chance& random) {
  db.ask(random.below(2) == 0 ? "select mail_compact(0)" : "select mail_rotate(0)");
  db.ask(fmt::format("select mail_truncate({})", random.below(5)));
  if (random.below(2) == 0) db.ask("select mail_maintain()");
}

void operate(test::session db, chance random, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    random.pause(300);
    db.ask("select mail_redrive_all(3)");
    if (random.below(4) == 0) db.ask("select mail_pause()");
    random.pause(20);
    db.ask("select mail_resume()");
    if (test::is_log()) {
      // What is cleared away once in a while, all the time.
      with_log(db, random);
      continue;
    }
    // A clock that jumps, or hints out of a dump.
    if (random.below(4) == 0) db.ask("select setval('mail_v1_frontier', 0)");
    if (random.below(4) == 0) db.ask("select setval('mail_v1_swept_at', 0)");
  }
}

/// Runs until its stop; a failure is a complaint.
template <class Part>
std::jthread run(record& all, Part part) {
  return std::jthread{[&all, part = std::move(part)](const std::stop_token& stop) mutable {
    try {
      part(stop);
    } catch (const std::exception& failed) {
      all.complain(failed.what());
    }
  }};
}

/// Acknowledges what is left until nothing is but dead letters.
void drain(test::workshop& here, record& all) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < end) {
    for (const auto& message : here.db.receive(100, "10 s"))
      if (here.db.ack(message)) all.ended({message.id});
    if (here.db.ask("select ready + delayed + leased from mail_stats()") == "0") return;
    std::this_thread::sleep_for(2ms);
  }
}

}  // namespace

TEST_CASE("whatever producers and consumers do, each committed message is ended once and no other is seen") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  test::workshop here{restless_queue};
  record all;
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 3; ++i)
      threads.push_back(
          run(all, [&, i](const std::stop_token& stop) { produce(here.open(), chance{seed + i}, all, stop); }));
    for (unsigned i = 0; i < 4; ++i)
      threads.push_back(
          run(all, [&, i](const std::stop_token& stop) { consume(here, chance{seed + 10 + i}, all, stop); }));
    threads.push_back(run(all, [&](const std::stop_token& stop) { operate(here.open(), chance{seed + 20}, stop); }));
    std::this_thread::sleep_for(8s);
    for (auto& each : threads) each.request_stop();
  }
  here.db.ask("select mail_resume()");
  drain(here, all);

  for (const auto& complaint : all.complaints()) FAIL_CHECK(complaint);
  const auto dead = std::stoull(here.db.ask("select dead from mail_stats()"));
  CHECK(here.counts() == fmt::format("0|0|0|{}", dead));
  CHECK(all.sent().size() > 200);
  CHECK(all.sent().size() == all.ended().size() + dead);
  for (const auto id : all.ended())
    if (!all.sent().contains(id)) FAIL_CHECK("ended but never sent: " << id);
}
