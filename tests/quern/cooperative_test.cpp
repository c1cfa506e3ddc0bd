#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <iterator>
#include <shop/activity.hpp>
#include <thread>

#include "quern/fixture.hpp"
#include "quern/shop.hpp"
#include "support/catch.hpp"

namespace {

using namespace std::chrono_literals;
using offsets = std::vector<std::int64_t>;

shop::activity done(std::int64_t customer) {
  return {.customer_id = customer, .kind = "signup", .detail = quern::json{"{\"x\": 1}"}};
}

offsets offsets_of(const std::vector<shop::activity_cooperative_consumer::message_type>& events) {
  offsets result;
  for (const auto& each : events) result.push_back(each.offset);
  return result;
}

struct with_crew : test::shop_session {
  explicit with_crew(int events = 0) {
    for (int i = 1; i <= events; ++i) producer.publish(done(i));
  }

  std::string state() {
    return db
        .execute("select concat_ws('|', up_to, claims, retries, dead) from shop.activity_lag() where consumer = 'crew'")
        .value<std::string>();
  }

  void let_leases_run_out() {
    db.run_script("update shop.activity_claim set lease_until = lease_until - interval '1 hour' where is_open");
  }

  shop::activity_producer producer{db};
  shop::activity_cooperative_consumer ann{db, "crew"};
  quern::connection other = another();
  shop::activity_cooperative_consumer bob{other, "crew"};
};

}  // namespace

TEST_CASE("workers of a cooperative consumer have no event in common") {
  with_crew s{5};
  const auto first = s.ann.claim(2);
  const auto second = s.bob.claim(2);
  CHECK(offsets_of(first) == offsets{1, 2});
  CHECK(offsets_of(second) == offsets{3, 4});
  CHECK(first[0].attempt == 1);
  CHECK(first[0].batch == first[1].batch);
  CHECK(first[0].batch != second[0].batch);
  CHECK(first[1].payload == done(2));
  CHECK(std::chrono::abs(first[0].lease_until - std::chrono::system_clock::now() - 1min) < 30s);
  CHECK(s.ann.ack(first).empty());
  CHECK(s.ann.ack(first) == offsets{1, 2});
  CHECK(s.bob.ack(second[0]));
  CHECK(s.state() == "3|1|0|0");
  CHECK(s.bob.ack(second[1]));
  CHECK_FALSE(s.bob.ack(second[1]));
  CHECK(offsets_of(s.ann.claim()) == offsets{5});
  CHECK(s.bob.claim().empty());
}

TEST_CASE("the end of a claim and the next claim are sent together, and are a transaction each") {
  with_crew s{5};
  const auto first = s.ann.claim(2);
  auto [second, lost] = s.ann.ack_and_claim(first, 2);
  CHECK(offsets_of(second) == offsets{3, 4});
  CHECK(lost.empty());
  CHECK(s.state() == "2|1|0|0");
  CHECK(s.db.execute("select count(distinct xmin::text) from shop.activity_claim where claim_id in ($1, $2)",
                     first[0].batch, second[0].batch)
            .value<int>() == 3);
  CHECK(s.ann.ack_and_claim(first, 1).lost == offsets{1, 2});
  auto both = second;
  const auto taken = s.ann.claim();
  CHECK(taken.empty());
  s.producer.publish(done(6));
  both.push_back(s.ann.claim()[0]);
  CHECK(s.ann.ack_and_claim(both, 1).messages.empty());
  CHECK(s.ann.ack_and_claim({}, 1).messages.empty());
  quern::transaction within{s.db};
  CHECK_THROWS_AS(s.ann.ack_and_claim(first, 1), std::logic_error);
}

TEST_CASE("the end of a claim is known although the claim behind it is refused, and the next claim says why") {
  with_crew s{2};
  const auto held = s.ann.claim(2);
  auto [next, lost] = s.ann.ack_and_claim(held, 0);
  CHECK(next.empty());
  CHECK(lost.empty());
  CHECK(s.state() == "2|0|0|0");
  CHECK(s.ann.ack_and_claim(held, 0).lost == offsets{1, 2});
  CHECK(test::failure_of<quern::database_error>([&] { s.ann.claim(0); }).sqlstate() == "QN005");
}

TEST_CASE("when the end of a claim is refused, what was claimed behind it is given back") {
  with_crew s{4};
  auto held = s.ann.claim(2);
  held.back().offset = 3;
  const auto error = test::failure_of<quern::database_error>([&] { s.ann.ack_and_claim(held, 2); });
  CHECK(error.sqlstate() == "QN005");
  const auto next = s.bob.claim(2);
  CHECK(offsets_of(next) == offsets{3, 4});
  CHECK(next[0].attempt == 1);
  held.back().offset = 2;
  CHECK(s.ann.ack(held).empty());
}

TEST_CASE("who has lost a claim is told at every turn") {
  with_crew s{3};
  auto held = s.ann.claim(3);
  CHECK(s.ann.extend(held[0], 10min).value() - std::chrono::system_clock::now() > 9min);
  s.let_leases_run_out();
  const auto taken = s.bob.claim(3);
  CHECK(offsets_of(taken) == offsets{1, 2, 3});
  CHECK(taken[0].attempt == 2);
  CHECK_FALSE(s.ann.ack(held[0]));
  CHECK(s.ann.ack(held) == offsets{1, 2, 3});
  CHECK(s.ann.nack(held[0], "no") == quern::nack_outcome::lost);
  CHECK_FALSE(s.ann.extend(held[0]));
  CHECK_FALSE(s.ann.hold(held));
  CHECK_FALSE(s.ann.release(held[0]));
  CHECK(s.bob.ack(taken).empty());
}

TEST_CASE("a claim is held for longer as a whole, and given back as a whole") {
  with_crew s{4};
  auto held = s.ann.claim(2);
  const auto more = s.ann.claim(2);
  held.insert(held.end(), more.begin(), more.end());
  CHECK(s.ann.hold(held, 10min));
  CHECK(held[1].lease_until == held[0].lease_until);
  CHECK(held[1].lease_until > held[2].lease_until + 5min);
  CHECK(s.ann.ack(held[0]));
  s.ann.release(std::span<const shop::activity_cooperative_consumer::message_type>{held});
  CHECK(offsets_of(s.bob.claim()) == offsets{2});
  const auto again = s.bob.claim();
  CHECK(offsets_of(again) == offsets{3, 4});
  CHECK(again[0].attempt == 1);
}

TEST_CASE("the claims of a connection that is gone are free at once") {
  with_crew s{2};
  {
    auto gone = s.another();
    shop::activity_cooperative_consumer eve{gone, "crew"};
    CHECK(eve.claim().size() == 2);
    CHECK(s.ann.claim().empty());
  }
  test::wait_until(s.place.url(),
                   "select count(*) = 0 from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock' "
                   "and not granted");
  auto taken = s.ann.claim();
  while (taken.empty()) taken = s.ann.claim();
  CHECK(offsets_of(taken) == offsets{1, 2});
}

TEST_CASE("behind a pooler a claim comes back when its lease runs out") {
  with_crew s{1};
  {
    auto gone = s.another();
    shop::activity_cooperative_consumer eve{gone, "crew", quern::session_kind::pooled};
    CHECK(eve.claim().size() == 1);
  }
  CHECK(s.ann.claim().empty());
  s.let_leases_run_out();
  CHECK(s.ann.claim().size() == 1);
}

TEST_CASE("a claim in a transaction is given up with it, and effects in that of its end happen once") {
  with_crew s{2};
  s.db.run_script("create table processed (event_offset bigint)");
  CHECK(s.ann.claim().size() == 2);
  s.let_leases_run_out();
  {
    quern::transaction undone{s.db};
    CHECK_THROWS_AS(s.ann.claim(), std::logic_error);
    CHECK(s.ann.claim(undone).size() == 2);
  }
  quern::transaction within{s.db};
  const auto events = s.ann.claim(within);
  CHECK(offsets_of(events) == offsets{1, 2});
  for (const auto& each : events) within.execute("insert into processed values ($1)", each.offset);
  CHECK(s.ann.ack(events).empty());
  within.commit();
  CHECK(s.db.execute("select count(*) from processed").value<std::int64_t>() == 2);
  CHECK(s.state() == "2|0|0|0");
}

TEST_CASE("the worker handles the events of a stream as it does the messages of a queue") {
  with_crew s{100};
  std::vector<int> handled(101);
  std::vector<std::string> failures;
  quern::worker worker{
      s.ann,
      [&](const auto& event) {
        ++handled.at(std::size_t(event.offset));
        if (event.offset == 7 && event.attempt == 1) throw std::runtime_error{"not yet"};
        if (event.offset == 8) throw std::runtime_error{"never"};
      },
      {.batch_size = 30,
       .until_empty = true,
       .on_failure = [&](std::int64_t id, std::int32_t attempt, std::string_view error, quern::nack_outcome outcome) {
         failures.push_back(fmt::format("{} {} {} {}", id, attempt, error, quern::to_text(outcome)));
       }}};
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(failures == std::vector<std::string>{"7 1 not yet retry", "8 1 never retry", "8 2 never dead"});
  for (int i = 1; i <= 100; ++i) CHECK(handled[std::size_t(i)] == (i == 7 || i == 8 ? 2 : 1));
  CHECK(s.state() == "100|0|0|1");
}

TEST_CASE("workers that wait are woken, share the events and stop on request") {
  with_crew s;
  std::atomic<int> handled = 0;
  std::stop_source stop;
  {
    std::vector<std::jthread> crew;
    for (int i = 0; i < 3; ++i) {
      crew.emplace_back([&] {
        auto own = s.another();
        shop::activity_cooperative_consumer consumer{own, "crew"};
        quern::worker{consumer, [&](const auto&) { ++handled; }, {.batch_size = 4, .poll_interval = 20'000ms}}.run(
            stop.get_token());
      });
    }
    for (int round = 1; round <= 5; ++round) {
      for (int i = 0; i < 20; ++i) s.producer.publish(done(i));
      const auto until = std::chrono::steady_clock::now() + 15s;
      while (handled < round * 20 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
      CHECK(handled == round * 20);
    }
    stop.request_stop();
  }
  CHECK(s.state() == "100|0|0|0");
}

TEST_CASE("a worker that is stopped gives back what it has not handled") {
  with_crew s{10};
  std::stop_source stop;
  quern::worker worker{s.ann, [&](const auto& event) {
                         if (event.offset == 4) stop.request_stop();
                       }};
  CHECK(worker.run(stop.get_token()) == quern::stop_reason::requested);
  const auto left = s.bob.claim();
  CHECK(offsets_of(left) == offsets{5, 6, 7, 8, 9, 10});
  CHECK(left[0].attempt == 1);
}

TEST_CASE("a worker leaves the events alone that come after one of their key that has failed") {
  test::shop_session s;
  shop::activity_producer producer{s.db};
  for (int i = 0; i < 12; ++i) producer.publish(done(i % 3));
  shop::activity_cooperative_consumer ann{s.db, "in_order"};
  std::vector<std::int64_t> handled;
  quern::worker worker{ann,
                       [&](const auto& event) {
                         handled.push_back(event.offset);
                         if (event.offset == 4 && event.attempt == 1) throw std::runtime_error{"not yet"};
                         if (event.offset == 5) throw std::runtime_error{"never"};
                       },
                       {.batch_size = 9, .until_empty = true}};
  // An event that waits for its time does not count as something to do.
  const auto until = std::chrono::steady_clock::now() + 15s;
  while (handled.size() < 12 && std::chrono::steady_clock::now() < until) worker.run();
  // 7 and 10 wait for 4, 8 and 11 for 5, which is dead in the end.
  std::vector<std::int64_t> of_first_key;
  std::ranges::copy_if(handled, std::back_inserter(of_first_key), [](auto offset) { return offset % 3 == 1; });
  CHECK(of_first_key == offsets{1, 4, 4, 7, 10});
  CHECK(std::ranges::count_if(handled, [](auto offset) { return offset == 8 || offset == 11; }) == 0);
  CHECK(std::ranges::count(handled, 5) == 2);
  CHECK(s.db.execute("select key || '|' || event_offset || '|' || waiting from shop.activity_blocked()")
            .value<std::string>() == "1|5|2");
}

TEST_CASE("a worker that waits for a key is woken when that is free") {
  test::shop_session s;
  shop::activity_producer producer{s.db};
  for (int i = 0; i < 2; ++i) producer.publish(done(7));
  shop::activity_cooperative_consumer ann{s.db, "in_order"};
  const auto held = ann.claim(1);
  CHECK(offsets_of(held) == offsets{1});
  std::atomic<int> handled = 0;
  std::stop_source stop;
  std::jthread waiting{[&] {
    auto own = s.another();
    shop::activity_cooperative_consumer bob{own, "in_order"};
    quern::worker{bob, [&](const auto&) { ++handled; }, {.poll_interval = 25'000ms}}.run(stop.get_token());
  }};
  const auto until = std::chrono::steady_clock::now() + 15s;
  const auto is_waiting = fmt::format(
      "select exists (select from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and granted and "
      "(classid::bigint << 32 | objid::bigint) = {}) and exists (select from shop.activity_failed)",
      shop::activity_cooperative_consumer::contract_type::wake_key);
  while (!s.db.execute(is_waiting).value<bool>() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  CHECK(ann.ack(held.front()));
  while (handled == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  CHECK(handled == 1);
  stop.request_stop();
}
