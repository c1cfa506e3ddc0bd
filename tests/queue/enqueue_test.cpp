#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

namespace {

constexpr std::string_view all_types = R"(
[enums.colour]
values = ["red", "green"]

[queues.mail]
[queues.mail.payload]
flag     = "bool?"
small    = "int16?"
middle   = "int32?"
big      = "int64?"
single   = "float32?"
twofold  = "float64?"
price    = "numeric(10,2)?"
exact    = "numeric?"
name     = "text?"
raw      = "bytes?"
thing    = "uuid?"
day      = "date?"
moment   = "timestamp?"
span     = "interval?"
more     = "jsonb?"
colour   = "colour?"
flags    = "bool[]?"
numbers  = "int64[]?"
names    = "text[]?"
holes    = "text?[]?"
raws     = "bytes[]?"
things   = "uuid[]?"
days     = "date[]?"
moments  = "timestamp[]?"
spans    = "interval[]?"
mores    = "jsonb[]?"
colours  = "colour[]?"
prices   = "numeric(10,2)[]?"
)";

constexpr std::string_view constrained = R"(
[queues.mail]
[queues.mail.payload]
amount = { type = "int32", min = 1, max = 10 }
share  = { type = "float64", min = 0.0, max = 1.0, default = 0.5 }
name   = { type = "text", max_length = 3, pattern = "^[a-z]*$", default = "abc" }
raw    = { type = "bytes?", max_length = 2 }
parts  = { type = "int32[]", max_length = 2, default = [] }
)";

/// Each type with a value as SQL and as JSON.
struct sample {
  const char* field;
  const char* sql;
  const char* json;
};

const std::vector<sample> samples{
    {"flag", "true", "true"},
    {"small", "'-32768'::int2", "-32768"},
    {"middle", "2147483647", "2147483647"},
    {"big", "'-9223372036854775808'::int8", "-9223372036854775808"},
    {"single", "1.5::real", "1.5"},
    {"twofold", "'-Infinity'::float8", "\"-Infinity\""},
    {"price", "12345678.90", "12345678.90"},
    {"exact", "'NaN'::numeric", "\"NaN\""},
    {"name", "E'it''s \\\\ \"quoted\"\\n\\u00e9'", "\"it's \\\\ \\\"quoted\\\"\\n\\u00e9\""},
    {"raw", "'\\x00ff5c'::bytea", "\"\\\\x00ff5c\""},
    {"thing", "'c0ffee00-0000-4000-8000-000000000000'::uuid", "\"c0ffee00-0000-4000-8000-000000000000\""},
    {"day", "'0044-03-15 BC'::date", "\"0044-03-15 BC\""},
    {"moment", "'2020-02-29 12:34:56.789012+05:30'::timestamptz", "\"2020-02-29T12:34:56.789012+05:30\""},
    {"span", "'-1 mons +2 days -00:00:00.000001'::interval", "\"-1 mons +2 days -00:00:00.000001\""},
    {"more", "'{\"a\": [1, null]}'::jsonb", "{\"a\": [1, null]}"},
    {"colour", "'green'", "\"green\""},
    {"flags", "'{t,f}'::bool[]", "[true, false]"},
    {"numbers", "'{}'::int8[]", "[]"},
    {"names", "array['a,b', '', 'null', '\"', '{']", "[\"a,b\", \"\", \"null\", \"\\\"\", \"{\"]"},
    {"holes", "array['a', null]", "[\"a\", null]"},
    {"raws", "array['\\x00'::bytea]", "[\"\\\\x00\"]"},
    {"things", "array['c0ffee00-0000-4000-8000-000000000000'::uuid]", "[\"c0ffee00-0000-4000-8000-000000000000\"]"},
    {"days", "array['infinity'::date]", "[\"infinity\"]"},
    {"moments", "array['2020-01-01 00:00:00+00'::timestamptz]", "[\"2020-01-01T00:00:00+00:00\"]"},
    {"spans", "array['1 day'::interval, '24:00:00']", "[\"1 day\", \"24:00:00\"]"},
    {"mores", "array['1', 'null', '\"x\"', '[]']::jsonb[]", "[1, null, \"x\", []]"},
    {"colours", "'{red,green}'", "[\"red\", \"green\"]"},
    {"prices", "array[0.10, 2]::numeric[]", "[0.10, 2.00]"},
};

}  // namespace

TEST_CASE("messages are handed out in the order in which they were enqueued, with what was given") {
  test::workshop here;
  const auto first = here.db.send("a");
  const auto second = here.db.send("b");
  CHECK(first < second);
  CHECK(here.db.receive(5) == std::vector<test::held>{{first, 1, "a"}, {second, 1, "b"}});
}

TEST_CASE("a message is enqueued by the transaction that calls, and with it undone") {
  test::workshop here;
  here.db.begin();
  here.db.send("a");
  here.db.rollback();
  CHECK(here.db.receive().empty());
  here.db.send("b");
  CHECK(test::bodies(here.db.receive(2)) == "b");
}

TEST_CASE("a delayed message is handed out when its delay has passed and not before") {
  test::workshop here;
  here.db.send("a", "1 minute");
  CHECK(here.counts() == "0|1|0|0");
  CHECK(here.db.receive().empty());
  here.advance(std::chrono::seconds{59});
  CHECK(here.db.receive().empty());
  here.advance(std::chrono::seconds{2});
  CHECK(here.counts() == "1|0|0|0");
  CHECK(test::bodies(here.db.receive()) == "a");
}

TEST_CASE("delayed messages come by their due time, before others") {
  test::workshop here;
  here.db.send("second", "2 minutes");
  here.db.send("first", "1 minute");
  here.db.send("third");
  here.advance(std::chrono::minutes{3});
  CHECK(test::bodies(here.db.receive()) == "first");
  CHECK(test::bodies(here.db.receive()) == "second");
  CHECK(test::bodies(here.db.receive()) == "third");
}

TEST_CASE("no delay is the same as none, and a negative one is refused") {
  test::workshop here;
  here.db.ask("select mail_enqueue_v1('a', null), mail_enqueue_v1('a', '0'), mail_enqueue_v1('a')");
  CHECK(here.counts() == "3|0|0|0");
  const std::string refused = "QN005: a delay cannot be negative";
  CHECK(here.db.refusal("select mail_enqueue_v1('a', '-1 s')") == refused);
  CHECK(here.db.refusal("select mail_enqueue_many_v1(array['a'], '-1 s')") == refused);
  CHECK(here.db.refusal("select mail_enqueue_json_v1('{\"body\": \"a\"}', '-1 s')") == refused);
  CHECK(here.db.refusal("select queue_enqueue('mail', '{\"body\": \"a\"}', '-1 s')") == refused);
}

TEST_CASE("the earliest due time of the delayed messages is known") {
  test::workshop here;
  CHECK(here.db.ask("select mail_next_due_v1()") == "null");
  here.db.send("a", "2 hours");
  here.db.send("b", "1 hour");
  CHECK(here.db.ask("select mail_next_due_v1() - now() between '59 minutes' and '1 hour'") == "t");
}

TEST_CASE("many messages are enqueued at once and their ids come in the order of the arrays") {
  test::workshop here;
  here.db.ask(R"(
    create temp table enqueued as
    select mail_enqueue_many_v1(array(select n::text from generate_series(1, 3000) as n)) as ids
  )");
  CHECK(here.db.ask(R"(
    select count(*) filter (where m.body = i.place::text)
    from enqueued as e, unnest(e.ids) with ordinality as i(id, place)
    join mail_message as m on m.message_id = i.id
  )") == "3000");
  CHECK(here.counts() == "3000|0|0|0");
}

TEST_CASE("many messages are delayed together") {
  test::workshop here;
  CHECK(here.db.ask("select cardinality(mail_enqueue_many_v1(array['a', 'b'], '1 h'))") == "2");
  CHECK(here.counts() == "0|2|0|0");
}

TEST_CASE("no messages are enqueued from empty arrays or none") {
  test::workshop here;
  CHECK(here.db.ask("select mail_enqueue_many_v1('{}'), mail_enqueue_many_v1(null)") == "{}|{}");
  CHECK(here.counts() == "0|0|0|0");
}

TEST_CASE("arrays of different lengths are refused, and those that may be left out take their default for each") {
  test::workshop here{constrained};
  const std::string differ = "QN005: the arrays of mail_enqueue_many_v1 differ in length";
  CHECK(here.db.refusal("select mail_enqueue_many_v1(array[1, 2], p_name => array['a'])") == differ);
  CHECK(here.db.refusal("select mail_enqueue_many_v1(array[1], p_name => array['a', 'b'])") == differ);
  CHECK(here.db.refusal("select mail_enqueue_many_v1('{}', p_name => array['a'])") == differ);
  here.db.ask("select mail_enqueue_many_v1(array[1, 2], p_name => array['x', null], p_parts => array['{7,8}', null])");
  CHECK(here.db.ask("select amount, share, name, raw, parts from mail_message order by 1") ==
        "1|0.5|x|null|{7,8} 2|0.5|abc|null|{}");
}

TEST_CASE("a required field that is null is refused by its name") {
  test::workshop here;
  for (const auto* call :
       {"mail_enqueue_v1(null)", "mail_enqueue_v1(null, '1 h')", "mail_enqueue_many_v1(array['a', null])"})
    CHECK_THAT(here.db.refusal(fmt::format("select {}", call)),
               test::starts_with("23502: null value in column \"body\" of relation"));
}

TEST_CASE("constraints are refused by name, whichever way the message comes, at once or delayed") {
  test::workshop here{constrained};

  struct breach {
    const char* arguments;
    const char* json;
    const char* name;
  };

  for (const auto& [arguments, json, name] :
       std::vector<breach>{{"0", R"({"amount": 0})", "mail_amount_min"},
                           {"11", R"({"amount": 11})", "mail_amount_max"},
                           {"1, p_share => -0.1", R"({"amount": 1, "share": -0.1})", "mail_share_min"},
                           {"1, p_share => 'NaN'", R"({"amount": 1, "share": "NaN"})", "mail_share_max"},
                           {"1, p_name => 'abcd'", R"({"amount": 1, "name": "abcd"})", "mail_name_max_length"},
                           {"1, p_name => 'A'", R"({"amount": 1, "name": "A"})", "mail_name_pattern"},
                           {"1, p_raw => '\\x010203'", R"({"amount": 1, "raw": "\\x010203"})", "mail_raw_max_length"},
                           {"1, p_parts => '{1,2,3}'", R"({"amount": 1, "parts": [1, 2, 3]})", "mail_parts_max_length"},
                           {"1, p_parts => '{1,null}'", R"({"amount": 1, "parts": [1, null]})", "mail_parts_no_nulls"},
                           {"1, p_parts => '{{1},{2}}'", R"({"amount": 1, "parts": [1, 2, 3]})", "mail_parts_"},
                           {"1, p_parts => '[0:1]={1,2}'", R"({"amount": 0})", "mail_"}}) {
    INFO(name);
    const auto is_named = test::contains(fmt::format("violates check constraint \"{}", name));
    CHECK_THAT(here.db.refusal(fmt::format("select mail_enqueue_v1({})", arguments)), is_named);
    CHECK_THAT(here.db.refusal(fmt::format("select mail_enqueue_v1({}, p_delay => '1 h')", arguments)), is_named);
    CHECK_THAT(here.db.refusal(fmt::format("select queue_enqueue('mail', '{}')", json)), is_named);
  }
  CHECK(here.counts() == "0|0|0|0");
  CHECK(here.db.refusal("select mail_enqueue_v1(10, 1, 'xyz', '\\x0102', '{1,2}')").empty());
}

TEST_CASE("a bulk load fills the table as enqueueing would, of the present contract only") {
  test::workshop here;
  here.db.ask("insert into mail_message (contract_version, body) values (1, 'a'), (1, 'b')");
  CHECK(test::bodies(here.db.receive(2)) == "a b");
  CHECK_THAT(here.db.refusal("insert into mail_message (contract_version, body) values (2, 'a')"),
             test::contains("violates check constraint \"mail_contract_version_known\""));
}

TEST_CASE("a value of every type comes back as it was given, through the typed functions and as JSON") {
  for (const auto* zone : {"UTC", "America/St_Johns"}) {
    test::workshop here{all_types};
    here.db.ask(fmt::format("set timezone = '{}'", zone));
    for (const auto& [field, sql, json] : samples) {
      INFO(field);
      here.db.ask(fmt::format("select mail_enqueue_v1(p_{} => {})", field, sql));
      here.db.ask(fmt::format("select queue_enqueue('mail', E'{{\"{}\": {}}}')", field, [&] {
        std::string escaped;
        for (const char* c = json; *c != '\0'; ++c)
          escaped += *c == '\\' ? "\\\\" : *c == '\'' ? "''" : std::string{*c};
        return escaped;
      }()));
      CHECK(here.db.ask(fmt::format("select count(*), bool_and({0} is not distinct from {1}) from mail_message", field,
                                    sql)) == "2|t");
      // What comes out of the untyped door goes in again.
      here.db.ask("select queue_enqueue('mail', c.payload) from mail_claim_json_v1(2) as c");
      CHECK(here.db.ask(fmt::format("select count(*), bool_and({0} is not distinct from {1}) from mail_message", field,
                                    sql)) == "4|t");
      CHECK(here.db.ask(
                fmt::format("select bool_and({0} is not distinct from {1}) from mail_take_v1(2)", field, sql)) == "t");
      here.db.ask("delete from mail_message");
    }
  }
}

TEST_CASE("an optional field that is left out is null, in JSON left out or null") {
  test::workshop here{all_types};
  here.db.ask("select mail_enqueue_v1(), queue_enqueue('mail', '{}')");
  for (const auto& each : samples)
    here.db.ask(fmt::format("select queue_enqueue('mail', '{{\"{}\": null}}')", each.field));
  std::string all;
  for (const auto& each : samples) all += fmt::format("{}{}", all.empty() ? "" : ", ", each.field);
  CHECK(here.db.ask(fmt::format("select bool_and(num_nonnulls({}) = 0), count(*) from mail_message", all)) ==
        fmt::format("t|{}", samples.size() + 2));
}

TEST_CASE("a JSON payload that does not fit is refused with everything that is wrong with it") {
  test::workshop here{constrained};
  CHECK(
      here.db.refusal(R"(select queue_enqueue('mail', '{"amount": "1", "nmae": "a", "parts": {}, "raw": 5}'))") ==
      "QN003: the payload does not fit the contract of queue \"mail\" (Field \"amount\" must be of type number, not "
      "string. There is no field \"nmae\". Field \"parts\" must be of type array, not object. Field \"raw\" must be of "
      "type string, not number.)");
  CHECK(here.db.refusal("select queue_enqueue('mail', '{}')") ==
        "QN003: the payload does not fit the contract of queue \"mail\" (Field \"amount\" is missing.)");
  CHECK(here.db.refusal(R"(select queue_enqueue('mail', '{"amount": null}'))") ==
        "QN003: the payload does not fit the contract of queue \"mail\" (Field \"amount\" must be of type number, not "
        "null.)");
  const std::string no_object = "QN003: the payload for queue \"mail\" must be a JSON object";
  for (const auto* payload : {"'[]'", "'1'", "'null'", "null", "'\"amount\"'"})
    CHECK(here.db.refusal(fmt::format("select queue_enqueue('mail', {})", payload)) == no_object);
  CHECK(here.db.refusal("select queue_enqueue('mail', '{\"amount\": 1.5}')") ==
        "22P02: invalid input syntax for type integer: \"1.5\"");
  CHECK(here.counts() == "0|0|0|0");
}

TEST_CASE("a default of the declaration is taken for a field that is left out, whichever way the message comes") {
  test::workshop here{constrained};
  here.db.ask("select mail_enqueue_v1(1), mail_enqueue_v1(1, p_delay => '1 h'), mail_enqueue_many_v1('{1}')");
  here.db.ask(R"(select queue_enqueue('mail', '{"amount": 1}'), queue_enqueue('mail', '{"amount": 1, "name": null}'))");
  here.db.ask("insert into mail_message (contract_version, amount) values (1, 1)");
  CHECK(here.db.ask("select distinct amount, share, name, raw, parts from "
                    "(select amount, share, name, raw, parts from mail_message union all "
                    "select amount, share, name, raw, parts from mail_delayed) as t") == "1|0.5|abc|null|{}");
  CHECK(here.counts() == "5|1|0|0");
}

TEST_CASE("a queue without a schema takes any JSON but none") {
  test::workshop here{"[queues.mail]\npayload = \"jsonb\"\n"};
  for (const auto* payload : {"{}", "[1]", "null", "\"text\"", "1"})
    here.db.ask(fmt::format("select queue_enqueue('mail', '{}')", payload));
  CHECK(here.db.ask("select payload from mail_claim_v1(9)") == "{} [1] null \"text\" 1");
  CHECK_THAT(here.db.refusal("select queue_enqueue('mail', null)"), test::starts_with("23502: "));
}
