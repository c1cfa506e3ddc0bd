// Workers of queues with limits.

#include "quern/shop.hpp"
#include "support/catch.hpp"

namespace {

struct slow_queue : test::shop_session {
  shop::slow_producer producer{db};
  shop::slow_consumer consumer{db};
  int handled = 0;

  void enqueue(int count) {
    for (int n = 1; n <= count; ++n) producer.enqueue({.n = n});
  }

  quern::stop_reason work() {
    quern::worker worker{consumer, [this](const shop::slow_message&) { ++handled; }, {.until_empty = true}};
    return worker.run();
  }
};

}  // namespace

TEST_CASE("a worker that ends when nothing is there waits for what the rate lets through later") {
  slow_queue at;
  at.enqueue(3);
  CHECK(at.work() == quern::stop_reason::empty);
  CHECK(at.handled == 3);
  CHECK_FALSE(at.consumer.is_held_back());
}

TEST_CASE("it does not wait for what is due later, though the rate is used up") {
  slow_queue at;
  at.enqueue(1);
  at.producer.enqueue({.n = 2}, {.delay = std::chrono::hours{1}});
  CHECK(at.work() == quern::stop_reason::empty);
  CHECK(at.handled == 1);
}

TEST_CASE("limits that were taken away, or that a role may not know, hold nothing back") {
  slow_queue at;
  at.enqueue(2);
  CHECK(at.consumer.claim(2).size() == 1);
  CHECK(at.consumer.is_held_back());
  test::ensure_role("quern_unlimited");
  at.db.execute("grant usage on schema shop to quern_unlimited");
  at.db.execute("grant execute on function shop.slow_next_due_v1 to quern_unlimited");
  at.db.execute("set role quern_unlimited");
  CHECK_FALSE(at.consumer.is_held_back());
  at.db.execute("reset role");
  at.db.execute("drop function shop.slow_held_back");
  CHECK_FALSE(at.consumer.is_held_back());
}
