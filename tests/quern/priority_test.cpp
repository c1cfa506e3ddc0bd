#include "quern/shop.hpp"
#include "support/catch.hpp"

namespace {

using namespace std::chrono_literals;

struct depot : test::shop_session {
  static shop::parcels parcel(std::string sender) { return {.sender = std::move(sender), .weights = {1, 2}}; }

  /// Senders with their priorities, in the order in which they are handed out.
  std::string claimed(std::int32_t count = 10) {
    std::string text;
    for (const auto& each : consumer.claim(count)) text += each.payload.sender + std::to_string(each.priority) + " ";
    return text;
  }

  shop::parcels_producer producer{db};
  shop::parcels_consumer consumer{db};
};

template <class Options>
concept has_priority = requires(Options options) {
  options.priority;
};

}  // namespace

TEST_CASE("a message may have a priority, and shows it to its consumer") {
  depot s;
  s.producer.enqueue(s.parcel("a"), {.priority = 2});
  s.producer.enqueue(s.parcel("b"));
  s.producer.enqueue(s.parcel("c"), {.delay = 0s, .priority = 1});
  CHECK(s.claimed() == "b0 c1 a2 ");
}

TEST_CASE("the priority of a batch, and of one in bulk, is that of all of its messages") {
  depot s;
  s.producer.enqueue_all(std::vector{s.parcel("a"), s.parcel("b")}, {.priority = 2});
  s.producer.enqueue(std::vector{s.parcel("c"), s.parcel("d")}, {.priority = 1});
  s.producer.enqueue_all(std::vector{s.parcel("e")});
  CHECK(s.claimed() == "e0 c1 d1 a2 b2 ");
}

TEST_CASE("a message that was taken shows its priority, and everything else") {
  depot s;
  const auto id = s.producer.enqueue(s.parcel("a"), {.priority = 1});
  quern::transaction within{s.db};
  const auto taken = s.consumer.take(within);
  within.commit();
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].message_id == id);
  CHECK(taken[0].attempt == 1);
  CHECK(taken[0].priority == 1);
  CHECK(taken[0].payload == s.parcel("a"));
  CHECK(taken[0].lease_until == quern::timestamp::max());
}

TEST_CASE("a priority that the contract does not know is refused, one by one and in bulk") {
  depot s;
  const auto refused = [&](std::int32_t priority) {
    return test::failure_of<quern::database_error>([&] { s.producer.enqueue(s.parcel("a"), {.priority = priority}); });
  };
  for (const std::int32_t wrong : {-1, 3, 65536, 2147483647}) {
    INFO(wrong);
    CHECK(refused(wrong).sqlstate() == "QN005");
    CHECK(refused(wrong).message() == "a priority must be a number from 0 to 2");
    const auto bulk = test::failure_of<quern::database_error>(
        [&] { s.producer.enqueue_all(std::vector{s.parcel("a")}, {.priority = wrong}); });
    CHECK(bulk.sqlstate() == "23514");
    CHECK(bulk.constraint() == "parcels_priority_known");
  }
  CHECK(s.count("parcels_message") == 0);
}

TEST_CASE("a worker handles messages by priority") {
  depot s;
  s.producer.enqueue(s.parcel("a"), {.priority = 2});
  s.producer.enqueue(s.parcel("b"), {.priority = 0});
  s.producer.enqueue(s.parcel("c"), {.priority = 1});
  std::string handled;
  quern::worker worker{
      s.consumer, [&](const shop::parcels_message& m) { handled += m.payload.sender; }, {.until_empty = true}};
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(handled == "bca");
}

TEST_CASE("a queue without priorities has none in its options and messages") {
  static_assert(has_priority<shop::parcels_producer::options_type>);
  static_assert(has_priority<shop::parcels_message>);
  static_assert(!has_priority<shop::email_producer::options_type>);
  static_assert(!has_priority<shop::email_message>);
  CHECK(shop::parcels_v1_contract::priorities == 3);
}
