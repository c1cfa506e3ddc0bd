#include "stream/journal.hpp"
#include "support/catch.hpp"

// The payload's contract, in the database.

namespace {

constexpr std::string_view activity = R"(
[enums.channel]
values = ["email", "sms"]
[streams.activity]
[streams.activity.payload]
customer_id = { type = "int64", min = 1 }
kind        = { type = "text", max_length = 10 }
channel     = { type = "channel", default = "email" }
tags        = { type = "text[]", default = [] }
detail      = "jsonb?"
[streams.raw]
payload = "jsonb"
)";

}  // namespace

TEST_CASE("an event is what its contract says, or is refused") {
  test::workshop here{activity};
  here.db.ask("select activity_publish_v1(1, 'signup')");
  here.db.ask(
      "select activity_publish_v1(p_customer_id => 2, p_kind => 'login', p_channel => 'sms', p_tags => '{a,b}', "
      "p_detail => '{\"x\": 1}')");
  CHECK(here.db.ask("select customer_id, kind, channel, tags, detail from activity_read_v1(0)") ==
        "1|signup|email|{}|null 2|login|sms|{a,b}|{\"x\": 1}");
  CHECK(here.db.refusal("select activity_publish_v1(0, 'signup')").starts_with("23514:"));
  CHECK(here.db.refusal("select activity_publish_v1(1, 'far too long')").starts_with("23514:"));
  CHECK(here.db.refusal("select activity_publish_v1(null, 'x')").starts_with("23502:"));
  CHECK(here.db.ask("select count(*) from activity_read_v1(0)") == "2");
}

TEST_CASE("many events are published at once, in the order of the arrays") {
  test::workshop here{activity};
  CHECK(
      here.db.ask("select activity_publish_many_v1(array[1, 2, 3], array['a', 'b', 'c'], p_tags => array['{x}', '{}', "
                  "'{y,z}'])") == "3");
  CHECK(here.db.ask("select event_offset, kind, channel, tags from activity_read_v1(0)") ==
        "1|a|email|{x} 2|b|email|{} 3|c|email|{y,z}");
  CHECK(here.db.refusal("select activity_publish_many_v1(array[1, 2], array['a'])") ==
        "QN005: the arrays of activity_publish_many_v1 differ in length");
  CHECK(here.db.ask("select activity_publish_many_v1('{}', '{}')") == "0");
}

TEST_CASE("the untyped doors take and give JSON, checked against the contract") {
  test::workshop here{activity};
  here.db.ask("select stream_publish('activity', '{\"customer_id\": 7, \"kind\": \"signup\"}')");
  CHECK(here.db.ask("select event_offset, payload from stream_consume('activity', 0)") ==
        "1|{\"kind\": \"signup\", \"tags\": [], \"detail\": null, \"channel\": \"email\", \"customer_id\": 7}");
  CHECK(here.db.refusal("select stream_publish('activity', '{\"kind\": 3, \"kid\": 1}')") ==
        "QN003: the payload does not fit the contract of queue \"activity\" (Field \"customer_id\" is missing. There "
        "is no "
        "field \"kid\". Field \"kind\" must be of type string, not number.)");
  CHECK(here.db.refusal("select stream_publish('nothing', '{}')") == "QN002: there is no stream \"nothing\"");
  CHECK(here.db.refusal("select stream_consume('nothing', 0)") == "QN002: there is no stream \"nothing\"");
}

TEST_CASE("a schemaless stream takes what the example of the untyped doors publishes") {
  test::workshop here{activity};
  here.db.ask("SELECT stream_publish('raw', '{\"event\": \"signup\", \"user\": 12}');");
  CHECK(here.db.ask("SELECT event_offset, payload FROM stream_consume('raw', 0);") ==
        "1|{\"user\": 12, \"event\": \"signup\"}");
  CHECK(here.db.ask("SELECT * FROM stream_consume('raw', 1);").empty());
}

TEST_CASE("an argument that makes no sense is refused") {
  test::journal here;
  CHECK(here.db.refusal("select log_read_v1(0, 0)") == "QN005: the number of events to read must be at least 1");
  CHECK(here.db.refusal("select log_read_v1(0, null)") == "QN005: the number of events to read must be at least 1");
  CHECK(here.db.refusal("select log_read_v1(-1)") == "QN005: an offset cannot be negative");
  here.publish("a");
  CHECK(here.db.ask("select event_offset from log_read_v1(null)") == "1");
  CHECK(here.db.ask("select event_offset from log_read_v1(9223372036854775807)").empty());
}
