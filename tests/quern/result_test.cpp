// What a consumer gives back, and the producer that waits for it.
#include <fmt/format.h>

#include <future>
#include <quern/producer.hpp>
#include <quern/worker.hpp>
#include <set>
#include <shop/reports.hpp>
#include <thread>

#include "quern/shop.hpp"
#include "support/catch.hpp"

namespace {

using namespace std::chrono_literals;
using quern::message_result;
using quern::result_state;

message_result done_with(std::string text) {
  return {result_state::done, quern::json{std::move(text)}};
}

/// Waits until `count` sessions wait for results.
void wait_until_awaited(test::shop_session& s, int count) {
  while (
      s.db.execute("select count(*) from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and granted and "
                   "database = (select oid from pg_database where datname = current_database())")
          .value<std::int64_t>() < 2 * count)
    std::this_thread::sleep_for(1ms);
}

struct awaiting {
  quern::connection db;
  std::future<message_result> is;
  std::chrono::steady_clock::time_point ended{};

  awaiting(const test::shop_session& s, std::int64_t id, std::chrono::milliseconds look_every = 1h,
           std::chrono::milliseconds timeout = 20s)
      : db{s.another()} {
    is = std::async(std::launch::async, [this, id, look_every, timeout] {
      const auto found = quern::wait_for_result(db, quern::result_statements_of<shop::reports_v1_contract>, id,
                                                std::chrono::steady_clock::now() + timeout, {}, look_every);
      ended = std::chrono::steady_clock::now();
      return found;
    });
  }
};

std::int64_t held_locks(quern::connection& db) {
  return db.execute("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")
      .value<std::int64_t>();
}

}  // namespace

TEST_CASE("a consumer gives a result back, and a producer asks for it") {
  test::shop_session s;
  shop::reports_producer producer{s.db};
  shop::reports_consumer consumer{s.db};
  const auto first = producer.enqueue({.number = 1});
  const auto second = producer.enqueue({.number = 2});
  CHECK(producer.result(first) == message_result{result_state::pending, {}});
  const auto held = consumer.claim(2);
  REQUIRE(held.size() == 2);
  CHECK(producer.result(first) == message_result{result_state::pending, {}});
  CHECK(consumer.ack(held[0], quern::json{"{\"rows\": 7}"}));
  CHECK_FALSE(consumer.ack(held[0], quern::json{"1"}));
  CHECK(consumer.ack(held[1]));
  CHECK(producer.result(first) == done_with("{\"rows\": 7}"));
  CHECK(producer.result(second) == message_result{result_state::done, {}});
  CHECK(producer.result(99) == message_result{result_state::unknown, {}});
  const auto found = producer.await_result(first, 1s);
  CHECK(found == done_with("{\"rows\": 7}"));
}

TEST_CASE("many results travel in one call, and there must be one of each message or none") {
  test::shop_session s;
  shop::reports_producer producer{s.db};
  shop::reports_consumer consumer{s.db};
  for (int i = 1; i <= 3; ++i) producer.enqueue({.number = i});
  const auto held = consumer.claim(3);
  const std::vector<std::optional<quern::json>> results{quern::json{"1"}, std::nullopt, quern::json{"null"}};
  CHECK(consumer.ack(std::span{held}, std::span{results}).empty());
  CHECK(consumer.ack(std::span{held}, std::span{results}).size() == 3);
  CHECK(producer.result(held[0].message_id) == done_with("1"));
  CHECK(producer.result(held[1].message_id) == message_result{result_state::done, {}});
  CHECK(producer.result(held[2].message_id) == done_with("null"));
  CHECK_THROWS_AS(consumer.ack(std::span{held}, std::span{results}.first(2)), std::invalid_argument);
}

TEST_CASE("who awaits a result is woken by its commit alone") {
  test::shop_session s;
  shop::reports_producer producer{s.db};
  const auto id = producer.enqueue({.number = 1});
  awaiting waiting{s, id};
  wait_until_awaited(s, 1);
  auto other = s.another();
  shop::reports_consumer consumer{other};
  const auto held = consumer.claim();
  quern::transaction within{other};
  CHECK(consumer.ack(held.front(), quern::json{"5"}));
  CHECK(waiting.is.wait_for(50ms) == std::future_status::timeout);
  const auto committed = std::chrono::steady_clock::now();
  within.commit();
  CHECK(waiting.is.get() == done_with("5"));
  CHECK(waiting.ended - committed < 2s);
  CHECK(held_locks(waiting.db) == 0);
}

TEST_CASE("a wait that begins between an acknowledgement and its commit loses nothing") {
  test::shop_session s;
  shop::reports_producer producer{s.db};
  auto other = s.another();
  shop::reports_consumer consumer{other};
  for (const bool is_nested : {false, true}) {
    const auto id = producer.enqueue({.number = 1});
    const auto held = consumer.claim();
    quern::transaction within{other};
    if (is_nested) other.execute("savepoint one");
    CHECK(consumer.ack(held.front(), quern::json{"6"}));
    awaiting waiting{s, id};
    wait_until_awaited(s, 1);
    CHECK(waiting.is.wait_for(100ms) == std::future_status::timeout);
    const auto committed = std::chrono::steady_clock::now();
    within.commit();
    CHECK(waiting.is.get() == done_with("6"));
    CHECK(waiting.ended - committed < 2s);
  }
}

TEST_CASE("a wait hears of a dead letter, and looks by itself for what was cancelled") {
  test::shop_session s;
  shop::reports_producer producer{s.db};
  shop::reports_consumer consumer{s.db};
  const auto id = producer.enqueue({.number = 1});
  {
    awaiting waiting{s, id};
    wait_until_awaited(s, 1);
    CHECK(consumer.nack(consumer.claim().front(), "no", 0us) == quern::nack_outcome::retry);
    std::vector<shop::reports_message> held;
    while (held.empty()) held = consumer.claim();
    CHECK(consumer.nack(held.front(), "no") == quern::nack_outcome::dead);
    CHECK(waiting.is.get() == message_result{result_state::dead, {}});
  }
  const auto cancelled = producer.enqueue({.number = 2});
  awaiting waiting{s, cancelled, 20ms};
  wait_until_awaited(s, 1);
  CHECK(producer.cancel(cancelled));
  CHECK(waiting.is.get() == message_result{result_state::unknown, {}});
}

TEST_CASE("nobody is notified while nobody waits, and nobody of another message's end") {
  test::shop_session s;
  shop::reports_producer producer{s.db};
  shop::reports_consumer consumer{s.db};
  auto ear = s.another();
  ear.listen(shop::reports_v1_contract::done_channel);
  const auto first = producer.enqueue({.number = 1});
  const auto second = producer.enqueue({.number = 2});
  CHECK(consumer.ack(consumer.claim().front()));
  CHECK_FALSE(ear.wait_for_notification(std::chrono::steady_clock::now() + 20ms));
  awaiting waiting{s, second};
  wait_until_awaited(s, 1);
  const auto third = producer.enqueue({.number = 3});
  const auto held = consumer.claim(2);
  CHECK(consumer.ack(held[1]));
  CHECK_FALSE(ear.wait_for_notification(std::chrono::steady_clock::now() + 20ms));
  CHECK(consumer.ack(held[0]));
  const auto heard = ear.wait_for_notification(std::chrono::steady_clock::now() + 5s);
  REQUIRE(heard);
  CHECK(heard->payload == std::to_string(second));
  CHECK(waiting.is.get().state == result_state::done);
  CHECK(first < third);
}

TEST_CASE("a wait ends when its time is over or a stop is requested, and holds nothing after that") {
  test::shop_session s;
  shop::reports_producer producer{s.db};
  const auto id = producer.enqueue({.number = 1});
  CHECK(producer.await_result(id, 20ms) == message_result{result_state::pending, {}});
  CHECK(held_locks(s.db) == 0);
  std::stop_source stop;
  stop.request_stop();
  CHECK(producer.await_result(id, 20s, stop.get_token()) == message_result{result_state::pending, {}});
  CHECK(held_locks(s.db) == 0);
  quern::transaction within{s.db};
  CHECK_THROWS_AS(producer.await_result(id, 1ms), std::logic_error);
}

TEST_CASE("what a worker's handler returns is the result") {
  test::shop_session s;
  shop::reports_producer producer{s.db};
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(producer.enqueue({.number = i}));
  auto other = s.another();
  shop::reports_consumer consumer{other};
  quern::worker always{consumer,
                       [](const shop::reports_message& m) -> std::optional<quern::json> {
                         if (m.payload.number == 3) return std::nullopt;
                         if (m.payload.number == 4) throw std::runtime_error{"no"};
                         return quern::json{std::to_string(m.payload.number * 2)};
                       },
                       {.batch_size = 2, .until_empty = true}};
  always.run();
  for (int i = 0; i < 3; ++i) CHECK(producer.result(ids[i]) == done_with(std::to_string(i * 2)));
  CHECK(producer.result(ids[3]) == message_result{result_state::done, {}});
  CHECK(producer.result(ids[4]).state != result_state::done);
}

TEST_CASE("a handler of batches returns a result for each of its messages") {
  test::shop_session s;
  shop::reports_producer producer{s.db};
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(producer.enqueue({.number = i}));
  auto other = s.another();
  shop::reports_consumer consumer{other};
  using batch = std::span<const shop::reports_message>;
  quern::worker some{consumer,
                     [](batch all) {
                       std::vector<std::optional<quern::json>> results;
                       for (const auto& m : all) {
                         results.emplace_back();
                         if (m.payload.number != 1) results.back() = quern::json{std::to_string(m.payload.number)};
                       }
                       return results;
                     },
                     {.batch_size = 3, .until_empty = true}};
  some.run();
  CHECK(producer.result(ids[1]) == message_result{result_state::done, {}});
  for (const int i : {0, 2, 3, 4}) CHECK(producer.result(ids[i]) == done_with(std::to_string(i)));

  const auto last = producer.enqueue({.number = 6});
  quern::worker all{consumer,
                    [](batch messages, const std::stop_token&) {
                      return std::vector<quern::json>(messages.size(), quern::json{"9"});
                    },
                    {.batch_size = 3, .until_empty = true}};
  all.run();
  CHECK(producer.result(last) == done_with("9"));
}

TEST_CASE("results that are not one for each message of a batch are a failed attempt of all of them") {
  test::shop_session s;
  shop::reports_producer producer{s.db};
  const std::vector<std::int64_t> ids{producer.enqueue({.number = 1}), producer.enqueue({.number = 2})};
  auto other = s.another();
  shop::reports_consumer consumer{other};
  std::set<std::string> errors;
  quern::worker one{consumer,
                    [](std::span<const shop::reports_message>) { return std::vector<quern::json>{quern::json{"1"}}; },
                    {.batch_size = 2, .until_empty = true, .on_failure = [&](auto, auto, std::string_view error, auto) {
                       errors.emplace(error);
                     }}};
  one.run();
  CHECK(errors == std::set<std::string>{"the handler returned 1 results of 2 messages"});
  for (const auto id : ids) CHECK(producer.result(id).state != result_state::done);
}

TEST_CASE("a waiting producer and a worker talk back and forth without waiting for a poll") {
  test::shop_session s;
  auto other = s.another();
  std::stop_source stop;
  std::jthread crew{[&] {
    shop::reports_consumer consumer{other};
    quern::worker work{consumer,
                       [](const shop::reports_message& m) { return quern::json{std::to_string(m.payload.number)}; },
                       {.poll_interval = 1h}};
    work.run(stop.get_token());
  }};
  shop::reports_producer producer{s.db};
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i)
    CHECK(producer.await_result(producer.enqueue({.number = i}), 10s) == done_with(std::to_string(i)));
  CHECK(std::chrono::steady_clock::now() - begin < 10s);
  stop.request_stop();
}

TEST_CASE("one result that is refused is a failed attempt of its message, and the others are done") {
  test::shop_session s;
  shop::reports_producer producer{s.db};
  std::vector<std::int64_t> ids;
  for (int number = 1; number <= 4; ++number) ids.push_back(producer.enqueue({.number = number}));
  const std::string bad = GENERATE(as<std::string>{}, "", "\xff", "\"\\u0000\"");
  std::vector<std::int64_t> failed;
  quern::connection own = s.another();
  shop::reports_consumer consumer{own};
  int calls = 0;
  quern::worker worker{consumer,
                       [&](const shop::reports_message& one) {
                         ++calls;
                         return quern::json{one.payload.number == 3 && one.attempt == 1 ? bad : "7"};
                       },
                       {.batch_size = 4,
                        .until_empty = true,
                        .on_failure = [&](std::int64_t id, std::int32_t, std::string_view error, quern::nack_outcome) {
                          CHECK(error.starts_with("its result is refused: "));
                          failed.push_back(id);
                        }}};
  worker.run();
  CHECK(failed == std::vector{ids[2]});
  CHECK(calls <= 5);  // it may come again at once
  for (const std::size_t done : {0U, 1U, 3U}) CHECK(producer.result(ids[done]) == done_with("7"));
}

TEST_CASE("who waits for as long as possible does not give up at once") {
  test::shop_session s;
  shop::reports_producer producer{s.db};
  shop::reports_consumer consumer{s.db};
  const auto id = producer.enqueue({.number = 1});
  quern::connection other = s.another();
  auto waiting = std::async(std::launch::async, [&] {
    return shop::reports_producer{other}.await_result(id, std::chrono::milliseconds::max());
  });
  wait_until_awaited(s, 1);
  CHECK(consumer.ack(consumer.claim(1)[0], quern::json{"1"}));
  CHECK(waiting.get() == done_with("1"));
}
