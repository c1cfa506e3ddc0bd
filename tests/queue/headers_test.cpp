// A JSON object, such as the context of a trace, that travels with a message besides its payload.

#include <fmt/format.h>

#include "queue/generated.hpp"
#include "queue/workshop.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;

namespace {

constexpr std::string_view with_headers = R"(
[queues.mail]
lease   = "30s"
retry   = { max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }
grants  = { produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }
headers = true
[queues.mail.payload]
body = "text"
)";

struct headed_workshop : test::workshop {
  headed_workshop() : workshop{with_headers} {}

  std::string claim(std::string_view function = "mail_claim_v1") {
    return db.ask(fmt::format("select headers, body from {}(9) order by message_id", function));
  }
};

}  // namespace

TEST_CASE("headers are given to enqueue, and come out of claim and take") {
  headed_workshop here;
  here.db.ask("select mail_enqueue_v1('a', p_headers => '{\"traceparent\": \"00-1\"}')");
  here.db.ask("select mail_enqueue_v1('b')");
  here.db.ask("select mail_enqueue_many_v1(array['c', 'd'], p_headers => '{\"n\": 1}')");
  here.db.ask("select mail_enqueue_json_v1('{\"body\": \"e\"}', p_headers => '{}')");
  here.db.ask("select mail_enqueue_json('{\"body\": \"f\"}')");
  here.db.ask("insert into mail (payload) values ('{\"body\": \"g\"}')");
  here.db.begin();
  constexpr auto all = R"({"traceparent": "00-1"}|a null|b {"n": 1}|c {"n": 1}|d {}|e null|f null|g)";
  CHECK(here.claim() == all);
  here.db.rollback();
  here.db.begin();
  CHECK(here.claim("mail_take_v1") == all);
  here.db.rollback();
  CHECK(here.db.ask("select headers, payload ->> 'body' from mail_claim_json_v1(9) order by message_id") == all);
}

TEST_CASE("headers stay with a message that is delayed, tried again, released, dead and redriven") {
  headed_workshop here;
  here.db.ask("select mail_enqueue_v1('a', '1 min', '{\"n\": 1}')");
  here.db.ask("select mail_enqueue_many_v1(array['b'], '1 min', '{\"n\": 2}')");
  here.advance(61s);
  constexpr auto both = R"({"n": 1}|a {"n": 2}|b)";
  CHECK(here.claim() == both);
  here.advance(31s);
  CHECK(here.claim() == both);
  CHECK(here.db.ask("select mail_nack(message_id, attempt) from mail_delayed order by message_id") == "retry retry");
  here.advance(11s);
  CHECK(here.claim() == both);
  CHECK(here.db.ask("select mail_release(message_id, attempt) from mail_delayed order by message_id") == "t t");
  CHECK(here.claim() == both);
  CHECK(here.db.ask("select mail_nack(message_id, attempt) from mail_delayed order by message_id") == "dead dead");
  CHECK(here.db.ask("select quern_headers, body from mail_dead order by message_id") == both);
  CHECK(here.db.ask("select mail_redrive_all()") == "2");
  CHECK(here.claim() == both);
}

TEST_CASE("headers of a message whose first attempt failed stay with it") {
  headed_workshop here;
  here.db.ask("select mail_enqueue_v1('a', p_headers => '{\"n\": 1}')");
  CHECK(here.db.fail(here.db.receive_one()) == "retry");
  CHECK(here.claim() == R"({"n": 1}|a)");
}

TEST_CASE("headers that are no object, or too long, are refused, however they come") {
  headed_workshop here;
  const auto longest = fmt::format("'{{\"a\": \"{}\"}}'", std::string(8183, 'x'));
  const auto longer = fmt::format("'{{\"a\": \"{}\"}}'", std::string(8184, 'x'));
  for (const auto* call : {"select mail_enqueue_v1('a', p_headers => {})", "select mail_enqueue_v1('a', '1h', {})",
                           "select mail_enqueue_many_v1(array['a'], p_headers => {})",
                           "select mail_enqueue_json_v1('{{\"body\": \"a\"}}', p_headers => {})"}) {
    INFO(call);
    for (const auto* wrong : {"'[]'", "'7'", "'null'", "'\"a\"'"})
      CHECK(here.db.refusal(fmt::format(fmt::runtime(call), wrong)) == "QN005: headers must be a JSON object");
    CHECK(here.db.refusal(fmt::format(fmt::runtime(call), longer)) ==
          "QN005: the headers have 8193 bytes; 8192 are the most");
    CHECK(here.db.refusal(fmt::format(fmt::runtime(call), longest)).empty());
  }
  CHECK(here.counts() == "3|1|0|0");
  for (const auto& wrong : {std::string{"'[]'"}, longer}) {
    const auto refused = here.db.refusal(
        fmt::format("insert into mail_message (contract_version, body, quern_headers) values (1, 'a', {})", wrong));
    CHECK(refused.starts_with("23514: "));
    CHECK(refused.find("\"mail_headers_fit\"") != std::string::npos);
  }
}

TEST_CASE("a producer may write headers by COPY, and see none") {
  headed_workshop here;
  auto web = here.open("qt_web");
  web.ask("insert into mail_message (contract_version, quern_headers, body) values (1, '{\"n\": 1}', 'a')");
  CHECK(web.refusal("select quern_headers from mail_message").starts_with("42501: permission denied"));
  CHECK(here.open("qt_mailer").ask("select headers from mail_claim_v1()") == R"({"n": 1})");
}

TEST_CASE("headers may be beside a field of a schemaless queue, priorities and whatever else there is") {
  test::workshop here{R"(
[queues.mail]
priorities = 2
headers    = true
unique     = { fields = ["body"], while = "pending" }
expires    = "1h"
[queues.mail.payload]
body = { type = "text", max_length = 9 }
[queues.hooks]
headers = true
payload = "jsonb"
)"};
  here.db.ask("select mail_enqueue_v1('a', null, 1, '{\"n\": 1}'), mail_enqueue_v1('b', null, 0, '{\"n\": 2}')");
  CHECK(here.db.ask("select is_duplicate from mail_enqueue_v1('a', null, 1, '{\"n\": 3}')") == "t");
  here.db.ask("select mail_enqueue_many_v1(array['c', 'd'], null, 1, '{\"n\": 4}')");
  here.db.ask("select mail_enqueue_many_v1(array['e'], '1h', 1, '{\"n\": 5}')");
  CHECK(here.db.ask("select priority, headers, body from mail_claim_v1(9)") ==
        R"(0|{"n": 2}|b 1|{"n": 1}|a 1|{"n": 4}|c 1|{"n": 4}|d)");
  here.db.ask("select hooks_enqueue_v1('[]', null, '{\"n\": 6}')");
  CHECK(here.db.ask("select headers, payload from hooks_claim_v1()") == R"({"n": 6}|[])");
}

TEST_CASE("headers stay with messages of an ordered queue") {
  test::workshop here{R"(
[queues.mail]
headers    = true
ordered_by = "body"
[queues.mail.payload]
body = "text"
)"};
  here.db.ask("select mail_enqueue_v1('a', null, '{\"n\": 1}'), mail_enqueue_v1('a', '1 min', '{\"n\": 2}')");
  const auto claim = [&] { return here.db.ask("select message_id, headers, attempt from mail_claim_v1(9)"); };
  CHECK(claim() == R"(1|{"n": 1}|1)");
  here.advance(2min);
  CHECK(claim() == R"(1|{"n": 1}|2)");
  CHECK(here.db.ask("select mail_ack(1, 2)") == "t");
  CHECK(claim() == R"(2|{"n": 2}|1)");
}

TEST_CASE("programs of a contract without headers and of one with them work side by side") {
  const auto declared = [](std::string_view options) {
    return fmt::format("[queues.mail]\n{}[queues.mail.payload]\nbody = \"text\"\n", options);
  };
  for (const auto* storage : {"rows", "log"}) {
    INFO(storage);
    const auto option = fmt::format("storage = \"{}\"\n", storage);
    test::workshop here{declared(option)};
    const auto releases = test::releases_of({declared(option), declared(option + "headers = true\n")}, here.schema());
    for (const auto& step : releases[1]) here.db.ask(step);
    here.db.ask("select mail_enqueue_v1('a')");
    here.db.ask("select mail_enqueue_v2('b', p_headers => '{\"n\": 1}')");
    here.db.begin();
    CHECK(here.db.ask("select body from mail_claim_v1(9)") == "a b");
    here.db.rollback();
    CHECK(here.db.ask("select headers, body from mail_claim_v2(9)") == R"(null|a {"n": 1}|b)");
    // What the older one fails with keeps what it does not know.
    CHECK(here.db.ask("select mail_nack(message_id, 1, p_delay => '0') from mail_message order by message_id") ==
          "retry retry");
    CHECK(here.db.ask("select body from mail_claim_v1(9)") == "a b");
    CHECK(here.db.ask("select mail_release(message_id, 2) from mail_delayed order by message_id") == "t t");
    CHECK(here.db.ask("select headers, body from mail_claim_v2(9)") == R"(null|a {"n": 1}|b)");
  }
}
