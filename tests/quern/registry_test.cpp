#include <functional>
#include <future>
#include <memory>
#include <shop/activity.hpp>
#include <thread>

#include "quern/crew.hpp"
#include "support/catch.hpp"

// Who works on what, for those who look.
namespace {

using namespace std::chrono_literals;

std::string listed(test::shop_session& s) {
  return s.db
      .execute(
          "select coalesce(string_agg(concat_ws(' ', queue, consumer, status), ', ' order by queue, consumer, "
          "started_at), '') from shop.quern_workers()")
      .value<std::string>();
}

}  // namespace

TEST_CASE("a worker is listed while it works, and as suspended or stopped after that") {
  test::shop_session s;
  quern::connection own = s.another();
  shop::email_consumer consumer{own};
  quern::worker worker{consumer, [](const shop::email_message&) {}, {.poll_interval = 10min}};
  CHECK(listed(s).empty());
  for (int round = 1; round <= 2; ++round) {
    auto done = std::async(std::launch::async, [&] { return worker.run(); });
    test::wait_until(s.place.url(), test::somebody_waits);
    CHECK(listed(s) == "email polling");
    CHECK(s.db.execute("select backend_pid = $1 from shop.quern_workers()", std::int32_t{own.backend_pid()})
              .value<bool>());
    worker.interrupt();
    done.get();
    CHECK(listed(s) == "email suspended");
  }
  quern::worker other{consumer, [](const shop::email_message&) {}, {.until_empty = true}};
  other.run();
  CHECK(listed(s) == "email suspended, email stopped");
  CHECK(own.execute("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")
            .value<int>() == 0);
}

TEST_CASE("a worker whose session is gone is dead, and one that has come back is not") {
  test::shop_session s;
  auto own = std::make_unique<quern::connection>(s.another());
  s.db.execute("select shop.quern_worker_begin('email', null, true)");
  own->execute("select shop.quern_worker_begin('activity', 'crew', true)");
  CHECK(listed(s) == "activity crew polling, email polling");
  own->execute("select pg_advisory_lock(1)");
  own.reset();
  test::wait_until(s.place.url(),
                   "select not exists (select from pg_locks where locktype = 'advisory' and objid = 1 and "
                   "database = (select oid from pg_database where datname = current_database()))");
  CHECK(listed(s) == "activity crew dead, email polling");

  quern::connection doomed = s.another();
  shop::email_producer{s.db}.enqueue(test::mails(1));
  shop::email_consumer consumer{doomed};
  std::string seen;
  int handled = 0;
  quern::worker worker{consumer,
                       [&](const shop::email_message&) {
                         if (handled++ == 0) {
                           s.db.execute("select pg_terminate_backend($1, 10000)", std::int32_t{doomed.backend_pid()});
                           throw std::runtime_error{"again"};
                         }
                         seen = listed(s);
                       },
                       {.until_empty = true}};
  while (handled < 2) worker.run();
  CHECK(seen == "activity crew dead, email polling, email polling");
}

TEST_CASE("behind a pooler a worker is dead when it has said nothing for ten minutes") {
  test::shop_session s;
  s.db.execute("select shop.quern_worker_begin('email', '', false)");
  CHECK(listed(s) == "email polling");
  s.db.execute("update shop.quern_worker set beat_at = now() - interval '11 minutes'");
  CHECK(listed(s) == "email dead");
  const auto id = s.db.execute("select worker_id from shop.quern_worker").value<quern::uuid>();
  CHECK(s.db.execute("select shop.quern_worker_beat($1, 'interrupted')", id).value<bool>());
  CHECK(listed(s) == "email interrupted");
  CHECK(s.db.execute("select shop.quern_worker_beat($1, 'stopped')", id).value<bool>());
  CHECK(listed(s) == "email stopped");
  CHECK(s.db.execute("select changed_at > started_at from shop.quern_workers()").value<bool>());
  CHECK_FALSE(s.db.execute("select shop.quern_worker_beat($1, 'stopped')", quern::uuid{}).value<bool>());
  const auto refused =
      test::failure_of<quern::database_error>([&] { s.db.execute("select shop.quern_worker_beat($1, 'asleep')", id); });
  CHECK(refused.constraint() == "quern_worker_status_known");
}

TEST_CASE("what ended a day ago is forgotten when the next one begins") {
  test::shop_session s;
  for (int i = 0; i < 3; ++i) s.db.execute("select shop.quern_worker_begin('email', null, false)");
  s.db.execute("update shop.quern_worker set beat_at = now() - interval '25 hours'");
  s.db.execute("select shop.quern_worker_begin('orders', null, false)");
  CHECK(listed(s) == "orders polling");
}

TEST_CASE("a slow handler's worker beats, and is seen to be interrupted, from the heartbeat") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(1));
  shop::email_consumer consumer{s.db};
  std::function<void()> interrupt;
  quern::worker worker{consumer,
                       [&](const shop::email_message&) {
                         interrupt();
                         test::wait_until(s.place.url(), "select status = 'interrupted' from shop.quern_workers()");
                       },
                       {.lease = 300ms}};
  interrupt = [&] { worker.interrupt(); };
  CHECK(worker.run() == quern::stop_reason::interrupted);
  CHECK(listed(s) == "email suspended");
}

TEST_CASE("a role that may not register works all the same, and no role speaks for another") {
  test::ensure_role("quern_registry_test");
  test::shop_session s;
  s.db.run_script("grant usage on schema shop to quern_registry_test");
  s.db.run_script("grant execute on all functions in schema shop to quern_registry_test");
  s.db.run_script("revoke execute on function shop.quern_worker_begin from quern_registry_test");
  shop::email_producer{s.db}.enqueue(test::mails(1));
  quern::connection own{test::with_user(s.place.url(), "quern_registry_test")};
  shop::email_consumer consumer{own};
  quern::worker worker{consumer, [](const shop::email_message&) {}, {.until_empty = true}};
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(worker.counters().acknowledged == 1);
  CHECK(listed(s).empty());
  const auto id = s.db.execute("select shop.quern_worker_begin('email', null, false)").value<quern::uuid>();
  CHECK_FALSE(own.execute("select shop.quern_worker_beat($1, 'stopped')", id).value<bool>());
  CHECK(listed(s) == "email polling");
}

TEST_CASE("a worker comes back although a transaction that goes on has freed what it held before") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(1));
  const auto begin = [](quern::connection& with, const std::optional<quern::uuid>& former) {
    return with.execute("select shop.quern_worker_begin('email', null, true, $1)", former).value<quern::uuid>();
  };
  auto own = std::make_unique<quern::connection>(s.another());
  const auto former = begin(*own, std::nullopt);
  own->execute("select from shop.email_claim_v1(1)");
  own.reset();
  test::wait_until(s.place.url(),
                   "select count(*) = 0 from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock'");
  quern::connection rival = s.another();
  quern::transaction open{rival};
  rival.execute("select setval('shop.email_v1_swept_at', 0)");
  rival.execute("select from shop.email_claim_v1(1)");
  quern::connection again = s.another();
  again.execute("set lock_timeout = '5s'");
  CHECK_NOTHROW(begin(again, former));
}

TEST_CASE("what a worker held that ended by an exception is free as soon as its session is gone") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(1));
  {
    quern::connection own = s.another();
    shop::email_consumer consumer{own};
    quern::worker worker{consumer,
                         [](const shop::email_message&) { throw std::runtime_error{"not now"}; },
                         {.on_failure = [](auto&&...) { throw std::logic_error{"the hook"}; }}};
    CHECK_THROWS_AS(worker.run(), std::logic_error);
    shop::email_producer{s.db}.enqueue(test::mails(2));
    own.execute("select from shop.email_claim_v1(1, interval '1 d')");
    CHECK(listed(s) == "email polling");
  }
  test::wait_until(s.place.url(),
                   "select count(*) = 0 from pg_stat_activity where state = 'idle' and backend_type = "
                   "'client backend' and query like '%email_claim_v1(1, interval%'");
  s.db.execute("select setval('shop.email_v1_swept_at', 0)");
  CHECK_FALSE(shop::email_consumer{s.db}.claim(9).empty());
}
