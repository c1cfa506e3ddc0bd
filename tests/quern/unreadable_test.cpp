// What a program cannot read must not keep it from the rest: a label that its enum does not have.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <shop/activity.hpp>

#include "quern/crew.hpp"

namespace {

using namespace std::chrono_literals;
using ids = std::vector<std::int64_t>;

struct with_fax : test::shop_session {
  with_fax() { db.run_script("alter type shop.channel add value 'fax'"); }

  void enqueue(std::string_view channels) {
    db.execute(
        fmt::format("select count(shop.email_enqueue_v1(p_order_id => n, p_customer_id => n, p_recipient => 'a@b.c', "
                    "p_subject => 'hello', p_attachments => '{{}}', p_channel => c::shop.channel)) "
                    "from unnest(array[{}]) with ordinality as m (c, n)",
                    channels));
  }

  void publish(std::string_view channels) {
    db.execute(
        fmt::format("select count(shop.activity_publish_v1(1, 'signup', c::shop.channel, '{{}}', null)) "
                    "from unnest(array[{}]) as m (c)",
                    channels));
    while (db.execute("select shop.activity_seal()").value<std::optional<std::int64_t>>().value_or(-1) < 0) {
    }
  }

  std::string state(const std::string& consumer) {
    return db
        .execute("select concat_ws('|', up_to, claims, retries, dead) from shop.activity_lag() where consumer = $1",
                 consumer)
        .value<std::string>();
  }
};

template <class Message>
ids orders_of(const std::vector<Message>& claimed) {
  ids orders;
  for (const auto& each : claimed) orders.push_back(each.payload.order_id);
  return orders;
}

template <class Event>
ids offsets_of(const std::vector<Event>& claimed) {
  ids offsets;
  for (const auto& each : claimed) offsets.push_back(each.offset);
  return offsets;
}

constexpr auto reason = "the enum shop.channel of this program has no label \"fax\": generate the program again";

}  // namespace

TEST_CASE("a claimed message that cannot be read has failed, and the others are handed out") {
  with_fax s;
  s.enqueue("'sms', 'fax', 'push'");
  shop::email_consumer consumer{s.db};
  const auto claimed = consumer.claim(9);
  CHECK(orders_of(claimed) == ids{1, 3});
  REQUIRE(consumer.unreadable().size() == 1);
  const auto& lost = consumer.unreadable().front();
  CHECK(lost.attempt == 1);
  CHECK(lost.error == reason);
  CHECK(lost.outcome == quern::nack_outcome::retry);
  CHECK(consumer.ack(claimed).empty());
  s.enqueue("'fax', 'email'");
  CHECK(orders_of(consumer.ack_and_claim(claimed, 9).messages) == ids{2});
  CHECK_FALSE(consumer.unreadable().empty());
  for (int looks = 0; looks < 1'000 && s.count("email_dead") < 2; ++looks) CHECK(consumer.claim(9).empty());
  CHECK(s.db.execute("select last_error from shop.email_dead order by message_id limit 1").value<std::string>() ==
        reason);
}

TEST_CASE("what is taken and cannot be read is named") {
  with_fax s;
  s.enqueue("'fax'");
  shop::email_consumer consumer{s.db};
  quern::transaction within{s.db};
  const auto id = s.db.execute("select message_id from shop.email_message").value<std::int64_t>();
  CHECK_THROWS_WITH(consumer.take(within), fmt::format("message {} cannot be read: {}", id, reason));
}

TEST_CASE("a worker goes on behind messages that it cannot read, and tells of them") {
  with_fax s;
  s.enqueue("'fax', 'fax', 'sms', 'fax', 'push', 'fax'");
  shop::email_consumer consumer{s.db};
  const auto batch = GENERATE(1, 2, 9);
  ids handled;
  std::vector<std::string> failures;
  std::stop_source stop;
  const auto stop_at_the_end = [&] {
    if (failures.size() == 8 && handled.size() == 2) stop.request_stop();
  };
  quern::worker_options options{.batch_size = batch, .poll_interval = test::far_off};
  options.on_failure = [&](std::int64_t, std::int32_t attempt, std::string_view error, quern::nack_outcome outcome) {
    failures.push_back(fmt::format("{} {} {}", attempt, error, quern::to_text(outcome)));
    stop_at_the_end();
  };
  quern::worker worker{consumer,
                       [&](const shop::email_message& m) {
                         handled.push_back(m.payload.order_id);
                         stop_at_the_end();
                       },
                       options};
  const auto begin = std::chrono::steady_clock::now();
  CHECK(worker.run(stop.get_token()) == quern::stop_reason::requested);
  CHECK(std::chrono::steady_clock::now() - begin < test::far_off);
  CHECK(handled == ids{3, 5});
  std::ranges::sort(failures);
  std::vector<std::string> expected(4, fmt::format("1 {} retry", reason));
  expected.insert(expected.end(), 4, fmt::format("2 {} dead", reason));
  CHECK(failures == expected);
  const auto counted = worker.counters();
  CHECK(counted.claimed == 10);
  CHECK(counted.failed == 8);
  CHECK(counted.dead == 4);
  CHECK(counted.acknowledged == 2);
}

TEST_CASE("a claimed event that cannot be read has failed, and the others of its claim go on") {
  with_fax s;
  s.publish("'sms', 'fax', 'push'");
  shop::activity_cooperative_consumer crew{s.db, "crew"};
  const auto claimed = crew.claim();
  CHECK(offsets_of(claimed) == ids{1, 3});
  REQUIRE(crew.unreadable().size() == 1);
  CHECK(crew.unreadable().front().id == 2);
  CHECK(crew.unreadable().front().error == reason);
  s.publish("'fax'");
  const auto [next, lost] = crew.ack_and_claim(claimed, 9);
  CHECK(next.empty());
  CHECK(lost.empty());
  for (int looks = 0; looks < 1'000 && s.state("crew") != "4|0|0|2"; ++looks) CHECK(crew.claim().empty());
  CHECK(s.state("crew") == "4|0|0|2");
}

TEST_CASE("a worker of a cooperative consumer tells of each event that it cannot read, whatever it claimed before") {
  with_fax s;
  s.publish("'fax', 'sms', 'fax', 'push', 'fax'");
  shop::activity_cooperative_consumer crew{s.db, "crew"};
  const auto batch = GENERATE(1, 2, 9);
  ids handled;
  std::vector<std::string> failures;
  quern::worker_options options{.batch_size = batch, .poll_interval = test::far_off, .until_empty = true};
  options.on_failure = [&](std::int64_t offset, std::int32_t attempt, std::string_view, quern::nack_outcome outcome) {
    failures.push_back(fmt::format("{} {} {}", offset, attempt, quern::to_text(outcome)));
  };
  quern::worker worker{crew, [&](const auto& event) { handled.push_back(event.offset); }, options};
  while (s.state("crew") != "5|0|0|3") worker.run();
  CHECK(handled == ids{2, 4});
  std::ranges::sort(failures);
  CHECK(failures ==
        std::vector<std::string>{"1 1 retry", "1 2 dead", "3 1 retry", "3 2 dead", "5 1 retry", "5 2 dead"});
  const auto counted = worker.counters();
  CHECK(counted.claimed == 8);
  CHECK(counted.failed == 6);
  CHECK(counted.dead == 3);
}

TEST_CASE("behind an event that cannot be read, later ones of its key wait for it where the consumer is ordered") {
  with_fax s;
  s.publish("'sms', 'fax', 'push'");
  shop::activity_cooperative_consumer in_order{s.db, "in_order"};
  const auto claimed = in_order.claim();
  CHECK(offsets_of(claimed) == ids{1});
  CHECK(in_order.unreadable().front().id == 2);
  CHECK(in_order.ack(claimed).empty());
}

TEST_CASE("an event that cannot be read is named to who reads it") {
  with_fax s;
  s.publish("'sms', 'fax', 'push'");
  const auto named = fmt::format("event 2 cannot be read: {}", reason);
  CHECK_THROWS_WITH(shop::activity_reader{s.db}.read(0), named);
  shop::activity_consumer audit{s.db, "audit"};
  CHECK_THROWS_WITH(audit.receive(), named);
  audit.seek(2);
  CHECK(offsets_of(audit.receive()) == ids{3});
}
