#include <csignal>
#include <shop/activity.hpp>
#include <shop/letters.hpp>

#include "quern/crew.hpp"
#include "support/catch.hpp"

// A slow handler keeps what it has, and hears when it has lost it.
namespace {

using namespace std::chrono_literals;

// Returns when the time that a message was claimed for is over by the server's clock.
void outlast(const test::shop_session& s, quern::timestamp lease_until) {
  const auto micros = std::to_string(lease_until.time_since_epoch().count());
  test::wait_until(s.place.url(),
                   "select clock_timestamp() > to_timestamp(" + micros + " / 1000000.0) + interval '100 ms'");
}

// Handles three messages that were claimed together, the first of them for longer than its lease, under the eyes of a
// rival who gets none.
template <class Consumer, class... Names>
quern::worker_counters hold_three(test::shop_session& s, const Names&... names) {
  Consumer consumer{s.db, names...};
  quern::connection other = s.another();
  Consumer rival{other, names...};
  int handled = 0;
  std::size_t stolen = 0;
  quern::worker worker{consumer,
                       [&](const typename Consumer::message_type& m) {
                         if (handled++ == 0) outlast(s, m.lease_until);
                         stolen += rival.claim(10).size();
                       },
                       {.lease = 900ms, .until_empty = true}};
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(handled == 3);
  CHECK(stolen == 0);
  return worker.counters();
}

void expect_held(const quern::worker_counters& counted) {
  CHECK(counted.acknowledged == 3);
  CHECK(counted.lost == 0);
  CHECK(counted.extended > 0);
}

}  // namespace

TEST_CASE("a handler that outlasts the lease keeps its message and the others of the batch") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(3));
  expect_held(hold_three<shop::email_consumer>(s));
  CHECK(s.count("email_message") + s.count("email_delayed") == 0);
}

TEST_CASE("so does one behind a pooler, which keeps no setting") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(3));
  s.db = quern::connection{s.place.url(), {.use_prepared_statements = false}};
  expect_held(hold_three<shop::email_consumer>(s));
}

TEST_CASE("of a log, too") {
  test::shop_session s;
  shop::letters_producer producer{s.db};
  for (std::int64_t i = 1; i <= 3; ++i) producer.enqueue({.number = i});
  expect_held(hold_three<shop::letters_consumer>(s));
  CHECK(s.count("letters_delayed") == 0);
}

TEST_CASE("of a cooperative consumer, too") {
  test::shop_session s;
  shop::activity_producer producer{s.db};
  for (std::int64_t i = 1; i <= 3; ++i) producer.publish({.customer_id = i, .kind = "signup"});
  expect_held(hold_three<shop::activity_cooperative_consumer>(s, "crew"));
  CHECK(s.count("activity_failed") == 0);
}

TEST_CASE("without a heartbeat a message is somebody else's when its lease is over") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(1));
  shop::email_consumer consumer{s.db};
  quern::connection other = s.another();
  shop::email_consumer rival{other};
  std::vector<shop::email_message> stolen;
  quern::worker worker{consumer,
                       [&](const shop::email_message& m) {
                         outlast(s, m.lease_until);
                         while (stolen.empty()) stolen = rival.claim(10);
                       },
                       {.lease = 300ms, .until_empty = true, .use_heartbeat = false}};
  worker.run();
  CHECK(stolen[0].attempt == 2);
  CHECK(worker.counters().lost == 1);
  CHECK(worker.counters().extended == 0);
}

TEST_CASE("a handler is told that it has lost its message, and only that one") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(2));
  shop::email_consumer consumer{s.db};
  quern::connection other = s.another();
  std::vector<std::int64_t> lost;
  std::vector<bool> told;
  quern::worker worker{
      consumer,
      [&](const shop::email_message& m, const std::stop_token& loss) {
        if (told.empty()) {
          other.execute("select shop.email_release($1, $2)", m.message_id, m.attempt);
          other.execute("update shop.email_message set lease_until = 'infinity' where message_id = $1", m.message_id);
          other.execute("update shop.email_message set attempt = 7 where message_id = $1", m.message_id);
          test::waits_for(loss);
          CHECK(s.db.execute("select clock_timestamp() < $1", m.lease_until).value<bool>());
        }
        told.push_back(loss.stop_requested());
      },
      {.lease = 3s, .until_empty = true, .on_lease_lost = [&](auto id) { lost.push_back(id); }}};
  worker.run();
  CHECK(told == std::vector<bool>{true, false});
  CHECK(lost.size() == 1);
  CHECK(worker.counters().acknowledged == 1);
}

TEST_CASE("a handler is told in time, also while the heartbeat waits for an answer") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(1));
  shop::email_consumer consumer{s.db};
  quern::connection other = s.another();
  bool was_told = false;
  quern::worker worker{consumer,
                       [&](const shop::email_message& m, const std::stop_token& loss) {
                         if (m.attempt > 1) return;
                         // Not the consumer's session, which extends what it begins late, and none of a test before.
                         const std::string beat =
                             " from pg_stat_activity where query like 'select shop.email_extend%' and state = 'idle' "
                             "and backend_start > (select backend_start from pg_stat_activity where pid = " +
                             std::to_string(s.db.backend_pid()) + ") and datname = current_database()";
                         // By the second look it may be at work again.
                         quern::result found;
                         while (found.empty()) {
                           test::wait_until(s.place.url(), "select exists (select" + beat + ")");
                           found = other.execute("select pid" + beat);
                         }
                         const auto silent = found.value<std::int32_t>();
                         kill(silent, SIGSTOP);
                         was_told = test::waits_for(loss);
                         kill(silent, SIGCONT);
                       },
                       {.lease = 600ms, .until_empty = true}};
  worker.run();
  CHECK(was_told);
}

TEST_CASE("what a handler has locked in a transaction of its own is not lost") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(1));
  shop::email_consumer consumer{s.db};
  bool was_told = true;
  std::vector<std::int64_t> lost;
  quern::worker worker{
      consumer,
      [&](const shop::email_message& m, const std::stop_token& loss) {
        quern::transaction within{s.db};
        CHECK(consumer.ack(m));
        const std::string beat =
            " from pg_stat_activity where wait_event_type = 'Lock' and query like '%email_extend%' and "
            "datname = current_database()";
        test::wait_until(s.place.url(), "select exists (select" + beat + ")");
        // It gives up waiting, and tries again when the lease is long over.
        quern::connection watcher = s.another();
        const auto first = watcher.execute("select query_start" + beat).value<quern::timestamp>();
        const auto micros = std::to_string(first.time_since_epoch().count());
        test::wait_until(s.place.url(), "select exists (select" + beat + " and query_start > to_timestamp(" + micros +
                                            " / 1000000.0) + interval '1 second')");
        outlast(s, m.lease_until);
        was_told = loss.stop_requested();
        within.rollback();
      },
      {.lease = 600ms, .until_empty = true, .on_lease_lost = [&](auto id) { lost.push_back(id); }}};
  worker.run();
  CHECK_FALSE(was_told);
  CHECK(lost.empty());
  CHECK(worker.counters().acknowledged == 1);
}

TEST_CASE("a heartbeat that has nothing to do opens no connection") {
  test::shop_session s;
  shop::email_producer{s.db}.enqueue(test::mails(30));
  shop::email_consumer consumer{s.db};
  quern::worker worker{consumer, [](const shop::email_message&) {}, {.until_empty = true}};
  worker.run();
  CHECK(s.db.execute("select count(*) from pg_stat_activity where datname = current_database()").value<int>() == 1);
  CHECK(worker.counters().extended == 0);
}

TEST_CASE("a moment of the server's clock is found on this machine's, not after it") {
  test::session s;
  quern::server_clock clock;
  clock.follow(s.db);
  const auto moment = s.db.execute("select clock_timestamp() + interval '10 seconds'").value<quern::timestamp>();
  const auto now = std::chrono::steady_clock::now();
  CHECK(clock.local(moment) <= now + 10s);
  CHECK(clock.local(moment) > now + 5s);
  CHECK(clock.local(quern::timestamp::max()) > now + std::chrono::days{300});
}
