#include <algorithm>
#include <mutex>
#include <shop/letters.hpp>
#include <thread>

#include "quern/shop.hpp"
#include "support/catch.hpp"

// Producers, consumers and workers of a queue with storage = "log" are those of any queue.

namespace {

using namespace std::chrono_literals;

std::vector<shop::letters> letters(std::int64_t count) {
  std::vector<shop::letters> made;
  for (std::int64_t i = 1; i <= count; ++i) made.push_back({.number = i});
  return made;
}

}  // namespace

TEST_CASE("workers of a log handle every message once, however it was enqueued") {
  test::shop_session s;
  shop::letters_producer producer{s.db};
  producer.enqueue_all(letters(1'000));
  producer.enqueue(letters(100));
  for (const auto& one : letters(100)) producer.enqueue(one);
  std::vector<int> handled(1'001);
  std::mutex guard;
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < 4; ++i) {
      workers.emplace_back([&] {
        auto own = s.another();
        shop::letters_consumer consumer{own};
        quern::worker{consumer,
                      [&](const shop::letters_message& m) {
                        const std::lock_guard hold{guard};
                        ++handled.at(std::size_t(m.payload.number));
                      },
                      {.batch_size = 37, .until_empty = true}}
            .run();
      });
    }
  }
  CHECK(std::count(handled.begin() + 1, handled.begin() + 101, 3) == 100);
  CHECK(std::count(handled.begin() + 101, handled.end(), 1) == 900);
  CHECK(s.count("letters_live") == 0);
  CHECK(s.count("letters_delayed") == 0);
}

TEST_CASE("a worker of a log retries what fails, and buries it in the end") {
  test::shop_session s;
  shop::letters_producer{s.db}.enqueue(letters(3));
  shop::letters_consumer consumer{s.db};
  std::stop_source stop;
  int handled = 0;
  quern::worker_options options{.poll_interval = 50ms};
  std::vector<std::string> failures;
  options.on_failure = [&](std::int64_t, std::int32_t attempt, std::string_view, quern::nack_outcome outcome) {
    failures.push_back(std::to_string(attempt) + " " + std::string{quern::to_text(outcome)});
    if (outcome == quern::nack_outcome::dead) stop.request_stop();
  };
  quern::worker worker{consumer,
                       [&](const shop::letters_message& m) {
                         if (m.payload.number == 2) throw std::runtime_error{"cannot"};
                         ++handled;
                       },
                       options};
  CHECK(worker.run(stop.get_token()) == quern::stop_reason::requested);
  CHECK(handled == 2);
  CHECK(failures == std::vector<std::string>{"1 retry", "2 dead"});
  CHECK(s.count("letters_dead") == 1);
}

TEST_CASE("a consumer of a log extends, releases and takes") {
  test::shop_session s;
  shop::letters_producer{s.db}.enqueue(letters(3));
  shop::letters_consumer consumer{s.db};
  auto held = consumer.claim(2);
  REQUIRE(held.size() == 2);
  CHECK(consumer.extend(held[0], 1h));
  CHECK(consumer.release(held[1]));
  {
    quern::transaction work{s.db};
    const auto taken = consumer.take(work, 5);
    REQUIRE(taken.size() == 2);
    CHECK(taken[0].attempt == 2);
    CHECK(taken[1].attempt == 1);
    work.commit();
  }
  CHECK(consumer.ack(held).size() == 1);
  CHECK(s.count("letters_live") == 0);
  CHECK(s.count("letters_delayed") == 0);
}

TEST_CASE("what a worker of a log has done is cleared away while it goes on") {
  test::shop_session s;
  shop::letters_producer producer{s.db};
  shop::letters_consumer consumer{s.db};
  producer.enqueue_all(letters(500));
  auto batch = consumer.claim(100);
  while (!batch.empty()) batch = consumer.ack_and_claim(batch, 100).messages;
  CHECK(s.count("letters_message") == 500);
  s.db.execute("select shop.letters_rotate(0)");
  s.db.execute(shop::letters_v1_contract::maintain);
  CHECK(s.count("letters_message") == 0);
}
