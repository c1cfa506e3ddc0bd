// Messages that expire in queues with priorities, keys or a table of tasks. These are not in a log.

#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

using namespace std::chrono_literals;

namespace {

std::string expiring(std::string_view options) {
  return fmt::format(R"(
[queues.mail]
storage = "rows"
lease   = "30s"
retry   = {{ max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }}
grants  = {{ produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }}
expires = "1h"
{}
[queues.mail.payload]
body = {{ type = "text", max_length = 20 }}
)",
                     options);
}

std::string receive(test::workshop& here, int count = 9) {
  return test::bodies(here.db.receive(count));
}

}  // namespace

TEST_CASE("a message of each priority expires, however many of the others there are") {
  test::workshop here{expiring("priorities = 3")};
  here.db.ask("select mail_enqueue_v1('a', null, 2); select mail_enqueue_v1('b', '1 min', 2)");
  here.advance(50min);
  here.db.ask("select mail_enqueue_v1(i::text, null, 0) from generate_series(1, 2000) as i");
  here.advance(15min);
  here.db.ask("select mail_enqueue_v1('c', null, 1)");
  CHECK(receive(here, 1) == "1");
  CHECK(here.db.ask("select string_agg(body, ' ' order by body) from mail_dead") == "a b");
  here.advance(50min);
  CHECK(receive(here) == "c");
}

TEST_CASE("a message that expired gives its key away, to an enqueue as well") {
  test::workshop here{expiring("unique = { fields = [\"body\"], while = \"pending\" }")};
  const auto put = [&] { return here.db.ask("select is_duplicate from mail_enqueue_v1('a')"); };
  CHECK(put() == "f");
  here.advance(59min);
  CHECK(put() == "t");
  const auto held = here.db.receive_one();
  here.advance(2min);
  // Its lease ran out.
  CHECK(put() == "f");
  CHECK_FALSE(here.db.ack(held));
  CHECK(put() == "t");
  CHECK(here.counts() == "1|0|0|1");
  here.advance(61min);
  CHECK(receive(here).empty());
  CHECK(here.db.ask("select count(*) from mail_unique_v1") == "0");
}

TEST_CASE("a message that is handled keeps its key beyond its time, at whichever attempt") {
  test::workshop here{expiring("unique = { fields = [\"body\"], while = \"pending\" }")};
  for (const int attempt : {1, 2}) {
    here.db.send("a");
    if (attempt == 2) CHECK(here.db.fail(here.db.receive_one()) == "retry");
    const auto held = here.db.receive(1, "2h");
    REQUIRE(held.size() == 1);
    here.advance(61min);
    CHECK(here.db.ask("select is_duplicate from mail_enqueue_v1('a')") == "t");
    CHECK(here.db.ack(held.front()));
  }
}

TEST_CASE("an enqueue that meets an expired message waits for who is just about to handle it") {
  for (const bool is_kept : {true, false}) {
    INFO((is_kept ? "committed" : "rolled back"));
    test::workshop here{expiring("unique = { fields = [\"body\"], while = \"pending\" }")};
    here.db.send("a");
    here.db.ask("update mail_message set quern_expires_at = clock_timestamp() + interval '1 s'");
    auto claiming = here.open();
    auto putting = here.open();
    claiming.begin();
    REQUIRE(claiming.receive(1, "3h").size() == 1);
    test::wait_until(
        here.url(),
        fmt::format("select bool_and(quern_expires_at <= clock_timestamp()) from {}.mail_message", here.schema()));
    auto put = putting.later("select is_duplicate from mail_enqueue_v1('a')");
    here.wait_until_blocked(putting);
    if (is_kept)
      claiming.commit();
    else
      claiming.rollback();
    CHECK(put.get() == (is_kept ? "t" : "f"));
    CHECK(here.counts() == (is_kept ? "0|0|1|0" : "1|0|0|1"));
  }
}

TEST_CASE("a key goes on behind a message that expired, and nothing of it is blocked") {
  for (const auto* policy : {"block", "skip"}) {
    INFO(policy);
    test::workshop here{expiring(fmt::format("ordered_by = \"body\"\non_failure = \"{}\"", policy))};
    here.db.send("a");
    CHECK(here.db.fail(here.db.receive_one(), "2h") == "retry");
    here.advance(30min);
    here.db.send("a");
    here.db.send("a");
    CHECK(receive(here).empty());
    here.advance(31min);
    CHECK(receive(here) == "a");
    CHECK(here.db.ask("select message_id, last_error from mail_dead") == "1|it expired after 1 attempt: failed");
    if (std::string_view{policy} == "block") CHECK(here.db.ask("select count(*) from mail_blocked()") == "0");
    CHECK(here.counts() == "1|0|1|1");
  }
}

TEST_CASE("a message that is handled holds its key beyond its time") {
  test::workshop here{expiring("ordered_by = \"body\"")};
  here.db.send("a");
  const auto held = here.db.receive(1, "2h");
  here.advance(30min);
  here.db.send("a");
  here.db.send("a", "10 min");
  here.advance(31min);
  CHECK(receive(here).empty());
  CHECK(here.db.ack(held.front()));
  CHECK(receive(here) == "a");
}

TEST_CASE("a message that expired holds no key, also when nobody could end it yet") {
  test::workshop here{expiring("ordered_by = \"body\"")};
  auto other = here.open();
  for (const bool is_tried : {false, true}) {
    INFO((is_tried ? "tried" : "new"));
    here.clear();
    here.db.send("a");
    if (is_tried) CHECK(here.db.fail(here.db.receive_one(), "2h") == "retry");
    here.advance(30min);
    here.db.send("a");
    here.advance(31min);
    other.begin();
    other.ask("select from mail_message where quern_expires_at <= now() for update");
    other.ask("select from mail_delayed for update");
    CHECK(receive(here) == "a");
    other.rollback();
    CHECK(here.db.ask("select attempt from mail_delayed where lease_until > now()") == "1");
  }
}

TEST_CASE("a statement that goes on for long hands nothing out whose time ends meanwhile") {
  test::workshop here{expiring("ordered_by = \"body\"")};
  here.db.send("a");
  here.db.send("a");
  here.db.ask("update mail_message set quern_expires_at = clock_timestamp() + interval '50 ms' where message_id = 1");
  // Not by a sweep, which would end it.
  here.db.ask(R"(
    do $$
    begin
      perform pg_sleep(0.1);
      perform setval('mail_v1_swept_at', (extract(epoch from clock_timestamp()) * 1000)::bigint);
      perform from mail_claim_v1(9);
    end
    $$
  )");
  CHECK(here.db.ask("select count(*) from mail_delayed where message_id = 1") == "0");
  CHECK(here.db.receive(9).size() == 1);
}

TEST_CASE("keys that have nothing but expired messages do not hide the one that has more") {
  test::workshop here{expiring("ordered_by = \"body\"")};
  here.db.ask("insert into mail_message (contract_version, body) select 1, i from generate_series(1, 6000) as i");
  here.advance(61min);
  here.db.send("z");
  here.db.ask("select setval('mail_turn', hashtextextended('z', 0))");
  CHECK(receive(here, 1) == "z");
}

TEST_CASE("twenty thousand expired messages of a key do not hide the one behind them") {
  test::workshop here{expiring("ordered_by = \"body\"")};
  here.db.ask("insert into mail_message (contract_version, body) select 1, 'a' from generate_series(1, 20000)");
  here.advance(61min);
  here.db.send("a");
  CHECK(here.db.receive(9).size() == 1);
  for (int i = 0; i < 100 && here.db.ask("select count(*) from mail_dead") != "20000"; ++i) receive(here);
  CHECK(here.counts() == "0|0|1|20000");
}

TEST_CASE("a message that is due before its turn keeps its time") {
  test::workshop here{expiring("ordered_by = \"body\"")};
  here.db.send("a");
  here.db.send("a", "50 min");
  const auto held = here.db.receive(1, "3h");
  here.advance(51min);
  CHECK(receive(here).empty());
  here.advance(10min);
  here.db.begin();
  CHECK(here.db.ack(held.front()));
  CHECK(receive(here) == "a");
  here.db.rollback();
  here.advance(50min);
  CHECK(here.db.ack(held.front()));
  CHECK(receive(here).empty());
  CHECK(here.counts() == "0|0|0|1");
}

TEST_CASE("a message that a blocking dead letter holds back expires") {
  test::workshop here{expiring("ordered_by = \"body\"")};
  here.db.send("a");
  here.advance(30min);
  here.db.send("a");
  const auto held = here.db.receive_one();
  here.make_last();
  CHECK(here.db.fail(held) == "dead");
  CHECK(receive(here).empty());
  here.advance(61min);
  CHECK(receive(here).empty());
  CHECK(here.counts() == "0|0|0|2");
}

TEST_CASE("the table of tasks shows no message whose time is over") {
  test::workshop here{expiring("")};
  here.db.send("a");
  here.db.send("b");
  REQUIRE(here.db.receive(1, "2h").size() == 1);
  here.advance(61min);
  here.db.send("c");
  CHECK(here.db.ask("select payload ->> 'body', status from mail order by id") == "a|processing c|pending");
}
