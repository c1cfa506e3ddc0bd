#include <atomic>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "stream/team.hpp"
#include "support/catch.hpp"

// Workers of an ordered consumer that acknowledge in parts, fail, are killed and let their leases run out, while there
// is publishing and clearing away. A session that begins to handle an event says so, and says when it has ended: no two
// of a key overlap, each begins where all before it have ended, and every one is acknowledged exactly once.

namespace {

constexpr int workers = 3;
constexpr int events = 300;

struct claimed {
  std::int64_t offset = 0;
  std::string key;
};

std::vector<claimed> claim(test::hand& who, std::string_view consumer, int count, std::string_view lease) {
  const auto got = who.db.ask(
      fmt::format("select string_agg(event_offset || ':' || coalesce(who, '-'), ' ' order by event_offset) || ' ' || "
                  "max(batch) from log_claim_v1('{}', {}, '{}')",
                  consumer, count, lease));
  std::vector<claimed> result;
  if (got == "null") return result;
  std::size_t at = 0;
  for (auto end = got.find(' '); end != std::string::npos; at = end + 1, end = got.find(' ', at)) {
    const auto colon = got.find(':', at);
    result.push_back({std::stoll(got.substr(at, colon - at)), got.substr(colon + 1, end - colon - 1)});
  }
  who.batch = got.substr(at);
  return result;
}

/// Whether the consumer has nothing left to do, but for what a dead letter blocks.
constexpr auto is_through =
    "select behind = 0 and claims = 0 and unsealed = 0 and not exists (select from log_failed as f where f.consumer = "
    "l.consumer "
    "and dead_at is null and not exists (select from log_failed as b where b.consumer = f.consumer and b.order_key = "
    "f.order_key and b.is_blocking and b.event_offset < f.event_offset)) from log_lag() as l, log_stats() where "
    "consumer = '{}'";

/// Acknowledges with the effect in the same transaction; false: the claim is another's.
bool handle(test::hand& who, const claimed& one) {
  who.db.begin();
  const bool counts = who.ack(one.offset) == "1";
  if (counts)
    who.db.ask(
        fmt::format("insert into processed (event_offset, who) values ({}, nullif('{}', '-'))", one.offset, one.key));
  counts ? who.db.commit() : who.db.rollback();
  return counts;
}

class worker {
 public:
  worker(test::team& here, std::string consumer, unsigned seed)
      : here_{here}, consumer_{std::move(consumer)}, random_{seed}, who_{here.enlist(consumer_)} {}

  void run(const std::atomic<bool>& is_published) {
    while (true) {
      const auto held = claim(*who_, consumer_, 1 + pick(12), pick(5) == 0 ? "1 ms" : "1 m");
      if (held.empty()) {
        if (is_published && who_->db.ask(fmt::format(fmt::runtime(is_through), consumer_)) == "t") return;
        continue;
      }
      work(held);
    }
  }

 private:
  int pick(int many) { return static_cast<int>(random_() % static_cast<unsigned>(many)); }

  void work(const std::vector<claimed>& held) {
    const auto last = static_cast<std::size_t>(pick(4) == 0 ? pick(static_cast<int>(held.size())) : held.size());
    for (std::size_t i = 0; i < last; ++i) {
      const auto is_left =
          who_->db.ask(fmt::format("select {} = any (log_held('{}', {}))", held[i].offset, consumer_, who_->batch));
      if (is_left != "t") continue;
      if (pick(12) == 0) {
        who_->db.ask(fmt::format("select log_nack('{}', {}, {}, 'bad', '{} ms')", consumer_, who_->batch,
                                 held[i].offset, pick(8)));
      } else {
        handle(*who_, held[i]);
      }
    }
    if (last == held.size()) return;
    if (pick(2) == 0) {
      who_->release();
      return;
    }
    here_.kill(*who_);
    who_.emplace(here_.enlist(consumer_));
  }

  test::team& here_;
  std::string consumer_;
  std::mt19937 random_;
  std::optional<test::hand> who_;
};

void play(std::string_view consumer, int attempts) {
  test::team here;
  here.db.ask(
      "create table processed (place bigint generated always as identity, event_offset bigint, who text); "
      "select log_unsubscribe(c) from unnest('{crew,loose,picky,free}'::text[]) as c where c <> '" +
      std::string{consumer} + "'");
  here.db.ask(fmt::format("select log_share('{}', '1 m', {}, 'constant', '5 ms', '5 ms', 0)", consumer, attempts));
  std::atomic<bool> is_published = false;
  {
    std::vector<std::jthread> hands;
    for (unsigned i = 0; i < workers; ++i) {
      hands.emplace_back([&, i] { worker{here, std::string{consumer}, i}.run(is_published); });
    }
    auto publishing = here.open();
    auto clearing = here.open();
    std::mt19937 random{7};
    for (int i = 0; i < events; i += 10) {
      std::string keys;
      for (int k = 0; k < 10; ++k) {
        const auto dice = random() % 9;
        keys += dice == 0 ? "null," : fmt::format("k{},", dice % 5);
      }
      keys.pop_back();
      publishing.begin();
      publishing.ask(fmt::format("select log_publish_many_v1(array_fill('x'::text, array[10]), '{{{}}}')", keys));
      i % 70 == 0 ? publishing.rollback() : publishing.commit();
      clearing.ask("select log_compact(0)");
    }
    is_published = true;
  }
  INFO(here.aside(consumer));
  CHECK(here.db.ask("select count(*) = count(distinct event_offset) from processed") == "t");
  // Of a key the later one was handled after the earlier, unless that is a dead letter.
  CHECK(here.db.ask("select count(*) from processed as a join processed as b on b.who = a.who and b.event_offset > "
                    "a.event_offset and b.place < a.place") == "0");
  CHECK(here.db.ask(
            fmt::format("select (select last_offset from log_stats()) = (select count(*) from processed) + (select "
                        "count(*) from log_failed where consumer = '{}')",
                        consumer)) == "t");
  CHECK(here.db.ask(fmt::format("select count(*) from log_failed where consumer = '{}' and dead_at is null and not "
                                "exists (select from log_blocked() as b where b.key = who)",
                                consumer)) == "0");
  CHECK(here.db.ask(fmt::format("select count(*) from log_failed as d join processed as p on p.who = d.who and "
                                "p.event_offset > d.event_offset where d.is_blocking")) == "0");
  if (attempts > 100) CHECK(here.aside(consumer).empty());
}

}  // namespace

TEST_CASE("with workers that fail, are slow and are killed the events of each key are handled in their order") {
  play("crew", 1000);
}

TEST_CASE("so they are when events run out of attempts and block their key") {
  play("crew", 4);
}

TEST_CASE("and when events run out of attempts and are skipped") {
  play("loose", 3);
}
