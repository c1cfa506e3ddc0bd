#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "quern/fixture.hpp"
#include "support/catch.hpp"

// A value sent to the server and read back, and what the server makes of it.
namespace {

using namespace std::chrono_literals;

template <class T>
T echo(quern::connection& db, const T& value) {
  return db.execute("select $1", value).template value<T>();
}

// The server's own spelling of a value.
template <class T>
std::string spelled(quern::connection& db, const T& value) {
  return db.execute("select $1::text", value).template value<std::string>();
}

template <class T>
T from_server(quern::connection& db, const std::string& expression) {
  return db.execute("select " + expression).template value<T>();
}

// The value alone, as an optional, and in both forms of array.
template <class T>
void check_everywhere(quern::connection& db, const std::vector<T>& values) {
  for (const auto& value : values) {
    CHECK(echo<T>(db, value) == value);
    CHECK(echo<std::optional<T>>(db, value) == std::optional<T>{value});
  }
  CHECK(echo<std::optional<T>>(db, std::nullopt) == std::nullopt);
  CHECK(echo(db, values) == values);
  CHECK(echo(db, std::vector<T>{}) == std::vector<T>{});
  std::vector<std::optional<T>> with_nulls(values.begin(), values.end());
  CHECK(echo(db, with_nulls) == with_nulls);
  with_nulls.insert(with_nulls.begin(), std::nullopt);
  with_nulls.emplace_back(std::nullopt);
  CHECK(echo(db, with_nulls) == with_nulls);
  CHECK(echo(db, std::optional{values}) == std::optional{values});
}

template <class T>
std::vector<T> extremes() {
  using limits = std::numeric_limits<T>;
  return {limits::min(), T(limits::min() + 1), T(-1), T(0), T(1), T(limits::max() - 1), limits::max()};
}

std::string utf8(char32_t c) {
  const auto byte = [](char32_t bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xc0 | c >> 6), byte(0x80 | (c & 0x3f))};
  if (c < 0x10000) return {byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f))};
  return {byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 0x3f)), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f))};
}

// Every character but NUL and the surrogates, which are none.
std::string all_of_unicode() {
  std::string text;
  for (char32_t c = 1; c <= 0x10ffff; ++c) {
    if (c < 0xd800 || c > 0xdfff) text += utf8(c);
  }
  return text;
}

}  // namespace

TEST_CASE("booleans and integers come back as they went, to their extremes") {
  test::session s;
  check_everywhere<bool>(s.db, {true, false});
  check_everywhere(s.db, extremes<std::int16_t>());
  check_everywhere(s.db, extremes<std::int32_t>());
  check_everywhere(s.db, extremes<std::int64_t>());
  CHECK(spelled(s.db, std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
}

TEST_CASE("an integer is read in another width only where it fits") {
  test::session s;
  CHECK(from_server<std::int64_t>(s.db, "7::int2") == 7);
  CHECK(from_server<std::int16_t>(s.db, "(-32768)::int8") == -32768);
  CHECK_THROWS_WITH(from_server<std::int16_t>(s.db, "32768::int8"), test::contains("does not fit"));
  CHECK_THROWS_WITH(from_server<std::int32_t>(s.db, "2147483648"), test::contains("does not fit"));
  CHECK(from_server<std::int64_t>(s.db, "4294967295::oid") == 4294967295);
}

TEST_CASE("floating point comes back bit for bit, with its infinities") {
  test::session s;
  using f32 = std::numeric_limits<float>;
  using f64 = std::numeric_limits<double>;
  check_everywhere<float>(s.db,
                          {f32::lowest(), -f32::infinity(), f32::denorm_min(), 0.1F, f32::infinity(), f32::max()});
  check_everywhere<double>(s.db,
                           {f64::lowest(), -f64::infinity(), f64::denorm_min(), 0.1, f64::infinity(), f64::max()});
  CHECK(std::isnan(echo(s.db, f32::quiet_NaN())));
  CHECK(std::isnan(echo(s.db, std::vector<double>{f64::quiet_NaN()}).at(0)));
  CHECK(std::signbit(echo(s.db, -0.0)));
  CHECK(from_server<double>(s.db, "0.5::float4") == 0.5);
}

TEST_CASE("text may be empty and may hold all of Unicode") {
  test::session s;
  check_everywhere<std::string>(
      s.db, {"", "a", "NULL", "{\"}", "tab\tand\nline", "ä 漢字 🦆", std::string(100'000, 'x')});
  const std::string everything = all_of_unicode();
  CHECK(echo(s.db, everything) == everything);
  CHECK(s.db.execute("select length($1)", everything).value<std::int32_t>() == 0x10ffff - 0x800);
}

TEST_CASE("text that is no text is refused before anything is sent") {
  test::session s;
  const auto error = [&](std::string_view text) {
    return test::failure_of<quern::codec_error>([&] { s.db.execute("select $1", text); }).message();
  };
  CHECK(error(std::string_view{"a\0b", 3}) == "text for PostgreSQL must not contain a NUL: found at byte 1");
  CHECK(error("12345678\xff") == "text must be valid UTF-8: malformed at byte 8");
  CHECK_THAT(error("\xc0\x80"), test::contains("malformed at byte 0"));          // overlong NUL
  CHECK_THAT(error("\xe0\x80\xaf"), test::contains("malformed at byte 0"));      // overlong
  CHECK_THAT(error("ab\xed\xa0\x80"), test::contains("malformed at byte 2"));    // a surrogate
  CHECK_THAT(error("\xf4\x90\x80\x80"), test::contains("malformed at byte 0"));  // behind the last character
  CHECK_THAT(error("\xf8\x88\x80\x80\x80"), test::contains("malformed at byte 0"));
  CHECK_THAT(error("abc\xe6\xbc"), test::contains("malformed at byte 3"));  // cut off
  CHECK(s.db.status() == quern::transaction_status::idle);
  CHECK(echo(s.db, std::string{"still usable"}) == "still usable");
}

TEST_CASE("bytes of any value and number come back, 50 MB as well") {
  test::session s;
  std::vector<std::byte> each(256);
  for (std::size_t i = 0; i < each.size(); ++i) each[i] = static_cast<std::byte>(i);
  check_everywhere<std::vector<std::byte>>(s.db, {{}, {std::byte{0}}, each});
  std::vector<std::byte> large(50'000'000);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::byte>(i * 2654435761U >> 13U);
  CHECK(echo(s.db, large) == large);
  CHECK(s.db.execute("select length($1)", large).value<std::int32_t>() == 50'000'000);
}

TEST_CASE("uuids come back and are spelled as the server spells them") {
  test::session s;
  const quern::uuid id{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"};
  check_everywhere<quern::uuid>(s.db, {quern::uuid{}, id, quern::uuid{"ffffffff-ffff-ffff-ffff-ffffffffffff"}});
  CHECK(spelled(s.db, id) == id.text());
  CHECK(quern::uuid{"{A0EEBC999C0B4EF8BB6D6BB9BD380A11}"} == id);
}

TEST_CASE("timestamps reach from the server's first to the last that microseconds from 1970 can count") {
  test::session s;
  s.db.execute("set time zone 'UTC'");
  const auto first = from_server<quern::timestamp>(s.db, "'4714-11-24 00:00:00+00 BC'::timestamptz");
  const auto last = quern::timestamp::max() - 1us;
  check_everywhere<quern::timestamp>(s.db, {quern::timestamp::min(), first, quern::timestamp{}, quern::timestamp{-1us},
                                            last, quern::timestamp::max()});
  CHECK(spelled(s.db, first) == "4714-11-24 00:00:00+00 BC");
  CHECK(spelled(s.db, quern::timestamp{1s}) == "1970-01-01 00:00:01+00");
  CHECK(spelled(s.db, quern::timestamp::max()) == "infinity");
  CHECK(spelled(s.db, quern::timestamp::min()) == "-infinity");
  CHECK_THROWS_WITH(echo(s.db, first - 1us), test::contains("before 4714-11-24 BC"));
  CHECK_THROWS_WITH(echo(s.db, quern::timestamp::min() + 1us), test::contains("before 4714-11-24 BC"));
  CHECK_THROWS_WITH(from_server<quern::timestamp>(s.db, "'294276-12-31 23:59:59+00'::timestamptz"),
                    test::contains("after 294246 AD"));
}

TEST_CASE("dates reach over the server's whole range") {
  test::session s;
  const auto first = from_server<quern::date>(s.db, "'4714-11-24 BC'::date");
  const auto last = from_server<quern::date>(s.db, "'5874897-12-31'::date");
  check_everywhere<quern::date>(s.db, {quern::date::min(), first, quern::date{}, last, quern::date::max()});
  CHECK(spelled(s.db, last) == "5874897-12-31");
  CHECK(spelled(s.db, quern::date::max()) == "infinity");
  CHECK(spelled(s.db, quern::date{std::chrono::year{2024} / 2 / 29}) == "2024-02-29");
  CHECK_THROWS_WITH(echo(s.db, last + std::chrono::days{1}), test::contains("5874897 AD"));
  CHECK_THROWS_WITH(echo(s.db, first - std::chrono::days{1}), test::contains("4714-11-24 BC"));
}

TEST_CASE("intervals keep months, days and time apart, to their extremes") {
  test::session s;
  using limits = std::numeric_limits<std::int32_t>;
  const quern::interval smallest{limits::min(), limits::min(), std::chrono::microseconds::min()};
  const quern::interval largest{limits::max() - 1, limits::max(), std::chrono::microseconds::max()};
  check_everywhere<quern::interval>(s.db, {quern::interval{}, {1, -2, 3us}, smallest, largest, {0, 0, -1us}});
  CHECK(spelled(s.db, quern::interval{14, 3, 90min}) == "1 year 2 mons 3 days 01:30:00");
  CHECK(from_server<quern::interval>(s.db, "interval '1 day'") != quern::interval{24h});
}

TEST_CASE("numerics are exact, keep their decimals and have NaN and infinities") {
  test::session s;
  std::vector<quern::numeric> values;
  const std::string whole(131'072, '9');
  const std::string decimals(16'383, '7');
  for (const std::string& text :
       {std::string{"0"}, std::string{"0.00"}, std::string{"1"}, std::string{"-1"}, std::string{"10000"},
        std::string{"9999.9999"}, std::string{"0.0001"}, std::string{"0.00001"},
        std::string{"-123456789012345678901234567890.123456789"}, std::string{"100000000"}, std::string{"12.50"},
        std::string{"NaN"}, std::string{"Infinity"}, std::string{"-Infinity"}, whole, std::string{"-"}.append(whole),
        std::string{"0."}.append(decimals), std::string{"-"}.append(whole).append(".").append(decimals)}) {
    values.emplace_back(text);
    CHECK(values.back().text() == text);
    CHECK(spelled(s.db, values.back()) == text);
    CHECK(echo(s.db, values.back()).text() == text);
  }
  check_everywhere(s.db, values);
}

TEST_CASE("numerics made by the server are read exactly") {
  test::session s;
  for (const char* text : {"1e5", "1e131071", "1.5e-10", "-7e-3", "0e0", "123.4500", "1e-16383"}) {
    const auto read = from_server<quern::numeric>(s.db, std::string{"numeric '"}.append(text).append("'"));
    CHECK(read == quern::numeric{text});
    CHECK(read.text() == s.db.execute("select $1::numeric::text", quern::numeric{text}).value<std::string>());
  }
}

TEST_CASE("JSON of any kind comes back in the server's spelling") {
  test::session s;
  check_everywhere<quern::json>(
      s.db, {quern::json{}, {"{}"}, {"[]"}, {"\"ä 🦆\""}, {"{\"a\": [1, null, {\"b\": true}]}"}});
  CHECK(echo(s.db, quern::json{R"({"b":1,"a":2,"b":3})"}).text == R"({"a": 2, "b": 3})");
  CHECK(from_server<quern::json>(s.db, R"('{"a":1}'::json)").text == R"({"a":1})");
  CHECK(test::failure_of<quern::database_error>([&] { echo(s.db, quern::json{"{"}); }).sqlstate() == "22P02");
}

TEST_CASE("NULL needs a type that has room for it") {
  test::session s;
  CHECK_THROWS_WITH(from_server<std::int32_t>(s.db, "null::int4"), test::contains("std::optional"));
  CHECK_THROWS_WITH(from_server<std::vector<std::int32_t>>(s.db, "'{1,null}'::int4[]"),
                    test::contains("std::optional"));
  CHECK(from_server<std::vector<std::optional<std::string>>>(s.db, "'{a,null,\"\"}'::text[]") ==
        std::vector<std::optional<std::string>>{"a", std::nullopt, ""});
}

TEST_CASE("a column is read only as the type that it has") {
  test::session s;
  CHECK_THROWS_WITH(from_server<std::int64_t>(s.db, "now()"), test::contains("number 1184"));
  CHECK_THROWS_WITH(from_server<quern::timestamp>(s.db, "1::int8"), test::contains("number 20"));
  CHECK_THROWS_WITH(from_server<std::string>(s.db, "1::int8"), test::contains("number 20"));
  CHECK_THROWS_WITH(from_server<std::vector<std::int32_t>>(s.db, "'{1}'::int8[]"), test::contains("cannot be read"));
  CHECK_THROWS_WITH(from_server<std::vector<std::int32_t>>(s.db, "'{{1},{2}}'::int4[]"),
                    test::contains("2 dimensions"));
}
