// A queue in which there is one message of those that are the same while it is pending.

#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

constexpr std::string_view unique_queue = R"(
[queues.mail]
lease  = "30s"
retry  = { max_attempts = 2, backoff = "constant", initial = "10s", jitter = 0 }
unique = { fields = ["body"], while = "pending" }
grants = { produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }
[queues.mail.payload]
body = { type = "text?", max_length = 20 }
)";

struct unique_workshop : test::workshop {
  explicit unique_workshop(std::string_view declaration = unique_queue) : test::workshop{declaration} {}

  /// `new`, or `again` with the number of the message, counted from 1.
  std::string put(test::session& by, std::string_view body, std::string_view delay = "0") {
    return by.ask(enqueue(body, delay));
  }

  std::string put(std::string_view body) { return put(db, body); }

  static std::string enqueue(std::string_view body, std::string_view delay = "0") {
    return fmt::format(
        "select case when e.is_duplicate then 'again ' || e.message_id else 'new' end from mail_enqueue_v1('{}', '{}') "
        "as e",
        body, delay);
  }

  std::string many(test::session& by, std::string_view bodies) {
    return by.ask(fmt::format("select message_id, is_duplicate from mail_enqueue_many_v1('{}')", bodies));
  }

  std::string keys() { return db.ask("select body, message_id from mail_unique_v1 order by body"); }
};

}  // namespace

TEST_CASE("a message that is the same as a pending one is left out, and its producer hears of which one") {
  unique_workshop here;
  CHECK(here.put("a") == "new");
  CHECK(here.put("a") == "again 1");
  CHECK(here.put("b") == "new");
  CHECK(here.put(here.db, "b", "1 h").starts_with("again "));
  CHECK(here.put(here.db, "c", "1 h") == "new");
  CHECK(here.put("c").starts_with("again "));
  CHECK(here.counts() == "2|1|0|0");
  CHECK(here.db.ask("select count(distinct message_id) from mail_unique_v1") == "3");
}

TEST_CASE("a message is pending while it is claimed, waits for its retry, or is released") {
  unique_workshop here;
  here.put("a");
  const auto claimed = here.db.receive_one();
  CHECK(here.put("a") == "again 1");
  CHECK(here.db.fail(claimed) == "retry");
  CHECK(here.put("a") == "again 1");
  const auto again = here.db.receive_one();
  CHECK(here.db.release(again));
  CHECK(here.put("a") == "again 1");
  CHECK(here.counts() == "1|0|0|0");
}

TEST_CASE("a message that was acknowledged is not pending any more") {
  unique_workshop here;
  for (const auto* body : {"a", "b", "c"}) here.put(body);
  CHECK(here.db.ack(here.db.receive_one()));
  CHECK(here.db.ack_many(here.db.receive(2)) == "{}");
  CHECK(here.keys() == std::string{});
  CHECK(here.put(here.db, "a", "1 s") == "new");
  here.advance(std::chrono::seconds{2});
  CHECK(here.db.ack(here.db.receive_one()));
  CHECK(here.keys() == std::string{});
}

TEST_CASE("a message that was taken is pending until the commit") {
  unique_workshop here;
  here.put("a");
  here.db.begin();
  CHECK(here.db.take().size() == 1);
  auto other = here.open();
  auto waiting = other.later(unique_workshop::enqueue("a"));
  here.wait_until_blocked(other);
  here.db.rollback();
  CHECK(waiting.get() == "again 1");
  here.make_sweep_due();
  CHECK(here.db.take().size() == 1);
  CHECK(here.put("a") == "new");
}

TEST_CASE("a message that is dead is not pending") {
  unique_workshop here;
  here.put("a");
  CHECK(here.db.fail(here.db.receive_one()) == "retry");
  CHECK(here.db.fail(here.db.receive_one()) == "dead");
  CHECK(here.keys() == std::string{});
  CHECK(here.put("a") == "new");
}

TEST_CASE("a message that is dropped or expires after its last attempt is not pending") {
  unique_workshop here{R"(
    [queues.mail]
    retry       = { max_attempts = 1 }
    dead_letter = false
    unique      = { fields = ["body"], while = "pending" }
    [queues.mail.payload]
    body = { type = "text", max_length = 20 }
  )"};
  here.put("a");
  CHECK(here.db.fail(here.db.receive_one()) == "dropped");
  CHECK(here.put("a") == "new");
  CHECK(here.db.receive().size() == 1);
  here.advance(std::chrono::minutes{1});
  CHECK(here.db.receive().empty());
  CHECK(here.keys() == std::string{});
}

TEST_CASE("a task that ends by the door of the queue is not pending any more") {
  unique_workshop here;
  for (const auto* body : {"a", "b"}) here.put(body);
  here.db.ask("delete from mail where payload ->> 'body' = 'a'");
  here.db.ask("update mail set status = 'completed' where payload ->> 'body' = 'b'");
  CHECK(here.keys() == std::string{});
}

TEST_CASE("the untyped doors give the id of the message that is the same") {
  unique_workshop here;
  CHECK(here.db.ask(R"(select queue_enqueue('mail', '{"body": "a"}'))") == "1");
  CHECK(here.db.ask(R"(select queue_enqueue('mail', '{"body": "a"}'))") == "1");
  CHECK(here.db.ask(R"(insert into mail (payload) values ('{"body": "a"}') returning id)") == "1");
  CHECK(here.counts() == "1|0|0|0");
}

TEST_CASE("messages that lack a part of their key are all different") {
  unique_workshop here;
  CHECK(here.db.ask("select is_duplicate from mail_enqueue_v1(null)") == "f");
  CHECK(here.db.ask("select is_duplicate from mail_enqueue_v1(null)") == "f");
  CHECK(here.many(here.db, "{null,null}") == "3|f 4|f");
  CHECK(here.counts() == "4|0|0|0");
  CHECK(here.db.ask("select mail_ack(message_id, attempt) from mail_claim_v1(9)") == "t t t t");
}

TEST_CASE("many at once are told apart in their order, also those that are the same among themselves") {
  unique_workshop here;
  here.put("b");
  CHECK(here.many(here.db, "{c,b,c,a}") == "2|f 1|t 2|t 5|f");
  CHECK(test::bodies(here.db.receive(9)) == "b c a");
  CHECK(here.db.ask("select message_id, is_duplicate from mail_enqueue_many_v1('{d,a}', '1 h')") == "6|f 5|t");
  CHECK(here.db.ask("select count(*) from mail_enqueue_many_v1('{}')") == "0");
  CHECK(here.db.refusal("select mail_enqueue_many_v1('{x}', '-1 s')") == "QN005: a delay cannot be negative");
}

TEST_CASE("rows that are copied or inserted by hand are left out as well") {
  unique_workshop here;
  here.put("a");
  here.db.ask("insert into mail_message (contract_version, body) values (1, 'a'), (1, 'b'), (1, 'b')");
  CHECK(here.counts() == "2|0|0|0");
}

TEST_CASE("two producers of the same message: the second waits for the first, and is its duplicate") {
  unique_workshop here;
  auto other = here.open();
  here.db.begin();
  CHECK(here.put("a") == "new");
  auto waiting = other.later(unique_workshop::enqueue("a"));
  here.wait_until_blocked(other);
  here.db.commit();
  CHECK(waiting.get() == "again 1");
}

TEST_CASE("two producers of the same message: the second waits for the first, and goes on when that rolls back") {
  unique_workshop here;
  auto other = here.open();
  here.db.begin();
  CHECK(here.put("a") == "new");
  auto waiting = other.later(unique_workshop::enqueue("a"));
  here.wait_until_blocked(other);
  here.db.rollback();
  CHECK(waiting.get() == "new");
  CHECK(here.counts() == "1|0|0|0");
}

TEST_CASE("a producer waits for an acknowledgement that is not committed, and follows its end") {
  unique_workshop here;
  auto other = here.open();
  for (const bool is_kept : {false, true}) {
    here.put("a");
    here.make_full_sweep_due();
    const auto claimed = here.db.receive_one();
    here.db.begin();
    CHECK(here.db.ack(claimed));
    auto waiting = other.later(unique_workshop::enqueue("a"));
    here.wait_until_blocked(other);
    here.db.ask(is_kept ? "rollback" : "commit");
    CHECK(waiting.get() == (is_kept ? fmt::format("again {}", claimed.id) : "new"));
    here.db.ask("delete from mail_message");
    CHECK(here.keys() == std::string{});
  }
}

TEST_CASE("many at once take their keys in one order, whatever the order of the messages") {
  unique_workshop here;
  auto one = here.open();
  auto two = here.open();
  here.db.begin();
  here.put("a");
  auto waiting = one.later("select string_agg(is_duplicate::text, ' ') from mail_enqueue_many_v1('{b,a}')");
  here.wait_until_blocked(one);
  // Had it taken b first, this would wait for it, and it for whoever has a.
  CHECK(here.put(two, "b") == "new");
  here.db.rollback();
  CHECK(waiting.get() == "true false");
}

TEST_CASE("a dead letter that is the same as a pending message stays dead, and its redrive says why") {
  unique_workshop here;
  here.put("a");
  here.put("b");
  for (int i = 0; i < 4; ++i) here.db.fail(here.db.receive_one());
  CHECK(here.counts() == "0|0|0|2");
  CHECK(here.put("a") == "new");
  const auto before = here.contents();
  CHECK(here.db.refusal("select mail_redrive(1)") ==
        "QN009: dead letter 1 of queue \"mail\" cannot be redriven: message 3 is the same and pending");
  CHECK(here.contents() == before);
  CHECK(here.db.ask("select mail_redrive_all(1)") == "1");
  CHECK(here.counts() == "2|0|0|1");
  CHECK(here.put("b") == "again 2");
  CHECK(here.db.ask("select mail_redrive(7)") == "f");

  here.db.ack_many(here.db.receive(9));
  CHECK(here.db.redrive(1));
  CHECK(here.put("a") == "again 1");
  CHECK(here.db.ack(here.db.receive_one()));
  CHECK(here.keys() == std::string{});
}

TEST_CASE("of dead letters that are the same one is redriven") {
  unique_workshop here;
  for (int i = 0; i < 2; ++i) {
    here.put("a");
    for (int k = 0; k < 2; ++k) here.db.fail(here.db.receive_one());
  }
  here.db.ask("select mail_enqueue_v1(null)");
  for (int k = 0; k < 2; ++k) here.db.ask("select mail_nack(message_id, attempt, 'failed', '0') from mail_claim_v1()");
  CHECK(here.counts() == "0|0|0|3");
  CHECK(here.db.ask("select mail_redrive_all()") == "2");
  CHECK(here.counts() == "2|0|0|1");
  CHECK(here.db.ask("select message_id from mail_dead") == "2");
}

TEST_CASE("a key whose message was deleted behind its back stands in nobody's way") {
  unique_workshop here;
  here.put("a");
  for (int k = 0; k < 2; ++k) here.db.fail(here.db.receive_one());
  here.put("a");
  here.db.ask(
      "set session_replication_role = replica; delete from mail_message; set session_replication_role = origin");
  CHECK(here.keys() == "a|2");
  CHECK(here.db.redrive(1));
  CHECK(here.keys() == "a|1");
  here.db.ask(
      "set session_replication_role = replica; delete from mail_delayed; set session_replication_role = origin");
  CHECK(here.put("a") == "new");
  CHECK(here.put("a") == "again 3");
}

TEST_CASE("of messages that were the same before they had to be unique, one has the key and frees it") {
  unique_workshop here;
  here.put("a");
  here.db.ask(
      "set session_replication_role = replica; insert into mail_message (contract_version, body) values (1, 'a'); "
      "set session_replication_role = origin");
  const auto claimed = here.db.receive(2);
  REQUIRE(claimed.size() == 2);
  CHECK(here.db.ack(claimed[1]));
  CHECK(here.put("a") == "again 1");
  CHECK(here.db.ack(claimed[0]));
  CHECK(here.keys() == std::string{});
}

TEST_CASE("a producer at REPEATABLE READ that cannot see the other message is told to try again") {
  unique_workshop here;
  auto other = here.open();
  other.ask("begin isolation level repeatable read; select 1");
  here.put("a");
  CHECK(other.refusal(unique_workshop::enqueue("a")) == "40001: could not serialize access due to concurrent update");
  other.ask("rollback; begin isolation level repeatable read; select 1");
  CHECK(here.put(other, "a") == "again 1");
  other.ask("rollback");
}

TEST_CASE("producers and consumers need no rights on the keys, and have none") {
  unique_workshop here;
  auto web = here.open("qt_web");
  auto mailer = here.open("qt_mailer");
  CHECK(here.put(web, "a") == "new");
  CHECK(here.put(web, "a") == "again 1");
  web.ask("insert into mail_message (contract_version, body) values (1, 'a'), (1, 'b')");
  CHECK(here.counts() == "2|0|0|0");
  CHECK(mailer.ack_many(mailer.receive(9)) == "{}");
  CHECK(here.keys() == std::string{});
  for (auto* who : {&web, &mailer}) {
    CHECK(who->refusal("select * from mail_unique_v1") == "42501: permission denied for table mail_unique_v1");
  }
}

TEST_CASE("a message that violates a constraint leaves no key behind") {
  unique_workshop here;
  CHECK(here.db.refusal("select mail_enqueue_v1('123456789012345678901')").starts_with("23514: "));
  CHECK(here.keys() == std::string{});
}
