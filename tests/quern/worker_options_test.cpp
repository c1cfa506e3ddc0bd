#include <barrier>
#include <future>
#include <set>
#include <shop/activity.hpp>
#include <thread>

#include "quern/crew.hpp"
#include "support/catch.hpp"

// Several threads, whole batches, counters and logs.
namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_CASE("as many messages are handled at once as the worker has threads") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(8));
  shop::email_consumer consumer{s.db};
  std::barrier together{4};
  std::mutex mutex;
  std::set<std::thread::id> threads;
  quern::worker worker{consumer,
                       [&](const shop::email_message&) {
                         together.arrive_and_wait();
                         const std::lock_guard lock{mutex};
                         threads.insert(std::this_thread::get_id());
                       },
                       {.batch_size = 1, .until_empty = true, .concurrency = 4}};
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(threads.size() == 4);
  CHECK(worker.counters().acknowledged == 8);
  CHECK(s.count("email_message") == 0);
}

TEST_CASE("cooperative consumers work with several threads, too, and all of them are interrupted") {
  test::shop_session s;
  shop::activity_producer producer{s.db};
  shop::activity_cooperative_consumer consumer{s.db, "crew"};
  quern::connection other = s.another();
  test::tally handled;
  quern::worker worker{
      consumer, [&](const auto&) { handled.add(); }, {.batch_size = 5, .poll_interval = 10min, .concurrency = 3}};
  auto done = std::async(std::launch::async, [&] { return worker.run(); });
  shop::activity_producer publisher{other};
  for (std::int64_t i = 1; i <= 60; ++i) publisher.publish({.customer_id = i, .kind = "signup"});
  CHECK(handled.reaches(60));
  worker.interrupt();
  CHECK(done.get() == quern::stop_reason::interrupted);
  CHECK(handled.count() == 60);
  CHECK(worker.counters().acknowledged == 60);
}

TEST_CASE("a hook that has lost a connection of its own ends the run, and is not taken for the worker's") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mail(1));
  shop::email_consumer consumer{s.db};
  quern::worker_options options{.until_empty = true};
  options.on_failure = [&](auto, auto, auto, auto) { quern::connection{"host=/nowhere"}; };
  bool is_bad = true;
  const auto handle = [&](const shop::email_message&) {
    if (is_bad) throw std::runtime_error{"no"};
  };
  quern::worker worker{consumer, handle, options};
  CHECK_THROWS_AS(worker.run(), quern::connection_error);
  CHECK(worker.counters().reconnected == 0);
  // That was then: the next run gets its own connection back.
  is_bad = false;
  const auto session = s.db.execute("select pg_backend_pid()").value<std::int32_t>();
  s.another().execute("select pg_terminate_backend($1, 5000)", session);
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(worker.counters().reconnected == 1);
}

TEST_CASE("what one thread cannot get over ends the run of all") {
  test::shop_session s;
  shop::email_consumer consumer{s.db};
  quern::worker_options options{.poll_interval = 10min, .concurrency = 3};
  options.on_failure = [](auto, auto, auto, auto) { throw std::runtime_error{"the hook gives up"}; };
  quern::worker worker{consumer, [](const shop::email_message&) { throw std::runtime_error{"no"}; }, options};
  auto done = std::async(std::launch::async, [&] { return worker.run(); });
  test::wait_until(s.place.url(), test::somebody_waits);
  quern::connection other = s.another();
  shop::email_producer{other}.enqueue(test::mails(1));
  CHECK_THROWS_WITH(done.get(), "the hook gives up");
  CHECK(worker.status() == quern::worker_status::stopped);
}

TEST_CASE("a handler of batches gets them whole, and they succeed or fail as a whole") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(7));
  shop::email_consumer consumer{s.db};
  std::vector<std::size_t> sizes;
  std::vector<std::string> failures;
  quern::worker_options options{.batch_size = 3, .until_empty = true};
  options.on_failure = [&](std::int64_t, std::int32_t attempt, std::string_view error, quern::nack_outcome outcome) {
    failures.push_back(std::to_string(attempt) + " " + std::string{error} + " " + std::string{to_text(outcome)});
  };
  quern::worker worker{consumer,
                       [&](std::span<const shop::email_message> batch) {
                         sizes.push_back(batch.size());
                         if (sizes.size() == 2) throw std::runtime_error{"all or none"};
                       },
                       options};
  while (worker.counters().acknowledged < 7) CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(std::vector<std::size_t>(sizes.begin(), sizes.begin() + 2) == std::vector<std::size_t>{3, 3});
  CHECK(failures == std::vector<std::string>(3, "1 all or none retry"));
  CHECK(worker.counters().handled == 7);
  CHECK(worker.counters().failed == 3);
  CHECK(s.count("email_message") + s.count("email_delayed") == 0);
}

TEST_CASE("a handler of batches is told when one of them is lost") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(3));
  shop::email_consumer consumer{s.db};
  quern::connection other = s.another();
  quern::worker worker{consumer,
                       [&](std::span<const shop::email_message> batch, const std::stop_token& loss) {
                         other.execute("delete from shop.email_message where message_id = $1", batch[1].message_id);
                         CHECK(test::waits_for(loss));
                       },
                       {.lease = 300ms, .until_empty = true}};
  worker.run();
  CHECK(worker.counters().handled == 3);
  CHECK(worker.counters().acknowledged == 2);
  CHECK(worker.counters().lost == 1);
}

TEST_CASE("what a worker does is counted and logged") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(3));
  shop::email_consumer consumer{s.db};
  std::vector<std::string> lines;
  quern::worker_counters seen;
  quern::worker_options options{.until_empty = true};
  options.log = [&](const quern::log_record& record) { lines.push_back(to_text(record)); };
  options.on_batch = [&](const quern::worker_counters& total) { seen = total; };
  quern::worker worker{consumer,
                       [&](const shop::email_message& m) {
                         if (m.payload.order_id == 2) throw std::runtime_error{"no \"such\" user\n"};
                       },
                       options};
  s.db.execute("update shop.email_message set attempt = 1 where message_id % 10 = 2");
  worker.run();
  const auto id = s.db.execute("select message_id from shop.email_dead").value<std::int64_t>();
  CHECK(lines == std::vector<std::string>{"event=claimed queue=email count=3",
                                          "event=failed queue=email message_id=" + std::to_string(id) +
                                              R"( attempt=2 outcome=dead error="no \"such\" user\n")",
                                          "event=stopped queue=email reason=empty"});
  const quern::worker_counters expected{.claimed = 3,
                                        .handled = 2,
                                        .acknowledged = 2,
                                        .failed = 1,
                                        .dead = 1,
                                        .handler_time = worker.counters().handler_time};
  CHECK(worker.counters() == expected);
  CHECK(seen.claimed == 3);
}

TEST_CASE("a record of the log is a line of words or of JSON") {
  const quern::log_record record{.event = "failed",
                                 .queue = "activity",
                                 .consumer = "crew",
                                 .values = {{"n", 7}, {"error", "a \\ \"b\"\x01\xff"}}};
  CHECK(to_text(record) == R"(event=failed queue=activity consumer=crew n=7 error="a \\ \"b\"\u0001)"
                           "\xef\xbf\xbd\"");
  CHECK(to_json(record) == R"({"event":"failed","queue":"activity","consumer":"crew","n":7,"error":"a \\ \"b\"\u0001)"
                           "\xef\xbf\xbd\"}");
}
