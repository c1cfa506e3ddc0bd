#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <future>
#include <set>

#include "quern/crew.hpp"
#include "support/catch.hpp"

// How one worker leaves its work to the next.
namespace {

using namespace std::chrono_literals;
using quern::stop_reason;
using quern::worker_status;

}  // namespace

TEST_CASE("an interrupted worker is suspended, and goes on when it is run again") {
  test::shop_session s;
  quern::connection own = s.another();
  shop::email_consumer consumer{own};
  test::tally handled;
  quern::worker worker{consumer, [&](const shop::email_message&) { handled.add(); }, {.poll_interval = 10min}};
  CHECK(worker.status() == worker_status::ready);
  auto first = std::async(std::launch::async, [&] { return worker.run(); });
  test::wait_until(s.place.url(), test::somebody_waits);
  CHECK(worker.status() == worker_status::polling);
  worker.interrupt();
  CHECK(first.get() == stop_reason::interrupted);
  CHECK(worker.status() == worker_status::suspended);

  shop::email_producer{s.db}.enqueue(test::mails(1));
  auto second = std::async(std::launch::async, [&] { return worker.run(); });
  CHECK(handled.reaches(1));
  worker.interrupt();
  CHECK(second.get() == stop_reason::interrupted);
}

TEST_CASE("an interrupt that comes before the run counts, once") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(3));
  shop::email_consumer consumer{s.db};
  int handled = 0;
  quern::worker worker{consumer, [&](const shop::email_message&) { ++handled; }, {.until_empty = true}};
  worker.interrupt();
  CHECK(worker.status() == worker_status::interrupted);
  CHECK(worker.run() == stop_reason::interrupted);
  CHECK(handled == 0);
  CHECK(worker.run() == stop_reason::empty);
  CHECK(worker.status() == worker_status::stopped);
  CHECK(handled == 3);
}

TEST_CASE("what an interrupted worker has not handled the next consumer gets at once") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(5));
  shop::email_consumer a{s.db};
  int handled_by_a = 0;
  std::function<void()> interrupt;
  quern::worker worker_a{a,
                         [&](const shop::email_message&) {
                           ++handled_by_a;
                           interrupt();
                         },
                         {.batch_size = 5}};
  interrupt = [&] { worker_a.interrupt(); };
  CHECK(worker_a.run() == stop_reason::interrupted);
  CHECK(worker_a.status() == worker_status::suspended);
  CHECK(handled_by_a == 1);
  CHECK(worker_a.counters().released == 4);

  quern::connection other = s.another();
  shop::email_consumer b{other};
  std::vector<std::int64_t> handled_by_b;
  quern::worker worker_b{b,
                         [&](const shop::email_message& m) { handled_by_b.push_back(m.payload.order_id); },
                         {.batch_size = 5, .until_empty = true}};
  CHECK(worker_b.run() == stop_reason::empty);
  std::ranges::sort(handled_by_b);
  CHECK(handled_by_b == std::vector<std::int64_t>{2, 3, 4, 5});
}

TEST_CASE("two consumers drain the queue until both are interrupted") {
  test::shop_session s;
  quern::connection first = s.another();
  quern::connection second = s.another();
  shop::email_consumer a{first};
  shop::email_consumer b{second};
  test::tally handled;
  std::mutex mutex;
  std::set<std::int64_t> seen;
  const auto handler = [&](const shop::email_message& m) {
    {
      const std::lock_guard lock{mutex};
      CHECK(seen.insert(m.message_id).second);
    }
    handled.add();
  };
  quern::worker worker_a{a, handler, {.batch_size = 10}};
  quern::worker worker_b{b, handler, {.batch_size = 10}};
  auto run_a = std::async(std::launch::async, [&] { return worker_a.run(); });
  auto run_b = std::async(std::launch::async, [&] { return worker_b.run(); });
  shop::email_producer{s.db}.enqueue_all(test::mails(200));
  CHECK(handled.reaches(200));
  worker_a.interrupt();
  worker_b.interrupt();
  CHECK(run_a.get() == stop_reason::interrupted);
  CHECK(run_b.get() == stop_reason::interrupted);
  CHECK(worker_a.status() == worker_status::suspended);
  CHECK(worker_b.status() == worker_status::suspended);
  CHECK(handled.count() == 200);
  CHECK(s.count("email_message") == 0);
}

TEST_CASE("SIGTERM lets the present message be finished and gives the rest back") {
  struct sigaction before {};
  sigaction(SIGTERM, nullptr, &before);
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(5));
  shop::email_consumer consumer{s.db};
  int handled = 0;
  {
    quern::stop_on_signals signals;
    CHECK_THROWS_AS(quern::stop_on_signals{}, std::logic_error);
    quern::worker worker{consumer, [&](const shop::email_message&) {
                           ++handled;
                           std::raise(SIGTERM);
                           CHECK(test::waits_for(signals.token()));
                         }};
    CHECK(worker.run(signals.token()) == stop_reason::requested);
    CHECK(worker.status() == worker_status::stopped);
    CHECK(worker.counters().released == 4);
  }
  CHECK(handled == 1);
  CHECK(s.count("email_message where lease_until < now()") == 4);
  struct sigaction after {};
  sigaction(SIGTERM, nullptr, &after);
  CHECK(after.sa_handler == before.sa_handler);
  const quern::stop_on_signals again{SIGTERM};
  CHECK_FALSE(again.token().stop_requested());
  CHECK_THROWS_AS(quern::stop_on_signals{SIGKILL}, std::exception);
}

TEST_CASE("a second SIGTERM ends the program") {
  const pid_t child = fork();
  if (child == 0) {
    const quern::stop_on_signals signals;
    std::raise(SIGTERM);
    if (!test::waits_for(signals.token())) _exit(1);
    std::raise(SIGTERM);
    _exit(2);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}
