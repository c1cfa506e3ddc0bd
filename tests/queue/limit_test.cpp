// `concurrency` and `rate` hold for a queue as a whole, whoever claims.

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <vector>

#include "queue/workshop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

using namespace std::chrono_literals;

namespace {

std::string limited(std::string_view options) {
  return fmt::format(
      "[queues.mail]\nretry = {{ max_attempts = 3, backoff = \"constant\", initial = \"10s\", jitter = 0 }}\n{}\n"
      "[queues.mail.payload]\nbody = \"text\"\n",
      options);
}

void send(test::workshop& here, int count) {
  here.db.ask(fmt::format("select mail_enqueue_v1('m' || n) from generate_series(1, {}) as n", count));
}

std::string in_work(test::workshop& here) {
  return here.db.ask("select in_work from mail_limits()");
}

}  // namespace

TEST_CASE("a claim gets no more messages than there are places", "[rows]") {
  test::workshop here{limited("concurrency = 2")};
  send(here, 5);
  const auto held = here.db.receive(9);
  CHECK(test::bodies(held) == "m1 m2");
  CHECK(here.db.receive(9).empty());
  CHECK(in_work(here) == "2");
  CHECK(here.db.ack(held.front()));
  CHECK(in_work(here) == "1");
  CHECK(test::bodies(here.db.receive(9)) == "m3");
  CHECK(here.db.receive(9).empty());
}

TEST_CASE("every end of an attempt gives its place back", "[rows]") {
  test::workshop here{limited("concurrency = 1")};
  send(here, 8);
  const auto is_full = [&] { return here.db.receive(1).empty(); };
  here.db.ack_many(here.db.receive(9));
  CHECK(here.db.fail(here.db.receive_one()) == "retry");
  const auto released = here.db.receive_one();
  CHECK(here.db.release(released));
  const auto lapsed = here.db.receive_one();
  CHECK(is_full());
  here.advance(31s);
  const auto last = here.db.receive_one();
  CHECK(last.id != 0);
  CHECK(is_full());
  here.db.ask(
      "update mail_delayed set release_count = attempt - 3; update mail_message set release_count = attempt - 3 "
      "where attempt > 0");
  CHECK(here.db.fail(last) == "dead");
  CHECK_FALSE(is_full());
}

TEST_CASE("a lease that ran out is not extended: its place may be another one's", "[rows]") {
  test::workshop here{limited("concurrency = 1")};
  send(here, 2);
  const auto lapsed = here.db.receive_one();
  CHECK(here.db.extend(lapsed));
  here.advance(31s);
  CHECK_FALSE(here.db.extend(lapsed));
  CHECK(here.db.receive(9).size() == 1);
  CHECK_FALSE(here.db.extend(lapsed));
  CHECK(here.db.receive(9).empty());
}

TEST_CASE("an extension that is not committed keeps the place of a lease that runs out meanwhile", "[rows]") {
  test::workshop here{limited("concurrency = 1")};
  send(here, 2);
  const auto held = here.db.receive_one();
  // It reads the clock before the lease runs out.
  here.db.ask("update mail_message set lease_until = clock_timestamp() + interval '200 ms' where message_id = 1");
  auto other = here.open();
  other.begin();
  CHECK(other.extend(held));
  here.db.ask("select pg_sleep(0.25)");
  here.make_sweep_due();
  CHECK(here.db.receive(9).empty());
  other.commit();
  CHECK(here.db.receive(9).empty());
  CHECK(in_work(here) == "1");
}

TEST_CASE("what a transaction takes or claims holds its places until it ends", "[rows]") {
  test::workshop here{limited("concurrency = 3")};
  send(here, 9);
  auto one = here.open();
  auto two = here.open();
  for (const bool is_taken : {true, false}) {
    INFO((is_taken ? "taken" : "claimed"));
    one.begin();
    CHECK((is_taken ? one.take(2) : one.receive(2)).size() == 2);
    two.begin();
    CHECK(two.receive(9).size() == 1);
    CHECK(here.db.receive(9).empty());
    CHECK(here.db.take(9).empty());
    CHECK((is_taken ? one.take(9) : one.receive(9)).empty());
    one.rollback();
    CHECK(here.db.take(2).size() == 2);
    two.rollback();
  }
  one.begin();
  CHECK(one.take(3).size() == 3);
  CHECK(here.db.take(1).empty());
  one.commit();
  CHECK(here.db.take(9).size() == 2);
}

TEST_CASE("what a savepoint took gives its places back with it", "[rows]") {
  test::workshop here{limited("concurrency = 2")};
  send(here, 4);
  here.db.begin();
  CHECK(here.db.take(1).size() == 1);
  here.db.ask("savepoint one");
  CHECK(here.db.take(9).size() == 1);
  auto other = here.open();
  CHECK(other.take(9).empty());
  here.db.ask("rollback to one");
  other.begin();
  CHECK(other.take(9).size() == 1);
  CHECK(here.db.take(9).empty());
  here.db.commit();
  other.rollback();
}

TEST_CASE("an ack that is not committed keeps its place for all but its own transaction", "[rows]") {
  test::workshop here{limited("concurrency = 1")};
  send(here, 3);
  const auto held = here.db.receive_one();
  auto other = here.open();
  other.begin();
  CHECK(other.ack(held));
  CHECK(here.db.receive(9).empty());
  CHECK(test::bodies(other.receive(9)) == "m2");
  CHECK(here.db.receive(9).empty());
  other.rollback();
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ack(held));
  CHECK(here.db.receive(9).size() == 1);
  CHECK(here.db.receive(9).empty());
}

TEST_CASE("however many sessions claim at once, no more are in work than there are places", "[rows]") {
  test::workshop here{limited("concurrency = 5")};
  send(here, 400);
  // Each does one of what may be done with a message, in transactions of their own or in longer ones.
  const auto work = [&](int number) {
    auto me = here.open();
    const auto until = std::chrono::steady_clock::now() + 1500ms;
    int round = number;
    while (std::chrono::steady_clock::now() < until) {
      ++round;
      if (round % 7 == 0) {
        me.begin();
        me.take(1 + round % 3);
        if (round % 2 == 0)
          me.commit();
        else
          me.rollback();
        continue;
      }
      for (const auto& each : me.receive(1 + round % 4, round % 5 == 0 ? "20 ms" : "30 s")) {
        if (round % 5 == 0) continue;
        if (round % 3 == 0)
          me.release(each);
        else if (round % 11 == 0)
          me.fail(each, "0");
        else
          me.ack(each);
      }
      if (round % 4 == 0) me.send("more");
    }
  };
  std::vector<std::future<void>> workers;
  for (int i = 0; i < 8; ++i) workers.push_back(std::async(std::launch::async, work, i));
  auto look = here.open();
  int most = 0;
  const auto is_working = [&] {
    return std::any_of(workers.begin(), workers.end(),
                       [](auto& each) { return each.wait_for(0s) != std::future_status::ready; });
  };
  while (is_working()) {
    most = std::max(most, std::stoi(look.ask(R"(
      select count(*)
      from (select lease_until from mail_message union all select lease_until from mail_delayed) as m
      where m.lease_until > clock_timestamp()
    )")));
  }
  for (auto& each : workers) each.get();
  CHECK(most <= 5);
  CHECK(most >= 3);
}

TEST_CASE("a killed session keeps its places by its leases alone", "[rows]") {
  test::workshop here{limited("concurrency = 2")};
  send(here, 4);
  {
    auto one = here.open();
    CHECK(one.receive(1).size() == 1);
    one.begin();
    CHECK(one.take(1).size() == 1);
    CHECK(here.db.receive(9).empty());
    here.db.ask(fmt::format("select pg_terminate_backend({}, 5000)", one.pid()));
  }
  CHECK(here.db.receive(9).size() == 1);
  CHECK(here.db.receive(9).empty());
  here.advance(31s);
  CHECK(here.db.receive(9).size() == 2);
}

TEST_CASE("a claim and an ack leave no dead rows behind that another one would have to pass", "[rows]") {
  test::workshop here{limited("concurrency = 2")};
  auto pinned = here.open();
  pinned.ask("begin isolation level repeatable read; select count(*) from mail_place");
  const auto rounds = [&](int count) {
    here.db.ask(fmt::format(R"(
      do $$
      declare v_id bigint; v_attempt integer;
      begin
        for i in 1 .. {} loop
          perform mail_enqueue_v1('m');
          select message_id, attempt into v_id, v_attempt from mail_claim_v1();
          perform mail_ack(v_id, v_attempt);
          commit;
        end loop;
      end $$
    )",
                            count));
    return here.db.ask("select count(*) from mail_place");
  };
  CHECK(rounds(300) == "2");
  here.db.ask(R"(
    create function pages() returns integer language plpgsql
    set enable_seqscan = off set enable_bitmapscan = off set plan_cache_mode = force_generic_plan as $$
    declare v_plan json;
    begin
      for i in 1 .. 2 loop
        execute 'explain (analyze, buffers, format json) select mail_allowed(1)' into v_plan;
      end loop;
      return (v_plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::integer + (v_plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::integer;
    end $$
  )");
  const int few = std::stoi(here.db.ask("select pages()"));
  rounds(1500);
  CHECK(std::stoi(here.db.ask("select pages()")) <= few + 20);
}

TEST_CASE("more places are given at once, fewer when what is in work beyond them has ended", "[rows]") {
  test::workshop here{limited("concurrency = 2")};
  send(here, 9);
  // As a migration that makes them fewer leaves it: attempts hold places beyond the last one.
  const auto held = here.db.receive(9);
  here.db.ask("update mail_place set place = place + 10");
  CHECK(in_work(here) == "2");
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ack(held.front()));
  CHECK(here.db.receive(9).size() == 1);
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ack(held.back()));
  CHECK(here.db.receive(9).size() == 1);
  CHECK(here.db.ask("select count(*) from mail_place where place > 2") == "0");
}

TEST_CASE("no more messages are handed out than the rate lets through, and its burst at once", "[rows]") {
  test::workshop here{limited("rate = { count = 10, per = \"10s\", burst = 3 }")};
  send(here, 20);
  CHECK(here.db.receive(9).size() == 3);
  CHECK(here.db.receive(9).empty());
  const auto pass = [&](int seconds) {
    here.db.ask(fmt::format("select setval('mail_rate_clock', pg_sequence_last_value('mail_rate_clock') - {}000000000)",
                            seconds));
  };
  pass(1);
  CHECK(here.db.receive(9).size() == 1);
  CHECK(here.db.take(9).empty());
  pass(2);
  CHECK(here.db.take(9).size() == 2);
  pass(100);
  CHECK(here.db.receive(2).size() == 2);
  CHECK(here.db.receive(9).size() == 1);
  CHECK(here.db.receive(9).empty());
}

TEST_CASE("what is rolled back has used the rate up", "[rows]") {
  test::workshop here{limited("rate = { count = 1, per = \"10s\", burst = 1 }")};
  send(here, 2);
  here.db.begin();
  CHECK(here.db.receive(9).size() == 1);
  // Nobody waits for the transaction.
  auto other = here.open();
  CHECK(other.receive(9).empty());
  here.db.rollback();
  CHECK(here.db.receive(9).empty());
}

TEST_CASE("a server whose time was put back does not stop for as long", "[rows]") {
  test::workshop here{limited("rate = { count = 1000, per = \"1s\", burst = 2 }")};
  send(here, 9);
  here.db.ask("select setval('mail_rate_clock', (extract(epoch from now()) * 1000000000)::bigint + 3600000000000)");
  CHECK(here.db.receive(9).empty());
  here.db.ask("select pg_sleep(0.005)");
  CHECK(here.db.receive(9).size() == 2);
}

TEST_CASE("many sessions at once get no more than the rate lets through", "[rows]") {
  test::workshop here{limited("rate = { count = 100, per = \"1s\", burst = 10 }")};
  send(here, 600);
  const auto begin = here.db.ask("select clock_timestamp()");
  const auto work = [&] {
    auto me = here.open();
    std::size_t count = 0;
    const auto until = std::chrono::steady_clock::now() + 1s;
    while (std::chrono::steady_clock::now() < until) count += me.receive(7).size();
    return count;
  };
  std::vector<std::future<std::size_t>> workers;
  for (int i = 0; i < 6; ++i) workers.push_back(std::async(std::launch::async, work));
  std::size_t count = 0;
  for (auto& each : workers) count += each.get();
  const auto seconds =
      std::stod(here.db.ask(fmt::format("select extract(epoch from clock_timestamp() - '{}')", begin)));
  CHECK(static_cast<double>(count) <= 10 + 100 * seconds + 1);
  CHECK(count >= 90);
}

TEST_CASE("a waiting consumer is told when the rate lets the next message through", "[rows]") {
  test::workshop here{limited("rate = { count = 1, per = \"10s\", burst = 1 }")};
  CHECK(here.db.ask("select mail_next_due_v1() is null") == "t");
  send(here, 2);
  CHECK(here.db.receive(9).size() == 1);
  CHECK(here.db.ask("select extract(epoch from mail_next_due_v1() - now()) between 9 and 10") == "t");
  CHECK(here.db.receive(9).empty());
  here.db.ask("delete from mail_message where lease_until = '-infinity'");
  CHECK(here.db.ask("select mail_next_due_v1() is null") == "t");
}

TEST_CASE("an ack wakes who waits for its place, and a take does", "[rows]") {
  test::workshop here{limited("concurrency = 1")};
  send(here, 3);
  const auto held = here.db.receive_one();
  auto waiting = here.open();
  const auto key = here.db.ask(
      "select substring(prosrc from 'pg_try_advisory_lock\\((-?[0-9]+)\\)') from pg_proc where proname = 'mail_wake' "
      "and pronamespace = current_schema()::regnamespace");
  waiting.ask(fmt::format("listen \"{}.mail\"; select pg_advisory_lock_shared({})", here.schema(), key));
  const auto is_woken = [&] {
    return waiting.connection().wait_for_notification(std::chrono::steady_clock::now() + 2s, nullptr);
  };
  CHECK(here.db.ask("select mail_next_due_v1() - clock_timestamp() between interval '0' and interval '100 ms'") == "t");
  CHECK(here.db.ack(held));
  CHECK(is_woken());
  CHECK(here.db.take(1).size() == 1);
  CHECK(is_woken());
  here.db.ack_many(here.db.receive(1));
  CHECK(is_woken());
}

TEST_CASE("places and the rate hold with priorities and with an order as well", "[rows]") {
  for (const auto* other : {"priorities = 3", "ordered_by = \"body\""}) {
    INFO(other);
    test::workshop here{
        limited(fmt::format("concurrency = 2\nrate = {{ count = 4, per = \"10s\", burst = 3 }}\n{}", other))};
    send(here, 9);
    const auto held = here.db.receive(9);
    CHECK(held.size() == 2);
    CHECK(here.db.receive(9).empty());
    CHECK(here.db.ack_many(held) == "{}");
    CHECK(here.db.receive(9).size() == 1);
    CHECK(here.db.receive(9).empty());
    CHECK(in_work(here) == "1");
  }
}

TEST_CASE("a claim of a full queue in a transaction with one snapshot is refused as ever", "[rows]") {
  test::workshop here{limited("concurrency = 1")};
  send(here, 2);
  here.db.receive(9);
  CHECK(here.db.refusal("begin isolation level repeatable read; select mail_claim_v1()").starts_with("QN004"));
  here.db.rollback();
  CHECK(here.db.refusal("select mail_claim_v1(0)").starts_with("QN005"));
}
