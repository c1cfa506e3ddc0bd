#include <fmt/format.h>

#include <string>
#include <string_view>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

// What a registered worker holds is free when its session is gone, whatever its lease; what others hold is not.

namespace {

constexpr auto registration = "select quern_worker_begin('mail', null, true)";

/// A session that has said that it lives as long as its connection.
test::session enlisted(test::workshop& here) {
  auto worker = here.open();
  worker.ask(registration);
  return worker;
}

/// Ends a session as when its process is killed, and waits until the server has noticed.
void kill(test::workshop& here, const test::session& who) {
  REQUIRE(here.db.ask(fmt::format("select pg_terminate_backend({}, 10000)", who.pid())) == "t");
}

/// What a claim that looks everywhere gets.
std::string found(test::workshop& here, int count = 10) {
  here.make_sweep_due();
  return test::bodies(here.db.receive(count));
}

}  // namespace

TEST_CASE("what a dead worker holds is handed out again before its lease ends, and what others hold is not") {
  test::workshop here;
  for (const auto* body : {"a", "b", "c", "d", "e"}) here.db.send(body);
  auto worker = enlisted(here);
  auto other = enlisted(here);
  auto nobody = here.open();
  CHECK(test::bodies(worker.receive(2, "1 d")) == "a b");
  CHECK(test::bodies(other.receive(1, "1 d")) == "c");
  CHECK(test::bodies(nobody.receive(1, "1 d")) == "d");
  CHECK(found(here) == "e");
  kill(here, worker);
  kill(here, nobody);
  CHECK(found(here) == "a b");
  kill(here, other);
  CHECK(found(here) == "c");
  CHECK(found(here).empty());
}

TEST_CASE("what a dead worker holds is handed out first, however far behind the others it is", "[rows]") {
  test::workshop here;
  here.db.send("a");
  auto worker = enlisted(here);
  CHECK(test::bodies(worker.receive(1, "1 d")) == "a");
  here.skip_ids(600'000);
  for (const auto* body : {"b", "c"}) here.db.send(body);
  CHECK(test::bodies(here.db.receive(1)) == "b");
  kill(here, worker);
  here.make_short_sweep_due();
  CHECK(test::bodies(here.db.receive(1)) == "a");
}

TEST_CASE("what a dead worker tried again is free, too, and the attempt has counted") {
  test::workshop here;
  const auto id = here.db.send("a");
  auto worker = enlisted(here);
  CHECK(worker.fail(worker.receive_one()) == "retry");
  CHECK(worker.receive(1, "1 d") == std::vector{test::held{id, 2, "a"}});
  kill(here, worker);
  here.make_sweep_due();
  CHECK(here.db.receive() == std::vector{test::held{id, 3, "a"}});
}

TEST_CASE("a dead worker's last attempt was the last one") {
  test::workshop here;
  const auto id = here.db.send("a");
  auto worker = enlisted(here);
  for (const int attempt : {1, 2}) {
    CHECK(worker.receive() == std::vector{test::held{id, attempt, "a"}});
    here.advance(std::chrono::minutes{1});
  }
  CHECK(worker.receive(1, "1 d") == std::vector{test::held{id, 3, "a"}});
  kill(here, worker);
  CHECK(found(here).empty());
  CHECK(here.counts() == "0|0|0|1");
}

TEST_CASE("what a dead worker has acknowledged, released or failed before stays as it is") {
  test::workshop here;
  for (const auto* body : {"a", "b", "c"}) here.db.send(body);
  auto worker = enlisted(here);
  const auto held = worker.receive(3, "1 d");
  REQUIRE(held.size() == 3);
  CHECK(worker.ack(held[0]));
  CHECK(worker.fail(held[1], "1 h") == "retry");
  CHECK(worker.release(held[2]));
  kill(here, worker);
  here.db.ask("select mail_free_dead()");
  CHECK_FALSE(here.db.ack(held[2]));
  CHECK(found(here) == "c");
  CHECK(here.counts() == "0|1|1|0");
}

TEST_CASE("what a dead worker has given back is nobody's, also where claims have gone on behind it") {
  test::workshop here;
  for (const auto* body : {"a", "b"}) here.db.send(body);
  here.db.send("first", "1 m");
  auto worker = enlisted(here);
  const auto held = worker.receive_one();
  CHECK(worker.release(held));
  auto other = here.open();
  other.begin();
  other.ask(fmt::format("select from mail_message where message_id = {} for update", held.id));
  CHECK(test::bodies(here.db.receive(1, "1 d")) == (test::is_log() ? "a" : "b"));
  other.rollback();
  here.advance(std::chrono::minutes{1});
  kill(here, worker);
  // Finds the dead, and has no room for what they leave.
  CHECK(found(here, 1) == "first");
  CHECK_FALSE(here.db.ack(held));
}

TEST_CASE("what a dead worker held in hundreds of claims is free, those that were set apart as well") {
  test::workshop here;
  here.db.ask("select mail_enqueue_v1('a') from generate_series(1, 300)");
  auto worker = enlisted(here);
  worker.ask("select count(*) from generate_series(1, 300) as n cross join lateral mail_claim_v1(n / n, '1 d')");
  CHECK(found(here, 300).empty());
  kill(here, worker);
  here.make_sweep_due();
  // The first look of a log finds the claims, and makes a message of a dead worker's due that was set apart.
  CHECK(here.db.receive(300).size() + here.db.receive(300).size() == 300);
}

TEST_CASE("a worker that has lost its session can end what nobody else has claimed by then") {
  test::workshop here;
  for (const auto* body : {"a", "b"}) here.db.send(body);
  auto worker = enlisted(here);
  const auto held = worker.receive(2, "1 d");
  kill(here, worker);
  CHECK(found(here, 1) == "a");
  CHECK_FALSE(here.db.ack(held[0]));
  CHECK(here.db.ack(held[1]));
}

TEST_CASE("what one who claims in a transaction let lie is free only when its session is gone") {
  test::workshop here;
  here.db.send("a");
  auto worker = enlisted(here);
  worker.begin();
  CHECK(test::bodies(worker.receive(1, "1 d")) == "a");
  CHECK(found(here).empty());
  worker.commit();
  CHECK(found(here).empty());
  worker.ask("select quern_worker_beat((select worker_id from quern_worker), 'polling')");
  CHECK(found(here).empty());
  kill(here, worker);
  CHECK(found(here) == "a");
}

TEST_CASE("with priorities, an order or limits what a dead worker holds is free as well") {
  for (const auto* option : {"priorities = 3", "ordered_by = 'body'", "concurrency = 2", "headers = true"}) {
    if (test::is_log() && option != std::string_view{"headers = true"}) continue;
    INFO(option);
    std::string declaration{test::mail_queue};
    declaration.insert(declaration.find("[queues.mail.payload]"), fmt::format("{}\n", option));
    test::workshop here{declaration};
    for (const auto* body : {"a", "b", "c"}) here.db.send(body);
    auto worker = enlisted(here);
    REQUIRE(worker.receive(2, "1 d").size() == 2);
    kill(here, worker);
    here.make_sweep_due();
    auto other = enlisted(here);
    // Where no place is free the first look frees some.
    if (std::string_view{option}.starts_with("concurrency")) CHECK(other.receive(2).empty());
    CHECK(other.receive(2).size() == 2);
  }
}

TEST_CASE("a worker that stops leaves no lock, and a session that had one before keeps it") {
  test::workshop here;
  constexpr auto locks = "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()";
  constexpr auto stop =
      "select quern_worker_beat((select worker_id from quern_worker where status = 'polling'), 'stopped')";
  auto worker = enlisted(here);
  CHECK(worker.ask(locks) == "2");
  CHECK(worker.ask(stop) == "t");
  CHECK(worker.ask(locks) == "0");
  CHECK(worker.ask("select current_setting('quern.session')").empty());
  worker.ask("select set_config('quern.session', '42', false), pg_advisory_lock(42)");
  worker.ask(registration);
  CHECK(worker.ask(stop) == "t");
  CHECK(worker.ask(locks) == "1");
  CHECK(worker.ask("select current_setting('quern.session')") == "42");
}

TEST_CASE("a worker behind a pooler keeps what it holds until its lease ends") {
  test::workshop here;
  here.db.send("a");
  auto worker = here.open();
  worker.ask("select quern_worker_begin('mail', null, false)");
  CHECK(test::bodies(worker.receive(1, "1 d")) == "a");
  kill(here, worker);
  CHECK(found(here).empty());
}

TEST_CASE("whoever registers again over the same connection goes on to hold what it held") {
  test::workshop here;
  for (const auto* body : {"a", "b"}) here.db.send(body);
  auto worker = enlisted(here);
  CHECK(test::bodies(worker.receive(1, "1 d")) == "a");
  worker.ask("select quern_worker_begin('mail', null, true, (select worker_id from quern_worker))");
  CHECK(test::bodies(worker.receive(1, "1 d")) == "b");
  CHECK(found(here).empty());
  kill(here, worker);
  CHECK(found(here) == "a b");
}

TEST_CASE("what a worker held in a session before the one that it registers from is free as well") {
  test::workshop here;
  for (const auto* body : {"a", "b"}) here.db.send(body);
  auto former = enlisted(here);
  CHECK(test::bodies(former.receive(1, "1 d")) == "a");
  const auto id = here.db.ask("select worker_id from quern_worker");
  kill(here, former);

  auto now = here.open();
  now.ask(fmt::format("select quern_worker_begin('mail', null, true, '{}')", id));
  // It is one worker to those who look, and not a dead one.
  CHECK(here.db.ask("select string_agg(status, ' ') from quern_workers()") == "polling");
  // What is not free yet is not forgotten, whoever else registers; what is free is.
  here.open().ask(registration);
  CHECK(found(here) == "a b");
  here.open().ask(registration);
  CHECK(here.db.ask("select count(*) from quern_worker where beat_at = '-infinity'") == "0");
}
