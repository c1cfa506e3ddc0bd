// `concurrency = { per_key = 2, key = "body" }`: of the messages with the same key only so many are in work at once.

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "queue/workshop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

using namespace std::chrono_literals;

namespace {

std::string limited(int per_key, std::string_view options = "") {
  return fmt::format(
      "[queues.mail]\nretry = {{ max_attempts = 3, backoff = \"constant\", initial = \"10s\", jitter = 0 }}\n"
      "concurrency = {{ per_key = {}, key = \"body\"{} }}\n[queues.mail.payload]\nbody = \"text\"\n",
      per_key, options);
}

void send(test::workshop& here, std::string_view key, int count) {
  here.db.ask(fmt::format("select mail_enqueue_v1('{}') from generate_series(1, {})", key, count));
}

/// Claims until nothing comes, since one claim has at most one message of each key.
std::vector<test::held> all(test::session& from) {
  std::vector<test::held> result;
  for (auto more = from.receive(9); !more.empty(); more = from.receive(9))
    result.insert(result.end(), more.begin(), more.end());
  return result;
}

std::string sorted(const std::vector<test::held>& messages) {
  auto copy = messages;
  std::sort(copy.begin(), copy.end(), [](const auto& a, const auto& b) { return a.body < b.body; });
  return test::bodies(copy);
}

}  // namespace

TEST_CASE("of each key only so many messages are in work at once", "[rows]") {
  test::workshop here{limited(2)};
  send(here, "a", 4);
  send(here, "b", 1);
  const auto held = all(here.db);
  CHECK(sorted(held) == "a a b");
  CHECK(here.db.ack(held.front()));
  CHECK(sorted(all(here.db)) == (held.front().body == "a" ? "a" : ""));
}

TEST_CASE("a key at its limit keeps nobody else's messages back, however many of its own there are", "[rows]") {
  test::workshop here{limited(2)};
  send(here, "a", 20000);
  send(here, "b", 1);
  const auto held = all(here.db);
  CHECK(sorted(held) == "a a b");
  send(here, "c", 1);
  CHECK(sorted(all(here.db)) == "c");
  // Those that wait for a retry and are due do not either.
  here.db.ask("delete from mail_message where message_id > 4000");
  here.db.ask(
      "with m as (delete from mail_message returning *) insert into mail_delayed (message_id, due_at, "
      "contract_version, body) select message_id, now() - interval '1 s', contract_version, body from m where body = "
      "'a'");
  here.db.ask("select mail_enqueue_v1('d', p_delay => '1 ms'); select pg_sleep(0.01)");
  std::string found;
  for (int i = 0; i < 20 && found.empty(); ++i) found = sorted(here.db.receive(9));
  CHECK(found == "d");
}

TEST_CASE("what fails waits for its retry without keeping its key back", "[rows]") {
  test::workshop here{limited(1)};
  send(here, "a", 2);
  const auto first = here.db.receive_one();
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.fail(first, "10 s") == "retry");
  const auto second = here.db.receive_one();
  CHECK(second.id == first.id + 1);
  here.db.ask("update mail_delayed set due_at = now() - interval '1 s' where lease_until = '-infinity'");
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ack(second));
  const auto again = here.db.receive_one();
  CHECK(again.id == first.id);
  CHECK(again.attempt == 2);
}

TEST_CASE("a lease that ran out counts until the message is claimed again", "[rows]") {
  test::workshop here{limited(2)};
  send(here, "a", 4);
  const auto held = all(here.db);
  REQUIRE(held.size() == 2);
  here.advance(31s);
  const auto again = all(here.db);
  REQUIRE(again.size() == 2);
  for (const auto& each : again) CHECK(each.attempt == 2);
  CHECK_FALSE(here.db.ack(held.front()));
}

TEST_CASE("what open transactions claim and take counts, and nobody waits for them", "[rows]") {
  test::workshop here{limited(3)};
  send(here, "a", 9);
  auto one = here.open();
  auto two = here.open();
  one.begin();
  two.begin();
  CHECK(one.take(9).size() == 1);
  CHECK(two.receive(9).size() == 1);
  CHECK(here.db.take(1).size() == 1);
  here.db.begin();
  CHECK(here.db.take(1).size() == 1);
  CHECK(here.db.take(1).empty());
  CHECK(one.take(1).empty());
  one.rollback();
  here.db.commit();
  two.commit();
  CHECK(all(here.db).size() == 2);
}

TEST_CASE("one transaction takes no more of a key than there may be, but for what a savepoint gave back", "[rows]") {
  test::workshop here{limited(2)};
  send(here, "a", 9);
  here.db.begin();
  CHECK(here.db.take(1).size() == 1);
  here.db.ask("savepoint one");
  CHECK(here.db.take(1).size() == 1);
  CHECK(here.db.take(1).empty());
  here.db.ask("rollback to one");
  CHECK(here.db.take(1).size() == 1);
  CHECK(here.db.take(1).empty());
  here.db.commit();
  here.db.begin();
  CHECK(here.db.take(1).size() == 1);
  here.db.rollback();
}

TEST_CASE("however many sessions claim at once, no key has more in work than it may", "[rows]") {
  test::workshop here{limited(2, ", queue = 5")};
  for (const auto* key : {"a", "b", "c"}) send(here, key, 300);
  const auto work = [&](int number) {
    auto me = here.open();
    const auto until = std::chrono::steady_clock::now() + 1500ms;
    int round = number;
    while (std::chrono::steady_clock::now() < until) {
      ++round;
      if (round % 7 == 0) {
        me.begin();
        me.take(2);
        if (round % 2 == 0)
          me.commit();
        else
          me.rollback();
        continue;
      }
      for (const auto& each : me.receive(1 + round % 4, round % 5 == 0 ? "20 ms" : "30 s")) {
        if (round % 5 == 0) continue;
        if (round % 3 == 0)
          me.release(each);
        else if (round % 11 == 0)
          me.fail(each, "0");
        else
          me.ack(each);
      }
    }
  };
  std::vector<std::future<void>> workers;
  for (int i = 0; i < 8; ++i) workers.push_back(std::async(std::launch::async, work, i));
  auto look = here.open();
  int most = 0;
  const auto is_working = [&] {
    return std::any_of(workers.begin(), workers.end(),
                       [](auto& each) { return each.wait_for(0s) != std::future_status::ready; });
  };
  while (is_working()) {
    most = std::max(most, std::stoi(look.ask(R"(
      select coalesce(max(k.count), 0)
      from (
        select count(*)
        from (select body, lease_until from mail_message union all select body, lease_until from mail_delayed) as m
        where m.lease_until > clock_timestamp()
        group by m.body
      ) as k
    )")));
  }
  for (auto& each : workers) each.get();
  CHECK(most == 2);
}
