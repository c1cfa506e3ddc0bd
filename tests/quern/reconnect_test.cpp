#include <fstream>
#include <future>
#include <shop/activity.hpp>
#include <thread>

#include "cluster/scratch.hpp"
#include "quern/crew.hpp"
#include "support/catch.hpp"

// The connection goes, and the worker goes on.
namespace {

using namespace std::chrono_literals;

void terminate(quern::connection& by, const quern::connection& victim) {
  by.execute("select pg_terminate_backend($1, 10000)", std::int32_t{victim.backend_pid()});
}

// A server of its own, that may be stopped.
struct shop_server {
  cluster::scratch server;
  std::optional<quern::connection> db{server.url()};

  shop_server() { test::migrate_shop(*db); }

  void stop(cluster::shutdown how = cluster::shutdown::immediate) {
    db.reset();
    server.stop(how);
  }

  void start() {
    server.start();
    db.emplace(server.url());
  }
};

}  // namespace

TEST_CASE("a connection that was lost is opened again with all that it knew") {
  test::shop_session s;
  quern::connection doomed = s.another();
  shop::email_producer producer{doomed};
  producer.enqueue(test::mail(1));
  const int before = doomed.backend_pid();
  terminate(s.db, doomed);
  CHECK_THROWS_AS(doomed.execute("select 1"), quern::connection_error);
  CHECK_FALSE(doomed.is_usable());
  doomed.reopen();
  CHECK(doomed.is_usable());
  CHECK(doomed.backend_pid() != before);
  producer.enqueue(test::mails(2));
  doomed.reopen();
  CHECK(doomed.execute("select count(*) from shop.email_message").value<int>() == 3);
}

TEST_CASE("so is one whose server has crashed") {
  cluster::scratch server;
  quern::connection db{server.url()};
  db.execute("begin");
  server.stop(cluster::shutdown::immediate);
  CHECK_THROWS_AS(db.execute("select 1"), quern::connection_error);
  CHECK_THROWS_AS(db.reopen(), quern::connection_error);
  CHECK_FALSE(db.is_usable());
  server.start();
  db.reopen();
  CHECK(db.status() == quern::transaction_status::idle);
  CHECK(db.execute("select 1").value<int>() == 1);
}

TEST_CASE("what was handled when the connection went is not handled again, and the rest at once") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(10));
  quern::connection doomed = s.another();
  shop::email_consumer consumer{doomed};
  std::vector<int> handled(11);
  std::vector<std::int64_t> lost;
  quern::worker_options options{.until_empty = true};
  options.on_lease_lost = [&](std::int64_t id) { lost.push_back(id); };
  quern::worker worker{consumer,
                       [&](const shop::email_message& m) {
                         ++handled.at(std::size_t(m.payload.order_id));
                         if (m.payload.order_id == 4) terminate(s.db, doomed);
                       },
                       options};
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(handled == std::vector<int>{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  CHECK(lost.empty());
  CHECK(worker.counters().reconnected == 1);
  CHECK(worker.counters().acknowledged == 10);
}

TEST_CASE("what was handled before a stop is acknowledged although the connection went") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(3));
  quern::connection doomed = s.another();
  shop::email_consumer consumer{doomed};
  std::stop_source stop;
  quern::worker worker{consumer, [&](const shop::email_message&) {
                         stop.request_stop();
                         terminate(s.db, doomed);
                       }};
  CHECK(worker.run(stop.get_token()) == quern::stop_reason::requested);
  CHECK(worker.counters().acknowledged == 1);
  CHECK(worker.counters().released == 2);
  CHECK(s.count("email_message where lease_until < now()") == 2);
}

TEST_CASE("a message whose handler ends the session runs out of attempts") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(2));
  quern::connection doomed = s.another();
  shop::email_consumer consumer{doomed};
  int poisoned = 0;
  quern::worker worker{consumer,
                       [&](const shop::email_message& m) {
                         if (m.payload.order_id != 1) return;
                         ++poisoned;
                         doomed.execute("select pg_terminate_backend(pg_backend_pid())");
                       },
                       {.until_empty = true}};
  while (s.count("email_dead") == 0) CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(poisoned == 2);
  CHECK(worker.counters().acknowledged == 1);
  CHECK(s.count("email_message") + s.count("email_delayed") == 0);
}

TEST_CASE("events that a cooperative worker had when its connection went are not handled again") {
  test::shop_session s;
  shop::activity_producer producer{s.db};
  for (std::int64_t i = 1; i <= 10; ++i) producer.publish({.customer_id = i, .kind = "signup"});
  quern::connection doomed = s.another();
  shop::activity_cooperative_consumer consumer{doomed, "crew"};
  const auto key = doomed.execute("select current_setting('quern.session')").value<std::string>();
  std::vector<int> handled(11);
  quern::worker worker{consumer,
                       [&](const auto& event) {
                         ++handled.at(std::size_t(event.offset));
                         if (event.offset == 4) terminate(s.db, doomed);
                       },
                       {.until_empty = true}};
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(handled == std::vector<int>{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  CHECK(doomed.execute("select current_setting('quern.session')").value<std::string>() != key);
}

TEST_CASE("the contract is checked again") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(2));
  quern::connection doomed = s.another();
  shop::email_consumer consumer{doomed};
  quern::worker worker{consumer, [&](const shop::email_message&) {
                         s.db.execute("update shop.quern_contract set retired_at = now() where queue = 'email'");
                         terminate(s.db, doomed);
                       }};
  const auto error = test::failure_of<quern::contract_mismatch>([&] { worker.run(); });
  CHECK(error.message() == "contract v1 of \"email\" was retired");
  CHECK(worker.status() == quern::worker_status::stopped);
}

TEST_CASE("a worker that waits survives the restart of the server") {
  shop_server s;
  quern::connection own{s.server.url()};
  shop::email_consumer consumer{own};
  test::tally handled;
  test::tally failures;
  quern::worker_options options{.poll_interval = 10min};
  options.on_disconnect = [&](const quern::error&) { failures.add(); };
  quern::worker worker{consumer, [&](const shop::email_message&) { handled.add(); }, options};
  std::stop_source stop;
  auto done = std::async(std::launch::async, [&] { return worker.run(stop.get_token()); });
  test::wait_until(s.server.url(), test::somebody_waits);
  s.stop();
  CHECK(failures.reaches(2));
  s.start();
  shop::email_producer{*s.db}.enqueue(test::mails(1));
  CHECK(handled.reaches(1));
  stop.request_stop();
  CHECK(done.get() == quern::stop_reason::requested);
}

TEST_CASE("a worker does not work on a standby, but as soon as that is promoted") {
  shop_server s;
  quern::connection own{s.server.url()};
  shop::email_consumer consumer{own};
  test::tally handled;
  test::tally refusals;
  quern::worker_options options{.poll_interval = 10min};
  options.on_disconnect = [&](const quern::error& failure) {
    if (failure.message() == "the server is a standby, on which nothing can be claimed") refusals.add();
  };
  quern::worker worker{consumer, [&](const shop::email_message&) { handled.add(); }, options};
  auto done = std::async(std::launch::async, [&] { return worker.run(); });
  test::wait_until(s.server.url(), test::somebody_waits);
  s.stop(cluster::shutdown::fast);
  std::ofstream{s.server.data() / "standby.signal"};
  s.start();
  CHECK(refusals.reaches(2));
  CHECK(s.db->execute("select pg_promote()").value<bool>());
  shop::email_producer{*s.db}.enqueue(test::mails(1));
  CHECK(handled.reaches(1));
  worker.interrupt();
  CHECK(done.get() == quern::stop_reason::interrupted);
}

TEST_CASE("a handler hears that its lease is over when nobody can extend it, and is acknowledged if nobody came") {
  shop_server s;
  shop::email_producer{*s.db}.enqueue(test::mails(1));
  quern::connection own{s.server.url()};
  shop::email_consumer consumer{own};
  std::vector<std::string> log;
  quern::worker_options options{.lease = 700ms, .until_empty = true};
  options.log = [&](const quern::log_record& record) { log.emplace_back(record.event); };
  int handled = 0;
  quern::worker worker{consumer,
                       [&](const shop::email_message&, const std::stop_token& loss) {
                         if (handled++ > 0) return;
                         s.stop();
                         CHECK(test::waits_for(loss));
                         s.start();
                       },
                       options};
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(handled == 1);
  CHECK(worker.counters().acknowledged == 1);
  CHECK(worker.counters().lost == 0);
  CHECK(std::ranges::count(log, "heartbeat_failed") > 0);
  CHECK(std::ranges::count(log, "reconnected") == 1);
}

TEST_CASE("what the server refuses for a passing reason is tried again in the same session") {
  test::shop_session s;
  quern::connection own = s.another();
  shop::email_consumer consumer{own};
  own.execute("set lock_timeout = '1ms'");
  std::optional<quern::transaction> rival{s.db};
  rival->execute("lock table shop.email_message in access exclusive mode");
  std::vector<std::string> refusals;
  quern::worker_options options{.until_empty = true};
  options.on_disconnect = [&](const quern::error& failure) {
    refusals.push_back(failure.sqlstate());
    if (refusals.size() < 3) return;
    shop::email_producer{s.db}.enqueue(test::mails(1));
    rival->commit();
  };
  int entries = 0;
  quern::worker worker{consumer,
                       [&](const shop::email_message&) {
                         entries =
                             s.db.execute("select count(*) from pg_locks where locktype = 'advisory' and pid = $1",
                                          std::int32_t{own.backend_pid()})
                                 .value<int>();
                       },
                       options};
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(refusals == std::vector<std::string>(3, "55P03"));
  // That it works, and that its session lives.
  CHECK(entries == 2);
  CHECK(worker.counters().acknowledged == 1);
  CHECK(worker.counters().reconnected == 0);
}

TEST_CASE("a worker waits until there is room on the disk or in memory again") {
  for (const std::string code : {"53100", "53200"}) {
    test::shop_session s;
    shop::email_producer{s.db}.enqueue(test::mails(1));
    s.db.run_script(
        "create function shop.refuse() returns trigger language plpgsql as $$ begin raise exception using "
        "errcode = '" +
        code +
        "'; end $$;"
        "create trigger no_room before update or delete on shop.email_message for each statement execute "
        "function shop.refuse()");
    quern::connection own = s.another();
    shop::email_consumer consumer{own};
    std::vector<std::string> refusals;
    quern::worker_options options{.until_empty = true};
    options.on_disconnect = [&](const quern::error& failure) {
      refusals.push_back(failure.sqlstate());
      if (refusals.size() == 3) s.db.execute("drop trigger no_room on shop.email_message");
    };
    quern::worker worker{consumer, [](const shop::email_message&) {}, options};
    CHECK(worker.run() == quern::stop_reason::empty);
    CHECK(refusals == std::vector<std::string>(3, code));
    CHECK(worker.counters().acknowledged == 1);
  }
}

TEST_CASE("a server that does not come back is given up, and a stop does not wait for it") {
  shop_server s;
  quern::connection own{s.server.url()};
  shop::email_consumer consumer{own};
  quern::worker_options options{.reconnect = {.limit = 100ms, .first_wait = 10ms}};
  s.stop();
  int failures = 0;
  options.on_disconnect = [&](const quern::error& failure) { failures += failure.connection_lost() ? 1 : 0; };
  const auto handler = [](const shop::email_message&) {};
  CHECK_THROWS_AS((quern::worker{consumer, handler, options}.run()), quern::connection_error);
  CHECK(failures > 2);
  std::stop_source stop;
  options.reconnect = {.limit = 1h, .first_wait = 30min, .longest_wait = 30min};
  options.on_disconnect = [&](const quern::error&) { stop.request_stop(); };
  CHECK((quern::worker{consumer, handler, options}.run(stop.get_token())) == quern::stop_reason::requested);
}
