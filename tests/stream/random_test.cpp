#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "stream/journal.hpp"
#include "support/catch.hpp"

// Publishers that commit late, roll back and use savepoints, sealers and readers, all at once: what was committed is
// there once, without gaps, transactions in one piece.

namespace {

constexpr int publishers = 5;
constexpr int rounds = 40;

void run_publisher(test::journal& here, int number) {
  auto db = here.open();
  std::mt19937 random{static_cast<unsigned>(number)};
  for (int round = 0; round < rounds; ++round) {
    const auto name = fmt::format("{}-{}", number, round);
    const auto dice = random() % 10;
    db.begin();
    test::journal::publish(db, name + "-1");
    db.ask("savepoint s");
    test::journal::publish(db, name + "-x");
    if (dice < 8) db.ask("rollback to s");
    test::journal::publish(db, name + "-y");
    if (dice % 3 == 0) db.ask("select pg_sleep(0.02)");
    dice == 9 ? db.rollback() : db.commit();
  }
}

/// Reads on from where it is, and notes what it saw at which offset.
void run_reader(test::journal& here, const std::atomic<bool>& is_over, std::string& seen) {
  auto db = here.open();
  std::int64_t after = 0;
  while (true) {
    const auto got = db.ask(fmt::format("select event_offset, body from log_read_v1({}, 50)", after));
    // Nothing is not the end: another one may be sealing.
    if (got.empty() && is_over &&
        db.ask(fmt::format("select unsealed = 0 and last_offset = {} from log_stats()", after)) == "t")
      return;
    if (got.empty()) continue;
    seen += (seen.empty() ? "" : " ") + got;
    const auto last = got.rfind(' ') == std::string::npos ? got : got.substr(got.rfind(' ') + 1);
    after = std::stoll(last.substr(0, last.find('|')));
  }
}

}  // namespace

TEST_CASE("with publishers, sealers and readers at once every committed event is seen once by each, in one order") {
  test::journal here;
  std::atomic<bool> is_over = false;
  std::vector<std::string> seen(3);
  {
    std::vector<std::jthread> readers;
    for (auto& each : seen) readers.emplace_back([&] { run_reader(here, is_over, each); });
    {
      std::vector<std::jthread> writers;
      for (int i = 0; i < publishers; ++i) writers.emplace_back([&here, i] { run_publisher(here, i); });
    }
    is_over = true;
  }
  here.whole();
  const auto all = here.read(0, 1000000);
  for (const auto& each : seen) CHECK(each == all);
  CHECK(here.db.ask(R"(
    select bool_and(last - first + 1 = count and bodies = sorted)
    from (
      select
        max(event_offset) as last,
        min(event_offset) as first,
        count(*) as count,
        array_agg(body order by event_offset) as bodies,
        array_agg(body order by body) as sorted
      from log_read_v1(0, 1000000)
      group by substring(body from '^\d+-\d+')
    ) as t
  )") == "t");
}
