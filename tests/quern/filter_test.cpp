#include <fmt/format.h>

#include <future>
#include <ranges>
#include <shop/activity.hpp>

#include "quern/fixture.hpp"
#include "quern/shop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// Consumers with a filter, which may have to look for long.

namespace {

using namespace std::chrono_literals;

shop::activity by(shop::channel channel, std::int64_t customer = 1) {
  return {.customer_id = customer, .kind = "signup", .channel = channel};
}

struct with_phones : test::shop_session {
  void publish_mail(int count) {
    producer.publish_all(std::views::iota(0, count) |
                         std::views::transform([](int) { return by(shop::channel::email); }));
  }

  std::int64_t up_to(std::string_view consumer) {
    return db.execute("select up_to from shop.activity_lag() where consumer = $1", std::string{consumer})
        .value<std::int64_t>();
  }

  shop::activity_producer producer{db};
  shop::activity_consumer phones{db, "phones"};
  shop::activity_cooperative_consumer crew{db, "phone_crew"};
};

}  // namespace

TEST_CASE("a consumer with a filter receives the next event that matches, however far that is") {
  with_phones s;
  s.publish_mail(35'000);
  s.producer.publish(by(shop::channel::sms, 7));
  const auto events = s.phones.receive();
  REQUIRE(events.size() == 1);
  CHECK(events[0].offset == 35'001);
  CHECK(events[0].payload.customer_id == 7);
  CHECK(s.phones.ack(events));
  CHECK(s.phones.receive().empty());
  CHECK(s.up_to("phones") == 35'001);
}

TEST_CASE("where nothing matches a consumer comes to the end of the stream") {
  with_phones s;
  s.publish_mail(25'000);
  CHECK(s.phones.receive().empty());
  CHECK(s.up_to("phones") == 25'000);
  CHECK(s.crew.claim().empty());
  CHECK(s.up_to("phone_crew") == 25'000);
  CHECK_FALSE(s.crew.is_behind());
  CHECK_FALSE(s.crew.next_due());
}

TEST_CASE("a worker until nothing is there finds what matches behind all that does not") {
  with_phones s;
  s.publish_mail(25'000);
  s.producer.publish(by(shop::channel::sms, 8));
  s.publish_mail(15'000);
  s.producer.publish(by(shop::channel::sms, 9));
  std::vector<std::int64_t> handled;
  quern::worker worker{
      s.crew, [&](const auto& event) { handled.push_back(event.payload.customer_id); }, {.until_empty = true}};
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(handled == std::vector<std::int64_t>{8, 9});
  CHECK(s.up_to("phone_crew") == 40'002);
}

TEST_CASE("a worker that waits wakes up for what matches") {
  with_phones s;
  std::stop_source stop;
  auto other = s.another();
  shop::activity_cooperative_consumer crew{other, "phone_crew"};
  std::promise<std::int64_t> handled;
  auto running = std::async(std::launch::async, [&] {
    quern::worker worker{
        crew, [&](const auto& event) { handled.set_value(event.payload.customer_id); }, {.poll_interval = 60s}};
    return worker.run(stop.get_token());
  });
  test::wait_until(
      s.place.url(),
      "select exists (select from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and granted and "
      "database = (select oid from pg_database where datname = current_database()))");
  s.producer.publish(by(shop::channel::email, 3));
  s.producer.publish(by(shop::channel::sms, 4));
  CHECK(handled.get_future().get() == 4);
  stop.request_stop();
  CHECK(running.get() == quern::stop_reason::requested);
}

TEST_CASE("inside of a transaction a call that gives none has moved on") {
  with_phones s;
  s.publish_mail(15'000);
  s.phones.seal();
  quern::transaction within{s.db};
  CHECK(s.phones.receive(within).empty());
  CHECK(s.phones.receive(within).empty());
  within.commit();
  CHECK(s.up_to("phones") == 15'000);
}
