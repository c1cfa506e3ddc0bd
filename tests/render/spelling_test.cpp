#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "declaration/literals.hpp"
#include "render/checks.hpp"
#include "render/cpp.hpp"
#include "render/names.hpp"
#include "render/sql.hpp"
#include "support/catch.hpp"

namespace {

using declaration::base_type;

// In two parts: a compiler may read three of these characters as one.
const std::string nasty =
    "it's $$ \\ -- */ {{x}} ?"
    "?/";

declaration::field field_of(base_type base) {
  declaration::field field;
  field.name = std::string{"f"};
  field.type.base = base;
  return field;
}

declaration::field with_default(base_type base, declaration::value value) {
  auto field = field_of(base);
  field.default_value = std::move(value);
  return field;
}

std::string cpp_default(base_type base, declaration::value value) {
  return render::cpp::initializer(with_default(base, std::move(value)), "shop");
}

std::vector<std::string> expressions(const declaration::field& field) {
  std::vector<std::string> result;
  for (const auto& check : render::checks_of("email", field)) result.push_back(check.name + ": " + check.expression);
  return result;
}

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an identifier has quotes only where PostgreSQL wants them") {
  CHECK(render::sql::identifier("order_id") == "order_id");
  CHECK(render::sql::identifier("order") == "\"order\"");
  CHECK(render::sql::identifier("values") == "\"values\"");
  CHECK(render::sql::identifier("loop") == "\"loop\"");
  CHECK(render::sql::identifier("json_table") == "\"json_table\"");
  CHECK(render::sql::identifier("Web-App") == "\"Web-App\"");
  CHECK(render::sql::identifier("a\"b") == "\"a\"\"b\"");
  CHECK(render::sql::identifier("1st") == "\"1st\"");
  CHECK(render::sql::identifiers({"web", "user"}) == "web, \"user\"");
}

TEST_CASE("a literal stands on one line and ends nothing around it") {
  CHECK(render::sql::literal("plain -- text") == "'plain -- text'");
  CHECK(render::sql::literal("it's") == "'it''s'");
  CHECK(render::sql::literal(nasty) ==
        "E'it''s \\x24\\x24 \\\\ -- */ {{x}} ?"
        "?/'");
  CHECK(render::sql::literal("a\n-- step: evil\r\tb\x1b") == "E'a\\n-- step: evil\\r\\tb\\x1b'");
  CHECK(render::sql::literal("^[a-z]+$") == "'^[a-z]+$'");
  CHECK(render::sql::literal("Grüße") == "'Grüße'");
  CHECK(render::sql::literal("\\") == "E'\\\\'");
}

TEST_CASE("an interval is spelled in the largest unit that has a fixed length") {
  CHECK(render::sql::interval(30'000'000) == "interval '30 seconds'");
  CHECK(render::sql::interval(3'600'000'000) == "interval '1 hour'");
  CHECK(render::sql::interval(7 * 24 * 3'600'000'000LL) == "interval '168 hours'");
  CHECK(render::sql::interval(1'500'000) == "interval '1500 milliseconds'");
  CHECK(render::sql::interval(1) == "interval '1 microsecond'");
  CHECK(render::sql::interval(0) == "interval '0 seconds'");
}

TEST_CASE("a retry's delay cannot overflow, however often it is tried") {
  declaration::retry_policy retry;
  CHECK(render::sql::retry_delay(retry) ==
        "least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random())");
  retry.backoff = declaration::backoff_kind::linear;
  CHECK(render::sql::retry_delay(retry) ==
        "least(interval '1 hour', interval '1 second' * least(p_attempt, 3600)) * (1 - 0.2 * random())");
  retry.backoff = declaration::backoff_kind::constant;
  CHECK(render::sql::retry_delay(retry) == "interval '1 second' * (1 - 0.2 * random())");
  retry.jitter = 0;
  CHECK(render::sql::retry_delay(retry) == "interval '1 second'");
  retry.backoff = declaration::backoff_kind::exponential;
  retry.initial = 1;
  retry.max = std::int64_t{3650} * 24 * 3600 * 1'000'000;
  CHECK_THAT(render::sql::retry_delay(retry), test::contains("least(p_attempt - 1, 49)"));
  retry.initial = retry.max;
  CHECK(render::sql::retry_delay(retry) == "interval '87600 hours'");
}

TEST_CASE("defaults and bounds are spelled for their type") {
  const auto spelled = [](base_type base, const declaration::value& value) {
    return render::sql::value(value, {base, 0, 0, {}, false, false, false});
  };
  CHECK(spelled(base_type::boolean, true) == "true");
  CHECK(spelled(base_type::int64, std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(spelled(base_type::float32, 0.1) == "'0.1'::real");
  CHECK(spelled(base_type::float64, 1e300) == "'1e+300'::double precision");
  CHECK(spelled(base_type::numeric, std::string{"-0.50"}) == "-0.50");
  CHECK(spelled(base_type::text, std::string{"1.5"}) == "'1.5'");
  CHECK(spelled(base_type::date, std::string{"2026-11-21"}) == "'2026-11-21'");
  CHECK(spelled(base_type::text, declaration::empty_array{}) == "'{}'");
}

TEST_CASE("constraints are named by what they assert") {
  auto field = field_of(base_type::text);
  field.name = std::string{"order"};
  field.constraints.max_length = 320;
  field.constraints.pattern = std::string{"^it's$"};
  CHECK(expressions(field) ==
        texts{"email_order_max_length: char_length(\"order\") <= 320", "email_order_pattern: \"order\" ~ '^it''s$'"});
  field = field_of(base_type::bytes);
  field.constraints.max_length = 5;
  CHECK(expressions(field) == texts{"email_f_max_length: octet_length(f) <= 5"});
  field = field_of(base_type::int32);
  field.constraints.min = std::int64_t{-1};
  field.constraints.max = std::int64_t{1};
  CHECK(expressions(field) == texts{"email_f_min: f >= -1", "email_f_max: f <= 1"});
}

TEST_CASE("arrays have one dimension, and NULL elements only where they are declared") {
  auto field = field_of(base_type::uuid);
  field.type.is_array = true;
  field.constraints.max_length = 3;
  CHECK(expressions(field) ==
        texts{"email_f_max_length: cardinality(f) <= 3",
              "email_f_one_dimension: coalesce(array_ndims(f), 1) = 1 and coalesce(array_lower(f, 1), 1) = 1",
              "email_f_no_nulls: array_ndims(f) > 1 or array_position(f, null) is null"});
  field.type.has_optional_elements = true;
  CHECK(expressions(field).size() == 2);
}

TEST_CASE("a constraint's name that would be cut stays different from others") {
  auto field = field_of(base_type::uuid);
  field.type.is_array = true;
  field.name = std::string(60, 'a');
  const auto checks = render::checks_of("email", field);
  REQUIRE(checks.size() == 2);
  CHECK(checks[0].name.size() == 63);
  CHECK(checks[1].name.size() == 63);
  CHECK(checks[0].name != checks[1].name);
}

TEST_CASE("a value is taken out of JSON with its type") {
  CHECK(render::sql::from_json(field_of(base_type::int64), "shop") == "(p_payload ->> 'f')::bigint");
  CHECK(render::sql::from_json(field_of(base_type::text), "shop") == "p_payload ->> 'f'");
  CHECK(render::sql::from_json(field_of(base_type::jsonb), "shop") == "p_payload -> 'f'");
  CHECK(render::sql::from_json(with_default(base_type::int16, std::int64_t{5}), "shop") ==
        "coalesce((p_payload ->> 'f')::smallint, '5'::smallint)");
  auto optional = with_default(base_type::text, std::string{"a"});
  optional.type.is_optional = true;
  CHECK(render::sql::from_json(optional, "shop") == "case when p_payload ? 'f' then p_payload ->> 'f' else 'a' end");
  CHECK(render::sql::json_type(optional) == "string?");
  CHECK(render::sql::json_type(field_of(base_type::float64)) == "any");
}

TEST_CASE("the advisory key is the beginning of a hash of the names") {
  CHECK(render::names::advisory_key("shop", "email") == 442101236578160834);
  CHECK(render::names::advisory_key("shop", "email") != render::names::advisory_key("shop", "mail"));
}

TEST_CASE("qualified names are quoted part by part") {
  CHECK(render::names::prefix("user", "order") == "\"user\".order");
  CHECK(render::names::door("user", "order") == "\"user\".\"order\"");
  CHECK(render::names::channel("user", "order") == "user.order");
}

TEST_CASE("a C++ string says what the text says") {
  CHECK(render::cpp::escaped("a\"b\\c\nd") == "a\\\"b\\\\c\\nd");
  CHECK(render::cpp::escaped(nasty) == "it's $$ \\\\ -- */ {{x}} ?\\?/");
  CHECK(render::cpp::escaped("\x01"
                             "1") == "\\0011");
  CHECK(render::cpp::escaped("\xe2\x80\xae") == "\\342\\200\\256");
  CHECK(render::cpp::escaped("Grüße??") == "Grüße??");
}

TEST_CASE("a C++ comment ends where its line ends") {
  CHECK(render::cpp::comment_lines("a\\") == texts{"a\\."});
  CHECK(render::cpp::comment_lines("a\\  ") == texts{"a\\."});
  CHECK(render::cpp::comment_lines("a?"
                                   "?/") == texts{"a?"
                                                  "? /"});
  CHECK(render::cpp::comment_lines("what??") == texts{"what??"});
  CHECK(render::cpp::comment_lines("a\r\n\n  b\tc\n\n") == texts{"a", "", "  b c"});
  CHECK(render::cpp::comment_lines("\xe2\x80\xae") == texts{"U+202E"});
  CHECK(render::cpp::comment_lines("a\x0b*/") == texts{"aU+000B*/"});
  CHECK(render::cpp::comment_lines("").empty());
}

TEST_CASE("defaults become member initialisers") {
  CHECK(cpp_default(base_type::boolean, true) == " = true");
  CHECK(cpp_default(base_type::int64, std::numeric_limits<std::int64_t>::min()) == " = -9223372036854775807 - 1");
  CHECK(cpp_default(base_type::float32, 0.1) == " = 0.1F");
  CHECK(cpp_default(base_type::float64, 2.0) == " = 2.0");
  CHECK(cpp_default(base_type::float64, 1e300) == " = 1e+300");
  CHECK(cpp_default(base_type::numeric, std::string{"1.50"}) == " = quern::numeric{\"1.50\"}");
  CHECK(cpp_default(base_type::text, std::string{"a\"b"}) == " = \"a\\\"b\"");
  CHECK(cpp_default(base_type::date, std::string{"1970-01-02"}) == " = quern::date{std::chrono::days{1}}");
  CHECK(cpp_default(base_type::timestamp, std::string{"1970-01-01T00:00:01Z"}) ==
        " = quern::timestamp{std::chrono::microseconds{1000000}}");
  CHECK(cpp_default(base_type::interval, std::string{"P1M2DT3S"}) ==
        " = quern::interval{1, 2, std::chrono::microseconds{3000000}}");
  auto channel = with_default(base_type::enumeration, std::string{"sms"});
  channel.type.enumeration = std::string{"channel"};
  CHECK(render::cpp::initializer(channel, "shop") == " = shop::channel::sms");
  CHECK(render::cpp::initializer(field_of(base_type::text), "shop") == "{}");
}

TEST_CASE("enumerations are qualified from the global namespace where the short way is hidden") {
  declaration::project project;
  project.cpp_namespace = std::string{"shop"};
  CHECK(render::cpp::qualifier(project) == "shop");
  declaration::queue queue;
  queue.name = std::string{"shop"};
  project.queues = {queue};
  CHECK(render::cpp::qualifier(project) == "::shop");
  project.queues.clear();
  project.cpp_namespace = std::string{"a::b"};
  CHECK(render::cpp::qualifier(project) == "::a::b");
}
