#include <atomic>
#include <future>
#include <thread>

#include "quern/shop.hpp"
#include "support/catch.hpp"

namespace {

using namespace std::chrono_literals;

// No test waits so long unless something is broken.
constexpr auto far_off = 20'000ms;

const std::string is_waiting =
    "select exists (select from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and granted and database = "
    "(select oid from pg_database where datname = current_database()))";

struct with_worker : test::shop_session {
  // Runs a worker on a thread of its own until the test ends or stops it.
  template <class Handler>
  void work(Handler handler, quern::worker_options options) {
    done = std::async(std::launch::async, [this, handler, options] {
      quern::connection own = another();
      shop::email_consumer consumer{own};
      return quern::worker{consumer, handler, options}.run(stop.get_token());
    });
  }

  void wait_until_waiting() { test::wait_until(place.url(), is_waiting); }

  quern::stop_reason stopped() {
    stop.request_stop();
    return done.get();
  }

  ~with_worker() { stop.request_stop(); }

  shop::email_producer producer{db};
  std::stop_source stop;
  std::future<quern::stop_reason> done;
};

std::vector<shop::email> mails(std::int64_t count) {
  std::vector<shop::email> made;
  for (std::int64_t i = 1; i <= count; ++i) made.push_back(test::mail(i));
  return made;
}

}  // namespace

TEST_CASE("a worker handles every message once and stops when nothing is there") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue_all(mails(1'000));
  shop::email_consumer consumer{s.db};
  std::vector<int> handled(1'001);
  quern::worker worker{consumer,
                       [&](const shop::email_message& m) { ++handled.at(std::size_t(m.payload.order_id)); },
                       {.batch_size = 64, .until_empty = true}};
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(std::ranges::count(handled, 1) == 1'000);
  CHECK(s.count("email_message") == 0);
  CHECK(worker.run() == quern::stop_reason::empty);
}

TEST_CASE("an exception fails the attempt with its text, until the message is dead") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(mails(3));
  shop::email_consumer consumer{s.db};
  std::vector<std::string> failures;
  std::stop_source stop;
  quern::worker_options options{.poll_interval = 50ms};
  options.on_failure = [&](std::int64_t, std::int32_t attempt, std::string_view error, quern::nack_outcome outcome) {
    failures.push_back(std::to_string(attempt) + " " + std::string{error} + ": " +
                       std::string{quern::to_text(outcome)});
    if (outcome == quern::nack_outcome::dead) stop.request_stop();
  };
  int handled = 0;
  quern::worker worker{consumer,
                       [&](const shop::email_message& m) {
                         if (m.payload.order_id == 2 && m.attempt == 1) throw std::runtime_error{"no such user"};
                         if (m.payload.order_id == 2) throw 42;
                         ++handled;
                       },
                       options};
  CHECK(worker.run(stop.get_token()) == quern::stop_reason::requested);
  CHECK(failures ==
        std::vector<std::string>{"1 no such user: retry", "2 an exception that is no std::exception: dead"});
  CHECK(handled == 2);
  CHECK(s.count("email_dead") == 1);
  CHECK(s.count("email_message") == 0);
}

TEST_CASE("a stop lets the present message be finished and gives the rest back") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(mails(10));
  shop::email_consumer consumer{s.db};
  std::stop_source stop;
  int handled = 0;
  quern::worker worker{consumer, [&](const shop::email_message&) {
                         if (++handled == 3) stop.request_stop();
                       }};
  CHECK(worker.run(stop.get_token()) == quern::stop_reason::requested);
  CHECK(handled == 3);
  CHECK(s.db.execute("select count(*) from shop.email_message where lease_until < now()").value<int>() == 7);
  quern::worker rest{consumer, [&](const shop::email_message&) { ++handled; }, {.until_empty = true}};
  rest.run();
  CHECK(handled == 10);
}

TEST_CASE("a waiting worker is woken by enqueue, by a batch and by bulk") {
  with_worker s;
  std::atomic<int> handled = 0;
  s.work([&](const shop::email_message&) { ++handled; }, {.poll_interval = 10min});
  const auto wait_for = [&](int count) {
    const auto until = std::chrono::steady_clock::now() + far_off;
    while (handled < count && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(1ms);
    CHECK(handled == count);
  };
  s.wait_until_waiting();
  s.producer.enqueue(test::mail(1));
  wait_for(1);
  s.wait_until_waiting();
  s.producer.enqueue(mails(10));
  wait_for(11);
  s.wait_until_waiting();
  s.producer.enqueue_all(mails(10));
  wait_for(21);
  s.wait_until_waiting();
  CHECK(s.stopped() == quern::stop_reason::requested);
}

TEST_CASE("a waiting worker hands out a delayed message when it is due") {
  with_worker s;
  s.producer.enqueue(test::mail(1), {.delay = 300ms});
  std::promise<void> handled;
  s.work([&](const shop::email_message&) { handled.set_value(); }, {.poll_interval = 10min});
  CHECK(handled.get_future().wait_for(far_off) == std::future_status::ready);
}

TEST_CASE("a waiting worker stops at once and leaves nothing behind") {
  with_worker s;
  s.work([](const shop::email_message&) {}, {.poll_interval = 10min});
  s.wait_until_waiting();
  CHECK(s.stopped() == quern::stop_reason::requested);
  CHECK(s.db.execute("select count(*) from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and database = "
                     "(select oid from pg_database where datname = current_database())")
            .value<int>() == 0);
}

TEST_CASE("a worker that leaves the connection to others stops listening and gives up the lock") {
  test::shop_session s;
  shop::email_consumer consumer{s.db};
  std::stop_source stop;
  std::jthread stopper{[&] {
    test::wait_until(s.place.url(), is_waiting);
    stop.request_stop();
  }};
  quern::worker{consumer, [](const shop::email_message&) {}, {.poll_interval = 10min}}.run(stop.get_token());
  CHECK(s.db.execute("select count(*) from pg_listening_channels()").value<int>() == 0);
  CHECK(s.db.execute("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")
            .value<int>() == 0);
}

TEST_CASE("a busy worker does not ask producers to notify") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(mails(2));
  shop::email_consumer consumer{s.db};
  quern::connection other = s.another();
  bool is_asking = true;
  quern::worker{consumer,
                [&](const shop::email_message&) { is_asking = other.execute(is_waiting).value<bool>(); },
                {.until_empty = true}}
      .run();
  CHECK_FALSE(is_asking);
}

TEST_CASE("where messages come one upon the other few of them notify") {
  constexpr int all = 200;
  with_worker s;
  quern::connection ear = s.another();
  ear.listen(shop::email_v1_contract::channel);
  std::atomic<int> handled = 0;
  s.work([&](const shop::email_message&) { ++handled; }, {.poll_interval = 10min});
  s.wait_until_waiting();
  // Each comes when the worker has begun to wait after the one before.
  for (int sent = 0; sent < all && handled == sent;) {
    s.producer.enqueue(test::mail(++sent));
    const auto until = std::chrono::steady_clock::now() + far_off;
    while (handled < sent && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    std::this_thread::sleep_for(1ms);
  }
  CHECK(handled == all);
  int notified = 0;
  while (ear.wait_for_notification(std::chrono::steady_clock::now())) ++notified;
  CHECK(notified < all / 2);
}

TEST_CASE("a worker without notifications polls") {
  with_worker s;
  std::promise<void> handled;
  s.work([&](const shop::email_message&) { handled.set_value(); }, {.poll_interval = 20ms, .use_notifications = false});
  s.producer.enqueue(test::mail(1));
  CHECK(handled.get_future().wait_for(far_off) == std::future_status::ready);
  CHECK_FALSE(s.db.execute(is_waiting).value<bool>());
}

TEST_CASE("a message that somebody else has by now is reported, not thrown") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mail(1));
  shop::email_consumer consumer{s.db};
  quern::connection other = s.another();
  shop::email_consumer rival{other};
  std::vector<std::int64_t> lost;
  quern::worker_options options{.until_empty = true};
  options.on_lease_lost = [&](std::int64_t id) { lost.push_back(id); };
  std::int64_t handled = 0;
  quern::worker{consumer,
                [&](const shop::email_message& m) {
                  handled = m.message_id;
                  other.execute("update shop.email_message set lease_until = now() - interval '1 s'");
                  const auto until = std::chrono::steady_clock::now() + far_off;
                  while (rival.claim().empty() && std::chrono::steady_clock::now() < until) {
                  }
                },
                options}
      .run();
  CHECK(lost == std::vector<std::int64_t>{handled});
}

TEST_CASE("a batch that outlasts its lease is claimed for longer before it is handled") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(mails(2));
  shop::email_consumer consumer{s.db};
  std::vector<quern::timestamp> leases;
  quern::worker worker{consumer,
                       [&](const shop::email_message& m) {
                         leases.push_back(m.lease_until);
                         std::this_thread::sleep_for(60ms);
                       },
                       {.lease = 50ms, .until_empty = true}};
  worker.run();
  REQUIRE(leases.size() >= 2);
  CHECK(leases[1] > leases[0]);
}

TEST_CASE("a worker that is not to reconnect says that its connection is lost, and its messages come back") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(mails(3));
  {
    quern::connection doomed = s.another();
    shop::email_consumer consumer{doomed};
    quern::worker worker{consumer,
                         [&](const shop::email_message&) {
                           s.db.execute("select pg_terminate_backend($1, 10000)", std::int32_t{doomed.backend_pid()});
                         },
                         {.reconnect = {.limit = 0ms}}};
    CHECK(test::failure_of<quern::connection_error>([&] { worker.run(); }).connection_lost());
  }
  CHECK(s.count("email_message") == 3);
  s.db.execute("update shop.email_message set lease_until = now() - interval '1 s'");
  shop::email_consumer consumer{s.db};
  const auto until = std::chrono::steady_clock::now() + far_off;
  std::size_t back = 0;
  while (back < 3 && std::chrono::steady_clock::now() < until) back += consumer.claim(10).size();
  CHECK(back == 3);
}

TEST_CASE("two workers share the messages") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue_all(mails(2'000));
  std::atomic<int> handled = 0;
  const auto work = [&] {
    quern::connection own = s.another();
    shop::email_consumer consumer{own};
    quern::worker{consumer, [&](const shop::email_message&) { ++handled; }, {.batch_size = 50, .until_empty = true}}
        .run();
  };
  {
    std::jthread one{work};
    std::jthread two{work};
  }
  CHECK(handled == 2'000);
  CHECK(s.count("email_message") == 0);
}

TEST_CASE("options out of range are refused") {
  test::shop_session s;
  shop::email_consumer consumer{s.db};
  const auto handler = [](const shop::email_message&) {};
  CHECK_THROWS_AS((quern::worker{consumer, handler, {.batch_size = 0}}), std::invalid_argument);
  CHECK_THROWS_AS((quern::worker{consumer, handler, {.poll_interval = 0ms}}), std::invalid_argument);
  quern::transaction tx{s.db};
  CHECK_THROWS_WITH((quern::worker{consumer, handler}.run()), test::contains("in a transaction"));
}
