#include "quern/shop.hpp"
#include "support/catch.hpp"

namespace {

using namespace std::chrono_literals;

const quern::json trace{R"({"traceparent": "00-1"})"};

template <class Options>
concept has_headers = requires(Options options) {
  options.headers;
};

template <class Options>
concept has_priority = requires(Options options) {
  options.priority;
};

struct post : test::shop_session {
  shop::telegrams_producer producer{db};
  shop::telegrams_consumer consumer{db};
};

/// Senders with their headers, `-` where there are none.
template <class Message>
std::string text_of(const std::vector<Message>& messages) {
  std::string text;
  for (const auto& each : messages) text += each.payload.sender + (each.headers ? each.headers->text : "-") + " ";
  return text;
}

}  // namespace

TEST_CASE("a message may have headers, and shows them to who claims or takes it") {
  post s;
  s.producer.enqueue({.sender = "a"}, {.headers = trace});
  s.producer.enqueue({.sender = "b"});
  s.producer.enqueue({.sender = "c"}, {.delay = 0s, .headers = quern::json{"{}"}});
  quern::transaction within{s.db};
  CHECK(text_of(s.consumer.take(within, 3)) == "a" + trace.text + " b- c{} ");
  within.rollback();
  CHECK(text_of(s.consumer.claim(3)) == "a" + trace.text + " b- c{} ");
}

TEST_CASE("headers of a batch, and of one in bulk, are those of all of its messages") {
  post s;
  s.producer.enqueue(std::vector<shop::telegrams>{{.sender = "a"}, {.sender = "b"}}, {.headers = quern::json{"{}"}});
  CHECK(s.producer.enqueue_all(std::vector<shop::telegrams>{{.sender = "c"}, {.sender = "d"}}, {.headers = trace}) ==
        2);
  s.producer.enqueue_all(std::vector<shop::telegrams>{{.sender = "e"}});
  CHECK(text_of(s.consumer.claim(9)) == "a{} b{} c" + trace.text + " d" + trace.text + " e- ");
}

TEST_CASE("headers are still there at the next attempt of a worker") {
  post s;
  s.producer.enqueue({.sender = "a"}, {.headers = trace});
  const auto first = s.consumer.claim();
  REQUIRE(first.size() == 1);
  CHECK(s.consumer.nack(first[0], "failed", 0s) == quern::nack_outcome::retry);
  std::string seen;
  quern::worker worker{s.consumer,
                       [&](const shop::telegrams_message& m) { seen = m.headers->text + std::to_string(m.attempt); },
                       {.until_empty = true}};
  CHECK(worker.run() == quern::stop_reason::empty);
  CHECK(seen == trace.text + "2");
}

TEST_CASE("headers that are no object, or too long, are refused, one by one and in bulk") {
  post s;
  const auto refused = [&](const std::string& text) {
    return test::failure_of<quern::database_error>(
        [&] { s.producer.enqueue({.sender = "a"}, {.headers = quern::json{text}}); });
  };
  const auto too_long = "{\"a\": \"" + std::string(9000, 'x') + "\"}";
  CHECK(refused("[1]").sqlstate() == "QN005");
  CHECK(refused("[1]").message() == "headers must be a JSON object");
  CHECK(refused(too_long).message() == "the headers have 9009 bytes; 8192 are the most");
  CHECK(refused("{").sqlstate() == "22P02");
  for (const auto& wrong : {std::string{"[1]"}, too_long}) {
    const auto bulk = test::failure_of<quern::database_error>([&] {
      s.producer.enqueue_all(std::vector<shop::telegrams>{{.sender = "a"}}, {.headers = quern::json{wrong}});
    });
    CHECK(bulk.sqlstate() == "23514");
    CHECK(bulk.constraint() == "telegrams_headers_fit");
  }
  CHECK(s.count("telegrams_message") == 0);
}

TEST_CASE("headers and priorities stand side by side") {
  test::shop_session s;
  shop::crates_producer producer{s.db};
  shop::crates_consumer consumer{s.db};
  producer.enqueue({.sender = "a"}, {.priority = 2, .headers = trace});
  producer.enqueue_all(std::vector<shop::crates>{{.sender = "b"}}, {.priority = 1, .headers = trace});
  producer.enqueue({.sender = "c"});
  const auto claimed = consumer.claim(3);
  CHECK(text_of(claimed) == "c- b" + trace.text + " a" + trace.text + " ");
  REQUIRE(claimed.size() == 3);
  CHECK(claimed[1].priority == 1);
}

TEST_CASE("a queue without headers has none in its options and messages") {
  static_assert(has_headers<shop::telegrams_producer::options_type> && !has_priority<shop::telegrams_message>);
  static_assert(has_headers<shop::crates_message> && has_priority<shop::crates_message>);
  static_assert(!has_headers<shop::parcels_producer::options_type> && !has_headers<shop::parcels_message>);
  static_assert(!has_headers<shop::email_producer::options_type> && !has_headers<shop::email_message>);
  CHECK(shop::telegrams_v1_contract::has_headers);
}
