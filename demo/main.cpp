// 10,000 mails are put into the queue and sent by two workers; one of them can never be sent. Then what customers did
// is published as a stream of events, which two consumers read, each at its own pace.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <mutex>
#include <quern/quern.hpp>
#include <ranges>
#include <shop/activity.hpp>
#include <shop/email.hpp>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

namespace {

constexpr std::int64_t mail_count = 10'000;
constexpr std::int64_t lost_order = 4'242;

shop::email mail_for(std::int64_t order) {
  return {
      .order_id = order,
      .customer_id = order % 97,
      .recipient = order == lost_order ? "nobody@invalid" : "customer" + std::to_string(order % 97) + "@example.org",
      .channel = order % 10 == 0 ? shop::channel::push : shop::channel::email,
      .subject = "Order " + std::to_string(order) + " has been sent"};
}

void produce() {
  quern::connection db{quern::from_environment()};
  shop::email_producer mail{db};
  const auto begin = std::chrono::steady_clock::now();
  const std::int64_t first = mail.enqueue(mail_for(1));
  const auto rest = std::views::iota(std::int64_t{2}, mail_count + 1) | std::views::transform(mail_for);
  const std::uint64_t count = 1 + mail.enqueue_all(rest);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  std::printf("produced %llu messages in %.0f ms, the first has id %lld\n", static_cast<unsigned long long>(count),
              took.count(), static_cast<long long>(first));
}

// What the workers have done, and what they say on the way.
struct tally {
  std::array<std::atomic<std::int64_t>, 2> sent{};
  std::atomic<std::int64_t> failures{0};
  std::mutex out;
};

void send(const shop::email_message& mail) {
  if (mail.payload.recipient == "nobody@invalid") throw std::runtime_error{"550 no such user"};
}

void work(std::size_t number, tally& counts, const std::stop_token& stop) {
  quern::connection db{quern::from_environment()};
  shop::email_consumer consumer{db};
  const auto handler = [&](const shop::email_message& mail) {
    send(mail);
    ++counts.sent[number];
  };
  quern::worker_options options{.batch_size = 100};
  options.on_failure = [&](std::int64_t id, std::int32_t attempt, std::string_view error, quern::nack_outcome outcome) {
    ++counts.failures;
    const std::lock_guard one_at_a_time{counts.out};
    std::cout << "worker " << number + 1 << ": message " << id << ", attempt " << attempt << " failed (" << error
              << "): " << quern::to_text(outcome) << std::endl;
  };
  quern::worker{consumer, handler, options}.run(stop);
}

struct queue_stats {
  std::int64_t ready, delayed, leased, dead;
};

queue_stats stats_of(quern::connection& db) {
  const quern::result answer = db.execute("select ready, delayed, leased, dead from shop.email_stats()");
  const quern::row row = answer[0];
  return {row.get<std::int64_t>(0), row.get<std::int64_t>(1), row.get<std::int64_t>(2), row.get<std::int64_t>(3)};
}

queue_stats wait_until_done(quern::connection& db) {
  for (;;) {
    const queue_stats now = stats_of(db);
    if (now.ready + now.delayed + now.leased == 0) return now;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
}

int consume() {
  quern::connection db{quern::from_environment()};
  tally counts;
  const auto begin = std::chrono::steady_clock::now();
  std::stop_source stop;
  std::jthread first{[&] { work(0, counts, stop.get_token()); }};
  std::jthread second{[&] { work(1, counts, stop.get_token()); }};
  const queue_stats end = wait_until_done(db);
  stop.request_stop();
  first.join();
  second.join();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;

  const std::int64_t sent = counts.sent[0] + counts.sent[1];
  std::printf(
      "sent %lld messages (worker 1: %lld, worker 2: %lld) and gave up on %lld after %lld attempts, in %.0f ms\n",
      static_cast<long long>(sent), static_cast<long long>(counts.sent[0]), static_cast<long long>(counts.sent[1]),
      static_cast<long long>(end.dead), static_cast<long long>(counts.failures), took.count());
  return sent == mail_count - 1 && end.dead == 1 ? 0 : 1;
}

constexpr std::int64_t event_count = 5'000;

std::int64_t follow(const char* name, std::int32_t batch_size) {
  quern::connection db{quern::from_environment()};
  shop::activity_consumer consumer{db, name};
  std::int64_t seen = 0;
  for (;;) {
    const auto events = consumer.receive(batch_size);
    if (events.empty()) return seen;
    for (const auto& event : events) {
      if (event.offset != ++seen) throw std::logic_error{"an offset is missing"};
    }
    consumer.ack(events);
  }
}

int publish_and_follow() {
  quern::connection db{quern::from_environment()};
  shop::activity_producer activity{db};
  activity.publish({.customer_id = 1, .kind = "signup"});
  const auto rest = std::views::iota(std::int64_t{1}, event_count) | std::views::transform([](std::int64_t i) {
                      return shop::activity{.customer_id = i % 97, .kind = i % 3 == 0 ? "order" : "visit"};
                    });
  const auto published = 1 + activity.publish_all(rest);

  std::array<std::int64_t, 2> seen{};
  std::jthread audit{[&] { seen[0] = follow("audit", 1000); }};
  std::jthread statistics{[&] { seen[1] = follow("statistics", 100); }};
  audit.join();
  statistics.join();
  std::printf("published %llu events; audit has read %lld of them, statistics %lld, offsets 1 to %lld without a gap\n",
              static_cast<unsigned long long>(published), static_cast<long long>(seen[0]),
              static_cast<long long>(seen[1]), static_cast<long long>(seen[0]));
  return seen[0] == event_count && seen[1] == event_count ? 0 : 1;
}

}  // namespace

int main() try {
  produce();
  const int consumed = consume();
  const int followed = publish_and_follow();
  return consumed == 0 ? followed : consumed;

} catch (const std::exception& failed) {
  std::cerr << "demo: " << failed.what() << '\n';
  return 1;
}
