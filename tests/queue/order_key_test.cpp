// What can be a key, and what has none.

#include <fmt/format.h>

#include <tuple>

#include "queue/ordered.hpp"
#include "support/catch.hpp"

using test::ids;

TEST_CASE("messages without a key have no order, and neither they nor the others wait for each other") {
  test::workshop here{R"(
[queues.mail]
ordered_by = "customer"
[queues.mail.payload]
body     = "text"
customer = "int32?"
)"};
  for (int i = 0; i < 4; ++i) here.db.ask("select mail_enqueue_v1('free')");
  for (int i = 0; i < 4; ++i) here.db.ask("select mail_enqueue_v1('kept', 7)");
  const auto held = here.db.receive(9);
  CHECK(held.size() == 5);
  CHECK(here.db.receive(9).empty());
  CHECK(here.db.ack_many(held) == "{}");
  CHECK(ids(here.db.receive(9)) == "6");
  // One at a time, each of both comes soon.
  for (int i = 0; i < 40; ++i)
    here.db.ask("select mail_enqueue_v1('free'), mail_enqueue_v1('kept', 100 + " + std::to_string(i) + ")");
  int free = 0;
  for (int i = 0; i < 40; ++i) {
    const auto one = here.db.receive(1);
    REQUIRE(one.size() == 1);
    free += one.front().body == "free" ? 1 : 0;
  }
  CHECK(free > 4);
  CHECK(free < 36);
  CHECK(here.db.receive(250).size() == 40);
  CHECK(here.db.take(250).empty());
}

TEST_CASE("a field of any type that has values plainly equal can be the key") {
  for (const auto& [type, same, other] :
       {std::tuple{"bool", "true", "false"},
        {"int16", "1::smallint", "2::smallint"},
        {"int32", "1", "2"},
        {"int64", "1", "2"},
        {"numeric(6,2)", "1", "2.5"},
        {"numeric", "1.0", "1.5"},
        {"text", "'a'", "'A'"},
        {"bytes", "'\\x01'", "'\\x02'"},
        {"uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"},
        {"date", "'infinity'", "'5000000-01-01'"},
        {"timestamp", "'2026-01-01 00:00Z'", "'2026-01-01 00:00:01Z'"},
        {"kind", "'one'", "'two'"}}) {
    INFO(type);
    test::workshop here{fmt::format(R"(
[enums.kind]
values = ["one", "two"]
[queues.mail]
ordered_by = "key"
[queues.mail.payload]
body = {{ type = "text", default = "" }}
key  = "{}"
)",
                                    type)};
    for (const auto* key : {same, same, other}) here.db.ask(fmt::format("select mail_enqueue_v1(p_key => {})", key));
    const auto held = here.db.receive(9);
    CHECK(held.size() == 2);
    CHECK(here.db.ack_many(held) == "{}");
    CHECK(ids(here.db.receive(9)) == "2");
  }
}

TEST_CASE("numbers that are equal are one key, however they are written") {
  test::workshop here{R"(
[queues.mail]
ordered_by = "key"
[queues.mail.payload]
body = { type = "text", default = "" }
key  = "numeric"
)"};
  for (const auto* key : {"1", "1.00", "1.000"}) here.db.ask(fmt::format("select mail_enqueue_v1(p_key => {})", key));
  CHECK(ids(here.db.receive(9)) == "1");
}
