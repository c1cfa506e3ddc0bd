#include <atomic>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "stream/crew.hpp"
#include "support/catch.hpp"

// Workers that claim, acknowledge in parts, fail, are killed and let their leases run out, while there is publishing
// and clearing away: every event is acknowledged exactly once by all of them together.

namespace {

constexpr int workers = 4;
constexpr int events = 600;

std::vector<std::int64_t> numbers(const std::string& text) {
  std::vector<std::int64_t> result;
  for (std::size_t at = 0; at < text.size(); at = std::min(text.find(' ', at), text.size() - 1) + 1)
    result.push_back(std::stoll(text.substr(at)));
  return result;
}

/// Acknowledges with effects in the same transaction, which are what counts.
void acknowledge(test::hand& who, const std::vector<std::int64_t>& events_done) {
  who.db.begin();
  const bool counts = who.ack(events_done.back()) == std::to_string(events_done.size());
  for (const auto each : events_done) who.db.ask(fmt::format("insert into processed values ({})", each));
  counts ? who.db.commit() : who.db.rollback();
}

void acknowledge_in_parts(test::hand& who, const std::vector<std::int64_t>& held, std::size_t first_part) {
  const auto middle = held.begin() + static_cast<std::ptrdiff_t>(first_part);
  if (middle != held.begin()) acknowledge(who, {held.begin(), middle});
  if (middle != held.end()) acknowledge(who, {middle, held.end()});
}

void work(test::crew& here, const std::atomic<bool>& is_published, unsigned number) {
  std::mt19937 random{number};
  std::optional<test::hand> who{here.enlist()};
  while (true) {
    auto held = numbers(who->claim(1 + static_cast<int>(random() % 12), random() % 4 == 0 ? "1 ms" : "1 m"));
    if (held.empty()) {
      if (is_published && who->db.ask("select behind = 0 and claims = 0 and retries = 0 and unsealed = 0 "
                                      "from log_lag(), log_stats() where consumer = 'crew'") == "t")
        return;
      continue;
    }
    const auto dice = random() % 10;
    if (dice == 0) {
      here.kill(*who);
      who.emplace(here.enlist());
      continue;
    }
    if (dice == 1) who->release();
    if (dice == 2) who->extend();
    if (dice == 3 || dice == 4) {
      const auto bad = held[random() % held.size()];
      if (who->db.ask(fmt::format("select log_nack('crew', {}, {}, 'bad', '5 ms')", who->batch, bad)) == "retry")
        std::erase(held, bad);
    }
    acknowledge_in_parts(*who, held, random() % (held.size() + 1));
  }
}

}  // namespace

TEST_CASE("with workers that fail, are slow and are killed every event is acknowledged exactly once") {
  test::crew here;
  here.db.ask(
      "create table processed (event_offset bigint); select log_share('crew', '1 m', 1000, 'constant', '5 ms', '5 ms', "
      "0)");
  std::atomic<bool> is_published = false;
  {
    std::vector<std::jthread> hands;
    for (unsigned i = 0; i < workers; ++i) {
      hands.emplace_back([&, i] { work(here, is_published, i); });
    }
    auto publishing = here.open();
    auto clearing = here.open();
    for (int i = 0; i < events; i += 10) {
      publishing.begin();
      publishing.ask(fmt::format("select log_publish_many_v1(array(select g::text from generate_series({}, {}) as g))",
                                 i + 1, i + 10));
      i % 70 == 0 ? publishing.rollback() : publishing.commit();
      clearing.ask("select log_compact(0)");
    }
    is_published = true;
  }
  CHECK(here.state() == here.db.ask("select last_offset || '|0|0|0' from log_stats()"));
  CHECK(
      here.db.ask("select count(*) = count(distinct event_offset) and count(*) = (select last_offset from log_stats()) "
                  "and max(event_offset) = count(*) from processed") == "t");
}
