#include <future>
#include <shop/activity.hpp>
#include <shop/raw.hpp>

#include "quern/fixture.hpp"
#include "quern/shop.hpp"
#include "support/catch.hpp"

namespace {

shop::activity done(std::int64_t customer, std::string kind = "signup") {
  return {.customer_id = customer, .kind = std::move(kind), .detail = quern::json{"{\"x\": 1}"}};
}

std::vector<std::int64_t> customers(const std::vector<shop::activity_event>& events) {
  std::vector<std::int64_t> result;
  for (const auto& each : events) result.push_back(each.payload.customer_id);
  return result;
}

struct with_activity : test::shop_session {
  shop::activity_producer producer{db};
  shop::activity_reader reader{db};
  shop::activity_consumer audit{db, "audit"};
};

}  // namespace

TEST_CASE("an event is read as it was published") {
  with_activity s;
  const shop::activity full{.customer_id = 7,
                            .kind = "ä 漢字 🦆",
                            .channel = shop::channel::push,
                            .tags = {"a", "", "c"},
                            .detail = quern::json{"{\"x\": [1, 2]}"}};
  s.producer.publish(full);
  s.producer.publish({.customer_id = 8, .kind = "bare"});
  const auto events = s.reader.read(0);
  REQUIRE(events.size() == 2);
  CHECK(events[0].offset == 1);
  CHECK(events[0].batch == 0);
  CHECK(events[0].payload.kind == full.kind);
  CHECK(events[0].payload.tags == full.tags);
  CHECK(events[0].payload.channel == shop::channel::push);
  CHECK(events[0].payload.detail->text == "{\"x\": [1, 2]}");
  CHECK(events[1].payload == shop::activity{.customer_id = 8, .kind = "bare"});
  CHECK(std::chrono::abs(events[1].published_at - std::chrono::system_clock::now()) < std::chrono::minutes{5});
}

TEST_CASE("many events are published in one round trip, and any number by COPY, in their order") {
  with_activity s;
  CHECK(s.producer.publish(std::vector{done(1), done(2)}) == 2);
  CHECK(s.producer.publish(std::vector<shop::activity>{}) == 0);
  CHECK(s.producer.publish_all(std::views::iota(3, 2503) | std::views::transform([](int i) { return done(i); })) ==
        2500);
  CHECK(s.producer.publish_all(std::vector<shop::activity>{}) == 0);
  std::int64_t expected = 0;
  for (const auto& each : s.reader.after(0, 999)) {
    CHECK(each.offset == ++expected);
    CHECK(each.payload.customer_id == expected);
  }
  CHECK(expected == 2502);
  CHECK(s.reader.after(2502).begin() == std::default_sentinel);
}

TEST_CASE("what is rolled back with the producer's transaction was never published") {
  with_activity s;
  {
    quern::transaction undone{s.db};
    s.producer.publish(done(1));
    s.producer.publish_all(std::vector{done(2)});
  }
  quern::transaction kept{s.db};
  s.producer.publish(done(3));
  kept.commit();
  CHECK(customers(s.reader.read(0)) == std::vector<std::int64_t>{3});
}

TEST_CASE("each consumer receives every event until it has acknowledged it") {
  with_activity s;
  shop::activity_consumer mirror{s.db, "mirror"};
  s.producer.publish(std::vector{done(1), done(2), done(3)});
  auto events = s.audit.receive(2);
  CHECK(customers(events) == std::vector<std::int64_t>{1, 2});
  CHECK(customers(s.audit.receive(2)) == std::vector<std::int64_t>{1, 2});
  CHECK(s.audit.ack(events));
  CHECK_FALSE(s.audit.ack(events));
  CHECK(s.audit.ack(std::vector<shop::activity_event>{}));
  CHECK(customers(s.audit.receive()) == std::vector<std::int64_t>{3});
  CHECK(customers(mirror.receive()) == std::vector<std::int64_t>{1, 2, 3});
  s.audit.seek(0);
  CHECK(customers(s.audit.receive()) == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE("effects in the transaction of the acknowledgement happen once, whoever else tries") {
  with_activity s;
  s.db.run_script("create table processed (customer_id bigint)");
  s.producer.publish(std::vector{done(1), done(2)});
  s.audit.seal();
  auto other = s.another();
  shop::activity_consumer same{other, "audit"};
  auto first = same.receive();
  const auto handle = [&] {
    quern::transaction within{s.db};
    const auto events = s.audit.receive(within);
    for (const auto& each : events) within.execute("insert into processed values ($1)", each.payload.customer_id);
    if (s.audit.ack(events)) within.commit();
    return events.size();
  };
  CHECK(handle() == 2);
  CHECK(handle() == 0);
  CHECK_FALSE(same.ack(first));
  CHECK(s.db.execute("select count(*) from processed").value<std::int64_t>() == 2);
}

TEST_CASE("a transaction receives what had an offset before it, and says so when it is not given") {
  with_activity s;
  auto other = s.another();
  quern::transaction older{other};
  // Whatever it may still publish has its place before the event, which cannot be shown to its own sealer then.
  older.execute("select pg_current_xact_id()");
  s.producer.publish(done(1));
  {
    quern::transaction within{s.db};
    CHECK(s.audit.receive(within).empty());
    CHECK(s.reader.read(0).empty());
    CHECK(test::failure_of<std::logic_error>([&] { s.audit.receive(); }).what() ==
          std::string{"quern::stream_consumer: give the transaction to receive() inside of one"});
  }
  CHECK(s.audit.receive().size() == 1);
}

TEST_CASE("who receives while another one seals waits for what that one has sealed") {
  with_activity s;
  s.producer.publish(done(1));
  auto other = s.another();
  quern::transaction sealing{other};
  sealing.execute("select shop.activity_seal()");
  auto received = std::async(std::launch::async, [&] { return s.audit.receive(); });
  // Until it has been refused the lock once, which leaves no other trace.
  test::wait_until(s.place.url(), "select query like '%activity_seal%' from pg_stat_activity where pid = " +
                                      std::to_string(s.db.backend_pid()));
  sealing.commit();
  CHECK(customers(received.get()) == std::vector<std::int64_t>{1});
}

TEST_CASE("who receives while somebody seals for long gets what there is") {
  with_activity s;
  s.producer.publish(done(1));
  auto other = s.another();
  quern::transaction sealing{other};
  sealing.execute("select shop.activity_seal()");
  CHECK(s.audit.receive().empty());
}

TEST_CASE("a stream without a schema takes any JSON") {
  test::shop_session s;
  shop::raw_producer producer{s.db};
  producer.publish(quern::json{"{\"event\": \"signup\"}"});
  shop::raw_consumer consumer{s.db, "audit"};
  CHECK(consumer.receive().at(0).payload.text == "{\"event\": \"signup\"}");
}

TEST_CASE("a consumer of an unknown name is told so when it receives") {
  with_activity s;
  shop::activity_consumer nobody{s.db, "nobody"};
  const auto refused = test::failure_of<quern::database_error>([&] { nobody.receive(); });
  CHECK(refused.sqlstate() == quern::sqlstate::unknown_consumer);
}

TEST_CASE("a program whose contract the database does not have cannot begin") {
  test::shop_session s;
  s.db.run_script("update shop.quern_contract set fingerprint = 'other' where queue = 'activity'");
  const auto error = test::failure_of<quern::contract_mismatch>([&] { shop::activity_producer{s.db}; });
  CHECK(error.message() == "contract v1 of \"activity\" is not the same in this program and in the database");
  CHECK_THROWS_AS(shop::activity_reader{s.db}, quern::contract_mismatch);
  CHECK_THROWS_AS((shop::activity_consumer{s.db, "audit"}), quern::contract_mismatch);
}
