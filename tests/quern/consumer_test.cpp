#include "quern/shop.hpp"
#include "support/catch.hpp"

namespace {

using namespace std::chrono_literals;

// A queue with some mails in it.
struct with_mails : test::shop_session {
  explicit with_mails(std::int64_t count) {
    for (std::int64_t i = 1; i <= count; ++i) producer.enqueue(test::mail(i));
  }

  // Makes a lease run out.
  void expire(const shop::email_message& held) {
    db.execute("update shop.email_message set lease_until = now() - interval '1 s' where message_id = $1",
               held.message_id);
  }

  shop::email_producer producer{db};
  shop::email_consumer consumer{db};
};

}  // namespace

TEST_CASE("a message is acknowledged once") {
  with_mails s{1};
  const auto held = s.consumer.claim().at(0);
  CHECK(s.consumer.ack(held));
  CHECK_FALSE(s.consumer.ack(held));
  CHECK(s.consumer.claim().empty());
  CHECK(s.count("email_message") == 0);
}

TEST_CASE("acknowledging many says which were lost") {
  with_mails s{5};
  const auto held = s.consumer.claim(5);
  REQUIRE(held.size() == 5);
  s.consumer.ack(held[2]);
  CHECK(s.consumer.ack(held) == std::vector<std::int64_t>{held[2].message_id});
  CHECK(s.consumer.ack(std::span<const shop::email_message>{}).empty());
}

TEST_CASE("an acknowledgement and the next claim are one round trip") {
  with_mails s{7};
  auto held = s.consumer.claim(3);
  s.consumer.ack(held[0]);
  auto [next, lost] = s.consumer.ack_and_claim(held, 10, 1h);
  CHECK(next.size() == 4);
  CHECK(next[0].lease_until > std::chrono::system_clock::now() + 30min);
  CHECK(lost == std::vector<std::int64_t>{held[0].message_id});
  CHECK(s.consumer.ack_and_claim(next, 10).messages.empty());
  CHECK(s.consumer.ack_and_claim({}, 10).messages.empty());
  CHECK(s.count("email_message") == 0);
}

TEST_CASE("who lost a message can do nothing to it any more") {
  with_mails s{1};
  const auto late = s.consumer.claim(1, 1ms).at(0);
  s.expire(late);
  quern::connection other = s.another();
  const auto current = shop::email_consumer{other}.claim().at(0);
  CHECK(current.message_id == late.message_id);
  CHECK(current.attempt == 2);
  CHECK_FALSE(s.consumer.ack(late));
  CHECK_FALSE(s.consumer.release(late));
  CHECK_FALSE(s.consumer.extend(late).has_value());
  CHECK(s.consumer.nack(late, "too late") == quern::nack_outcome::lost);
  CHECK(shop::email_consumer{other}.ack(current));
}

TEST_CASE("a failed message comes back and ends among the dead letters with its last error") {
  with_mails s{1};
  const auto first = s.consumer.claim().at(0);
  CHECK(s.consumer.nack(first, "first", 0s) == quern::nack_outcome::retry);
  const auto until = std::chrono::steady_clock::now() + 20s;
  std::vector<shop::email_message> again;
  while (again.empty() && std::chrono::steady_clock::now() < until) again = s.consumer.claim();
  REQUIRE(again.size() == 1);
  CHECK(again[0].attempt == 2);
  CHECK(again[0].payload == test::mail(1));
  CHECK(s.consumer.nack(again[0], std::string("no UTF-8: \xff, a NUL: \0", 21)) == quern::nack_outcome::dead);
  CHECK(s.db.execute("select last_error from shop.email_dead").value<std::string>() ==
        "no UTF-8: \ufffd, a NUL: \ufffd");
}

TEST_CASE("a long error is cut at a character") {
  with_mails s{1};
  std::string error(9'999, 'x');
  s.consumer.nack(s.consumer.claim().at(0), error + "ä", 1h);
  CHECK(s.db.execute("select last_error from shop.email_delayed").value<std::string>() == error);
}

TEST_CASE("a claim is extended by the server's clock") {
  with_mails s{1};
  const auto held = s.consumer.claim(1, 1s).at(0);
  const auto until = s.consumer.extend(held, 1h);
  REQUIRE(until.has_value());
  CHECK(*until - held.lease_until > 50min);
  CHECK(*until - held.lease_until < 70min);
}

TEST_CASE("a released message is there at once") {
  with_mails s{1};
  const auto held = s.consumer.claim().at(0);
  CHECK(s.consumer.claim().empty());
  CHECK(s.consumer.release(held));
  CHECK_FALSE(s.consumer.ack(held));
  const auto until = std::chrono::steady_clock::now() + 20s;
  std::vector<shop::email_message> again;
  while (again.empty() && std::chrono::steady_clock::now() < until) again = s.consumer.claim();
  CHECK(again.at(0).message_id == held.message_id);
}

TEST_CASE("taking is done by the commit and undone by the rollback") {
  with_mails s{3};
  {
    quern::transaction tx{s.db};
    CHECK(s.consumer.take(tx, 2).size() == 2);
  }
  CHECK(s.count("email_message") == 3);
  quern::transaction tx{s.db};
  const auto taken = s.consumer.take(tx, 10);
  CHECK(taken.size() == 3);
  CHECK(taken.at(0).payload.customer_id > 0);
  CHECK(taken.at(0).lease_until == quern::timestamp::max());
  tx.commit();
  CHECK(s.count("email_message") == 0);
}

TEST_CASE("a claim in a snapshot is refused clearly") {
  with_mails s{1};
  quern::transaction tx{s.db, quern::isolation::repeatable_read};
  CHECK(test::failure_of<quern::database_error>([&] { s.consumer.claim(); }).sqlstate() ==
        quern::sqlstate::wrong_isolation);
}

TEST_CASE("an outcome that the program does not know is an error") {
  CHECK(quern::outcome_of("dropped") == quern::nack_outcome::dropped);
  CHECK(quern::to_text(quern::nack_outcome::lost) == "lost");
  CHECK_THROWS_WITH(quern::outcome_of("eaten"), test::contains("\"eaten\""));
}
