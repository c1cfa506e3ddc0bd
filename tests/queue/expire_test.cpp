// Messages that have to be handled within an hour.

#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;

namespace {

std::string expiring(std::string_view options = "dead_letter = true") {
  return fmt::format(R"(
[queues.mail]
lease   = "30s"
retry   = {{ max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }}
grants  = {{ produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }}
expires = "1h"
{}
[queues.mail.payload]
body = "text"
)",
                     options);
}

struct expiring_workshop : test::workshop {
  explicit expiring_workshop(std::string_view options = "dead_letter = true") : test::workshop{expiring(options)} {}

  /// `body: why`
  std::string dead() { return db.ask("select body || ': ' || last_error from mail_dead order by message_id"); }

  /// Enqueues so many, with the bodies 1, 2, …
  void fill(int count) {
    db.ask(fmt::format("insert into mail_message (contract_version, body) select 1, i from generate_series(1, {}) as i",
                       count));
  }

  std::string receive(int count = 1) { return test::bodies(db.receive(count)); }
};

}  // namespace

TEST_CASE("a message that was not handled in time is a dead letter, and never handed out") {
  expiring_workshop here;
  here.db.send("a");
  here.advance(59min);
  here.db.begin();
  CHECK(here.receive() == "a");
  here.db.rollback();
  here.advance(2min);
  here.db.send("b");
  CHECK(here.receive(9) == "b");
  CHECK(here.receive(9).empty());
  CHECK(here.dead() == "a: it expired before anybody handled it");
  CHECK(here.counts() == "0|0|1|1");
}

TEST_CASE("what is taken, or claimed as JSON, has time left as well") {
  expiring_workshop here;
  here.db.send("a");
  here.db.send("b");
  here.advance(61min);
  here.db.send("c");
  here.db.send("d");
  CHECK(test::bodies(here.db.take(1)) == "c");
  CHECK(here.db.ask("select payload ->> 'body' from mail_claim_json(9)") == "d");
  CHECK(here.db.ask("select count(*) from queue_dequeue('mail')") == "0");
  CHECK(here.dead() == "a: it expired before anybody handled it b: it expired before anybody handled it");
}

TEST_CASE("the time of a delayed message begins when it is due, however it was enqueued") {
  expiring_workshop here;
  here.db.send("a", "2h");
  here.db.ask("select mail_enqueue_many_v1(array['b'], '2h')");
  here.db.ask("select mail_enqueue_json('{\"body\": \"c\"}', '2h')");
  here.db.ask("select queue_enqueue('mail', '{\"body\": \"d\"}')");
  here.db.ask("insert into mail (payload) values ('{\"body\": \"e\"}')");
  here.advance(61min);
  CHECK(here.receive(9).empty());
  here.advance(118min);
  here.db.begin();
  CHECK(here.receive(9) == "a b c");
  here.db.rollback();
  here.advance(2min);
  CHECK(here.receive(9).empty());
  CHECK(here.counts() == "0|0|0|5");
}

TEST_CASE("a message that waits for another attempt expires, and its last error stays") {
  expiring_workshop here;
  here.db.send("a");
  here.advance(59min);
  CHECK(here.db.fail(here.db.receive_one(), "10 min", "no route") == "retry");
  CHECK(here.db.ask("select mail_next_due_v1() between now() + interval '30 s' and now() + interval '1 min'") == "t");
  here.advance(61s);
  CHECK(here.receive().empty());
  CHECK(here.dead() == "a: it expired after 1 attempt: no route");
}

TEST_CASE("an attempt that is on its way may end a message whose time is over, but gives it to nobody else") {
  expiring_workshop here;
  for (const auto* body : {"a", "b", "c", "d"}) here.db.send(body);
  here.advance(59min);
  const auto held = here.db.receive(4, "1h");
  here.advance(2min);
  CHECK(here.receive().empty());
  CHECK(here.counts() == "0|0|4|0");
  CHECK(here.db.extend(held[0], "1h"));
  CHECK(here.db.ack(held[0]));
  CHECK(here.db.fail(held[1], "0", "late") == "dead");
  CHECK(here.db.release(held[2]));
  CHECK(here.receive().empty());
  CHECK(here.dead() == "b: it expired after 1 attempt: late c: it expired after 1 attempt");
  here.advance(2h);
  CHECK(here.receive().empty());
  CHECK_FALSE(here.db.ack(held[3]));
  CHECK(here.counts() == "0|0|0|3");
}

TEST_CASE("the last attempt that fails after the time is the last attempt that failed") {
  expiring_workshop here;
  here.db.send("a");
  const auto held = here.db.receive_one();
  here.advance(61min);
  if (!test::is_log()) here.make_last();
  CHECK(here.db.fail(held) == "dead");
}

TEST_CASE("a dead letter that is redriven gets its time anew") {
  expiring_workshop here;
  here.db.send("a");
  here.advance(61min);
  CHECK(here.receive().empty());
  CHECK(here.db.redrive(std::stoll(here.db.ask("select message_id from mail_dead"))));
  here.advance(59min);
  here.db.begin();
  CHECK(here.receive() == "a");
  here.db.rollback();
  here.advance(2min);
  CHECK(here.receive().empty());
  CHECK(here.counts() == "0|0|0|1");
}

TEST_CASE("without dead letters a message ends with its time") {
  expiring_workshop here{"dead_letter = false"};
  here.db.send("a");
  here.db.send("b", "10 min");
  here.db.send("c");
  const auto held = here.db.receive_one();
  here.advance(80min);
  CHECK(here.db.fail(held) == "dropped");
  CHECK(here.receive().empty());
  CHECK(here.contents().empty());
}

TEST_CASE("a hundred thousand that expired do not hide the one behind them, and all become dead letters") {
  expiring_workshop here;
  here.fill(100'000);
  here.advance(61min);
  here.db.send("z");
  CHECK(here.receive() == "z");
  CHECK(here.receive().empty());
  for (int i = 0; i < 100 && here.db.ask("select count(*) from mail_dead") != "100000"; ++i) here.receive();
  CHECK(here.counts() == "0|0|1|100000");
}

TEST_CASE("delayed messages that expired do not hide those behind them") {
  expiring_workshop here;
  here.db.ask("select mail_enqueue_many_v1(array_agg(i::text), '1 min') from generate_series(1, 5000) as i");
  here.db.send("y", "30 min");
  here.advance(61min + 10s);
  here.db.send("x");
  CHECK(here.receive(2) == "y x");
  for (int i = 0; i < 100 && here.db.ask("select count(*) from mail_dead") != "5000"; ++i) here.receive();
  CHECK(here.counts() == "0|0|2|5000");
}

TEST_CASE("a message that has no end is handed out as ever") {
  expiring_workshop here;
  here.db.send("a");
  here.db.send("b", "1h");
  here.db.ask("update mail_message set quern_expires_at = null; update mail_delayed set quern_expires_at = null");
  here.advance(10h);
  CHECK(here.receive(9) == "b a");
}

TEST_CASE("who claims does not wait for another one that ends what has expired") {
  expiring_workshop here;
  here.db.send("a");
  here.advance(61min);
  auto other = here.open();
  other.begin();
  CHECK(other.receive(9).empty());
  here.make_sweep_due();
  if (test::is_log()) {
    other.commit();
  } else {
    here.db.send("b");
    CHECK(here.receive(9) == "b");
    other.rollback();
    here.make_sweep_due();
  }
  CHECK(here.receive(9).empty());
  CHECK(here.dead() == "a: it expired before anybody handled it");
}

TEST_CASE("while the queue is paused nothing expires, and nothing that did is handed out later") {
  expiring_workshop here;
  here.db.send("a");
  here.db.ask("select mail_pause()");
  here.advance(61min);
  CHECK(here.receive().empty());
  CHECK(here.counts() == "1|0|0|0");
  here.db.ask("select mail_resume()");
  CHECK(here.receive().empty());
  CHECK(here.counts() == "0|0|0|1");
}

TEST_CASE("the roles of a queue cannot end messages themselves") {
  expiring_workshop here;
  for (const auto* role : {"qt_web", "qt_mailer", "qt_ops"}) {
    auto as = here.open(role);
    CHECK(as.refusal("select mail_expire(array[1])") == "42501: permission denied for function mail_expire");
    CHECK(as.refusal("select mail_expire_first()") == "42501: permission denied for function mail_expire_first");
  }
  here.db.send("a");
  here.advance(61min);
  CHECK(here.open("qt_mailer").receive().empty());
  CHECK(here.counts() == "0|0|0|1");
}
