// A queue in which there is one message of those that are the same.

#include <ranges>
#include <vector>

#include "quern/shop.hpp"
#include "support/catch.hpp"

namespace {

using namespace std::chrono_literals;
using quern::enqueued;

shop::orders order(std::int32_t number, std::optional<std::string> country = "de") {
  return {.order_id = number, .country = std::move(country), .note = "A"};
}

}  // namespace

TEST_CASE("enqueueing a message again says whose duplicate it is, until that one has ended") {
  test::shop_session s;
  shop::orders_producer producer{s.db};
  shop::orders_consumer consumer{s.db};
  const enqueued first = producer.enqueue(order(1));
  CHECK(!first.is_duplicate);
  CHECK(producer.enqueue(order(1)) == enqueued{first.message_id, true});
  CHECK(producer.enqueue(order(1), {.delay = 1h}) == enqueued{first.message_id, true});
  CHECK(!producer.enqueue(order(2)).is_duplicate);
  CHECK(!producer.enqueue(order(1, "fr")).is_duplicate);

  const auto claimed = consumer.claim(1);
  REQUIRE(claimed.size() == 1);
  CHECK(producer.enqueue(order(1)) == enqueued{first.message_id, true});
  CHECK(consumer.ack(claimed[0]));
  CHECK(!producer.enqueue(order(1)).is_duplicate);
}

TEST_CASE("a message that lacks a part of what makes it unique is never a duplicate") {
  test::shop_session s;
  shop::orders_producer producer{s.db};
  CHECK(!producer.enqueue(order(1, std::nullopt)).is_duplicate);
  CHECK(!producer.enqueue(order(1, std::nullopt)).is_duplicate);
}

TEST_CASE("a batch says of each message what became of it, also of duplicates inside of it") {
  test::shop_session s;
  shop::orders_producer producer{s.db};
  const enqueued before = producer.enqueue(order(2));
  const auto made = producer.enqueue(std::vector{order(3), order(2), order(3), order(1)});
  REQUIRE(made.size() == 4);
  CHECK(!made[0].is_duplicate);
  CHECK(made[1] == enqueued{before.message_id, true});
  CHECK(made[2] == enqueued{made[0].message_id, true});
  CHECK(!made[3].is_duplicate);
  CHECK(s.count("orders_message") == 3);
}

TEST_CASE("a range that is copied leaves duplicates out and says how many messages it made") {
  test::shop_session s;
  shop::orders_producer producer{s.db};
  producer.enqueue(order(7));
  const auto orders = std::views::iota(1, 1001) | std::views::transform([](int i) { return order(i % 500); });
  CHECK(producer.enqueue_all(orders) == 499);
  CHECK(s.count("orders_message") == 500);
}

TEST_CASE("two transactions enqueue the same message: the second waits, and then it is a duplicate or not") {
  test::shop_session s;
  auto other = s.another();
  shop::orders_producer producer{s.db};
  shop::orders_producer others{other};
  quern::transaction first{s.db};
  const auto held = producer.enqueue(order(1));
  other.execute("set lock_timeout = '50ms'");
  const auto refused = test::failure_of<quern::database_error>([&] { others.enqueue(order(1)); });
  CHECK(refused.sqlstate() == quern::sqlstate::lock_not_available);
  CHECK(refused.is_retryable());
  first.commit();
  CHECK(others.enqueue(order(1)) == enqueued{held.message_id, true});
}
