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

// Producers and consumers that do everything that is allowed, in any order, are cut off and come back. At no moment may
// two messages of a key be held, each key's messages are ended in their order, and none is lost. What a key's producer
// sent is in order because each key has one producer, whose transactions follow each other; the others' overlap.

namespace {

using namespace std::chrono_literals;

constexpr int keys = 6;

std::string queue(std::string_view on_failure) {
  return fmt::format(R"(
[queues.mail]
retry = {{ max_attempts = 4, backoff = "constant", initial = "10ms" }}
ordered_by = "body"
on_failure = "{}"
[queues.mail.payload]
body = "text"
)",
                     on_failure);
}

class chance {
 public:
  explicit chance(unsigned seed) : random_{seed} {}

  int below(int limit) { return std::uniform_int_distribution{0, limit - 1}(random_); }

  void pause(int most_ms) { std::this_thread::sleep_for(std::chrono::milliseconds{below(most_ms + 1)}); }

 private:
  std::mt19937 random_;
};

/// What was committed to the queue; what was ended stands in a table, written with the end or not at all.
class record {
 public:
  void sent(const std::vector<std::int64_t>& ids) {
    const std::lock_guard hold{mutex_};
    sent_.insert(ids.begin(), ids.end());
  }

  void complain(std::string what) {
    const std::lock_guard hold{mutex_};
    complaints_.push_back(std::move(what));
  }

  const std::set<std::int64_t>& sent() const { return sent_; }

  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  std::mutex mutex_;
  std::set<std::int64_t> sent_;
  std::vector<std::string> complaints_;
};

void produce(test::session db, int key, chance random, record& all, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<std::int64_t> ids;
    db.begin();
    for (int i = random.below(4); i >= 0; --i)
      ids.push_back(db.send(fmt::format("key {}", key), random.below(5) == 0 ? "15 ms" : "0"));
    random.pause(random.below(10) == 0 ? 60 : 5);
    if (random.below(6) == 0) {
      db.rollback();
    } else {
      db.commit();
      all.sent(ids);
    }
  }
}

/// Ends the message and says so, in one transaction.
void end_one(test::session& db, const test::held& one) {
  db.begin();
  if (db.ack(one)) db.ask(fmt::format("insert into ended (id, key) values ({}, '{}')", one.id, one.body));
  db.commit();
}

void take_some(test::session& db, chance& random) {
  db.begin();
  for (int i = 0; i < 2; ++i) {
    for (const auto& one : db.take(1 + random.below(3)))
      db.ask(fmt::format("insert into ended (id, key) values ({}, '{}')", one.id, one.body));
    random.pause(random.below(10) == 0 ? 80 : 2);
  }
  if (random.below(3) == 0) {
    db.rollback();
  } else {
    db.commit();
  }
}

void handle(test::session& db, chance& random, const test::held& one) {
  switch (random.below(12)) {
    case 0:
    case 1:
      db.fail(one, fmt::format("{} ms", random.below(20)));
      break;
    case 2:
      db.release(one);
      break;
    case 3:
      // Forgotten: the lease runs out.
      break;
    case 4:
      // It ran out already, perhaps.
      random.pause(100);
      db.extend(one, "60 ms");
      end_one(db, one);
      break;
    default:
      end_one(db, one);
  }
}

/// A session that may be cut off.
test::session open_mortal(const test::workshop& here) {
  auto db = here.open();
  db.ask("insert into consumers (pid) values (pg_backend_pid())");
  return db;
}

void consume(const test::workshop& here, chance random, const std::stop_token& stop) {
  auto db = open_mortal(here);
  while (!stop.stop_requested()) {
    try {
      if (random.below(6) == 0) {
        take_some(db, random);
        continue;
      }
      const bool is_long = random.below(8) == 0;
      if (is_long) db.begin();
      const auto held = db.receive(1 + random.below(5), "60 ms");
      if (is_long) {
        random.pause(50);
        if (random.below(2) == 0) {
          db.rollback();
          continue;
        }
        db.commit();
      }
      for (const auto& one : held) handle(db, random, one);
    } catch (const quern::error&) {
      // Its connection was cut.
      db = open_mortal(here);
    }
  }
}

/// Looks whether two of a key are held, cuts connections off and gives the dead their attempts back.
void disturb(const test::workshop& here, chance random, record& all, const std::stop_token& stop) {
  auto db = here.open();
  while (!stop.stop_requested()) {
    random.pause(5);
    const auto twice = db.ask(R"(
      select body, array_agg(message_id)
      from (
        select body, message_id from mail_delayed where lease_until > '-infinity'
        union all
        select body, message_id from mail_message where lease_until > '-infinity'
      ) as held
      group by body
      having count(*) > 1
    )");
    if (!twice.empty()) all.complain("held at once: " + twice);
    if (random.below(4) == 0) db.ask("select mail_redrive_all(2)");
    if (random.below(20) != 0) continue;
    db.ask(fmt::format(R"(
      select pg_terminate_backend(pid)
      from pg_stat_activity
      where pid in (select pid from consumers)
      order by random()
      limit 1
    )"));
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

/// Acknowledges what is left; dead letters are redriven.
void drain(test::workshop& here) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (std::chrono::steady_clock::now() < end) {
    for (const auto& one : here.db.receive(100, "10 s")) end_one(here.db, one);
    here.db.ask("select mail_redrive_all()");
    if (here.db.ask("select ready + delayed + leased + dead from mail_stats()") == "0") return;
  }
}

}  // namespace

TEST_CASE(
    "whatever producers and consumers do, each key's messages are ended one at a time, in order, and none is lost") {
  const auto seed = std::random_device{}();
  const auto on_failure = GENERATE(as<std::string>{}, "block", "skip");
  INFO("seed " << seed << ", " << on_failure);
  test::workshop here{queue(on_failure)};
  here.db.ask(
      "create table ended (place bigserial, id bigint primary key, key text not null); "
      "create table consumers (pid integer not null)");
  record all;
  {
    std::vector<std::jthread> threads;
    for (int key = 0; key < keys; ++key)
      threads.push_back(run(all, [&, key](const std::stop_token& stop) {
        produce(here.open(), key, chance{seed + static_cast<unsigned>(key)}, all, stop);
      }));
    for (unsigned i = 0; i < 5; ++i)
      threads.push_back(run(all, [&, i](const std::stop_token& stop) { consume(here, chance{seed + 20 + i}, stop); }));
    threads.push_back(run(all, [&](const std::stop_token& stop) { disturb(here, chance{seed + 30}, all, stop); }));
    std::this_thread::sleep_for(6s);
    for (auto& each : threads) each.request_stop();
  }
  drain(here);

  for (const auto& complaint : all.complaints()) FAIL_CHECK(complaint);
  CHECK(here.counts() == "0|0|0|0");
  CHECK(all.sent().size() > 100);
  CHECK(here.db.ask("select count(*) from ended") == std::to_string(all.sent().size()));
  // One that died where failures are skipped has lost its place to those that were handled meanwhile.
  if (on_failure == "block")
    CHECK(here.db.ask("select key, id, before from (select *, lag(id) over (partition by key order by place) as before "
                      "from ended) as e where before > id") == std::string{});
}
