#include <fstream>
#include <limits>
#include <ranges>

#include "quern/shop.hpp"
#include "support/catch.hpp"

namespace {

using namespace std::chrono_literals;

std::vector<shop::email> mails(std::int64_t count) {
  std::vector<shop::email> made;
  for (std::int64_t i = 1; i <= count; ++i) made.push_back(test::mail(i));
  return made;
}

template <class Field, class Value>
void fill(Field& plain, std::optional<Field>& maybe, std::vector<Field>& list,
          std::vector<std::optional<Field>>& sparse, const Value& value) {
  plain = Field(value);
  maybe = Field(value);
  list = {Field(value), Field(), Field(value)};
  sparse = {std::nullopt, Field(value), std::nullopt};
}

shop::kinds full() {
  using limits64 = std::numeric_limits<std::int64_t>;
  shop::kinds k;
  fill(k.flag, k.flag_maybe, k.flag_list, k.flag_sparse, true);
  fill(k.small, k.small_maybe, k.small_list, k.small_sparse, std::int16_t{-32768});
  fill(k.whole, k.whole_maybe, k.whole_list, k.whole_sparse, std::int32_t{2147483647});
  fill(k.large, k.large_maybe, k.large_list, k.large_sparse, limits64::min());
  fill(k.single, k.single_maybe, k.single_list, k.single_sparse, -std::numeric_limits<float>::infinity());
  fill(k.real, k.real_maybe, k.real_list, k.real_sparse, 0.1);
  fill(k.exact, k.exact_maybe, k.exact_list, k.exact_sparse, quern::numeric{"-12345678901234567890.000001"});
  fill(k.price, k.price_maybe, k.price_list, k.price_sparse, quern::numeric{"9999999999.99"});
  fill(k.words, k.words_maybe, k.words_list, k.words_sparse, "ä \"{}\\, 🦆");
  fill(k.octets, k.octets_maybe, k.octets_list, k.octets_sparse, std::vector{std::byte{0}, std::byte{255}});
  fill(k.id, k.id_maybe, k.id_list, k.id_sparse, quern::uuid{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"});
  fill(k.day, k.day_maybe, k.day_list, k.day_sparse, quern::date::max());
  fill(k.moment, k.moment_maybe, k.moment_list, k.moment_sparse, quern::timestamp::min());
  fill(k.span, k.span_maybe, k.span_list, k.span_sparse, quern::interval{14, -3, 5us});
  fill(k.tree, k.tree_maybe, k.tree_list, k.tree_sparse, quern::json{"{\"a\": [1, null]}"});
  fill(k.way, k.way_maybe, k.way_list, k.way_sparse, shop::channel::push);
  return k;
}

long resident_memory() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") break;
  }
  long kib = 0;
  status >> kib;
  return kib;
}

}  // namespace

TEST_CASE("a message comes out as it went in") {
  test::shop_session s;
  shop::email_producer producer{s.db};
  shop::email_consumer consumer{s.db};
  const std::int64_t id = producer.enqueue(test::mail(42));
  const auto claimed = consumer.claim(10);
  REQUIRE(claimed.size() == 1);
  CHECK(claimed[0].message_id == id);
  CHECK(claimed[0].attempt == 1);
  CHECK(claimed[0].payload == test::mail(42));
  CHECK(claimed[0].lease_until - claimed[0].enqueued_at >= 30s);
  CHECK(claimed[0].lease_until - claimed[0].enqueued_at < 60s);
}

TEST_CASE("defaults of the declaration are those of the struct") {
  test::shop_session s;
  shop::email_producer producer{s.db};
  producer.enqueue({.order_id = 42, .customer_id = 7, .recipient = "a@example.org", .subject = "Hello"});
  const auto claimed = shop::email_consumer{s.db}.claim();
  REQUIRE(claimed.size() == 1);
  CHECK(claimed[0].payload.channel == shop::channel::email);
  CHECK(claimed[0].payload.note == std::nullopt);
  CHECK(claimed[0].payload.attachments.empty());
}

TEST_CASE("every type in every form comes out of enqueue, of a batch and of COPY as it went in") {
  test::shop_session s;
  quern::connection fresh = s.another();  // on which no enum was resolved
  shop::kinds_producer producer{fresh};
  const std::vector<shop::kinds> values{full(), shop::kinds{}};
  for (const auto& each : values) producer.enqueue(each);
  producer.enqueue(values);
  CHECK(producer.enqueue_all(values) == 2);
  const auto claimed = shop::kinds_consumer{s.db}.claim(10);
  REQUIRE(claimed.size() == 6);
  for (const auto& each : claimed) CHECK((each.payload == values[0] || each.payload == values[1]));
  CHECK(std::ranges::count(claimed, values[0], &shop::kinds_message::payload) == 3);
}

TEST_CASE("a queue without a schema carries any JSON") {
  test::shop_session s;
  shop::webhooks_producer producer{s.db};
  producer.enqueue({R"({"type": "daily"})"});
  producer.enqueue(std::vector<shop::webhooks>{{"1"}, {"null"}});
  producer.enqueue_all(std::vector<shop::webhooks>{{"[\"x\"]"}});
  std::vector<std::string> texts;
  for (const auto& each : shop::webhooks_consumer{s.db}.claim(10)) texts.push_back(each.payload.text);
  std::ranges::sort(texts);
  CHECK(texts == std::vector<std::string>{"1", "[\"x\"]", "null", R"({"type": "daily"})"});
}

TEST_CASE("a batch returns its ids in its order, in one transaction") {
  test::shop_session s;
  shop::email_producer producer{s.db};
  const auto batch = mails(500);
  const auto ids = producer.enqueue(batch);
  REQUIRE(ids.size() == 500);
  CHECK(std::ranges::is_sorted(ids));
  CHECK(s.db.execute("select count(distinct xmin::text) from shop.email_message").value<int>() == 1);
  CHECK(s.db.execute("select order_id from shop.email_message where message_id = $1", ids[123]).value<int>() == 124);
  CHECK(producer.enqueue(std::vector<shop::email>{}).empty());
}

TEST_CASE("a batch with a payload that the database refuses leaves nothing") {
  test::shop_session s;
  shop::email_producer producer{s.db};
  auto batch = mails(100);
  batch[50].recipient = std::string(321, 'x');
  const auto error = test::failure_of<quern::database_error>([&] { producer.enqueue(batch); });
  CHECK(error.sqlstate() == "23514");
  CHECK(error.constraint() == "email_recipient_max_length");
  CHECK(s.count("email_message") == 0);
  CHECK(producer.enqueue(mails(2)).size() == 2);
}

TEST_CASE("a payload that PostgreSQL cannot hold is refused before anything is sent") {
  test::shop_session s;
  shop::email_producer producer{s.db};
  auto batch = mails(100);
  batch[50].subject = std::string(1, '\xff');
  quern::transaction tx{s.db};
  CHECK_THROWS_AS(producer.enqueue(batch[50]), quern::codec_error);
  CHECK_THROWS_AS(producer.enqueue(batch), quern::codec_error);
  CHECK(s.db.status() == quern::transaction_status::open);
  tx.commit();
  CHECK(s.count("email_message") == 0);
}

TEST_CASE("a range of any length is enqueued by COPY in bounded memory") {
  test::shop_session s;
  shop::email_producer producer{s.db};
  producer.enqueue_all(mails(1'000));
  long most = 0;
  const long before = resident_memory();
  const auto range = std::views::iota(0, 100'000) | std::views::transform([&](int i) {
                       if (i % 10'000 == 0) most = std::max(most, resident_memory());
                       shop::email each = test::mail(i);
                       each.subject = std::string(1'000, 'x');
                       return each;
                     });
  CHECK(producer.enqueue_all(range) == 100'000);
  CHECK(most - before < 16 * 1024);  // of 110 MB
  CHECK(s.count("email_message") == 101'000);
  CHECK(producer.enqueue_all(std::vector<shop::email>{}) == 0);
}

TEST_CASE("a bulk that fails in the middle leaves nothing and a usable connection") {
  test::shop_session s;
  shop::email_producer producer{s.db};
  auto refused = mails(20'000);
  refused[10'000].recipient = std::string(321, 'x');
  CHECK(test::failure_of<quern::database_error>([&] { producer.enqueue_all(refused); }).constraint() ==
        "email_recipient_max_length");
  auto no_text = mails(20'000);
  no_text[19'999].subject = std::string(1, '\0');
  CHECK_THROWS_AS(producer.enqueue_all(no_text), quern::codec_error);
  const auto throws = std::views::iota(0, 20'000) | std::views::transform([](int i) {
                        if (i == 19'999) throw std::runtime_error{"the source is gone"};
                        return test::mail(i);
                      });
  CHECK_THROWS_WITH(producer.enqueue_all(throws), "the source is gone");
  CHECK(s.count("email_message") == 0);
  CHECK(s.db.status() == quern::transaction_status::idle);
  CHECK(producer.enqueue_all(mails(3)) == 3);
}

TEST_CASE("producers work inside of the caller's transaction") {
  test::shop_session s;
  shop::email_producer producer{s.db};
  const auto enqueue = [&] {
    producer.enqueue(test::mail(1));
    producer.enqueue(mails(10));
    producer.enqueue_all(mails(100));
  };
  {
    quern::transaction tx{s.db};
    enqueue();
  }
  CHECK(s.count("email_message") == 0);
  quern::transaction tx{s.db};
  enqueue();
  tx.commit();
  CHECK(s.count("email_message") == 111);
}

TEST_CASE("a message that waits can be taken back") {
  test::shop_session s;
  shop::email_producer producer{s.db};
  shop::email_consumer consumer{s.db};
  const auto soon = producer.enqueue(test::mail(1));
  const auto later = producer.enqueue(test::mail(2), {.delay = 1h});
  CHECK(consumer.claim(1).size() == 1);
  CHECK_FALSE(producer.cancel(soon));
  CHECK(producer.cancel(later));
  CHECK_FALSE(producer.cancel(later));
  CHECK(s.count("email_delayed") == 0);
}

TEST_CASE("a delayed message is not handed out before its time") {
  test::shop_session s;
  shop::email_producer producer{s.db};
  shop::email_consumer consumer{s.db};
  producer.enqueue(test::mail(1), {.delay = 1h});
  producer.enqueue(mails(2), {.delay = 20ms});
  CHECK(s.count("email_delayed") == 3);
  const auto until = std::chrono::steady_clock::now() + 20s;
  std::size_t claimed = 0;
  while (claimed < 2 && std::chrono::steady_clock::now() < until) claimed += consumer.claim(10).size();
  CHECK(claimed == 2);
  CHECK(consumer.claim(10).empty());
}

TEST_CASE("a program of another contract is refused when it starts") {
  test::shop_session s;
  s.db.run_script("update shop.quern_contract set fingerprint = 'another' where queue = 'email'");
  const auto error = test::failure_of<quern::contract_mismatch>([&] { shop::email_producer{s.db}; });
  CHECK(error.sqlstate() == quern::sqlstate::contract_mismatch);
  CHECK_THAT(error.message(), test::contains("email"));
  CHECK_THROWS_AS(shop::email_consumer{s.db}, quern::contract_mismatch);
  CHECK_NOTHROW(shop::webhooks_consumer{s.db});
}

TEST_CASE("a database that was not migrated is said to be that") {
  test::session s;
  const auto error = test::failure_of<quern::contract_mismatch>([&] { shop::email_producer{s.db}; });
  CHECK(error.message() == "the database has no queues or streams of this program's schema, as \"email\" needs");
  CHECK_THAT(error.hint(), test::contains("quern migrate"));
  CHECK(s.db.is_usable());
}
