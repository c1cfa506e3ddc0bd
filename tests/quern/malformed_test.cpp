#include <initializer_list>
#include <quern/quern.hpp>
#include <random>
#include <shop/channel.hpp>
#include <string>
#include <vector>

#include "support/catch.hpp"

// Bytes that no honest server sends. Nothing may be read behind their end: the sanitizers watch.
namespace {

// On the heap and of the exact size, so that one byte too far is seen.
std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

template <class T>
T decode(const std::vector<std::byte>& from, quern::oid type = quern::codec<T>::type) {
  const std::vector<std::byte> exact{from};
  return quern::decode_field<T>(exact, false, type);
}

template <class T>
void check_lengths(std::size_t right) {
  for (std::size_t size = 0; size < right + 3; ++size) {
    if (size == right) continue;
    CHECK_THROWS_WITH(decode<T>(std::vector<std::byte>(size)), test::contains("malformed value from the server"));
  }
  CHECK_NOTHROW(decode<T>(std::vector<std::byte>(right)));
}

template <class T>
void decode_noise(std::mt19937& random) {
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> noise(random() % 48);
    for (auto& each : noise) each = static_cast<std::byte>(random() % 3 == 0 ? random() : random() % 3);
    try {
      decode<T>(noise);
    } catch (const quern::codec_error& refused) {
      if (refused.message().empty()) throw std::runtime_error{"an error must say what is wrong"};
    }
  }
}

}  // namespace

TEST_CASE("a value of a fixed size has exactly that size") {
  check_lengths<bool>(1);
  check_lengths<std::int16_t>(2);
  check_lengths<std::int32_t>(4);
  check_lengths<std::int64_t>(8);
  check_lengths<float>(4);
  check_lengths<double>(8);
  check_lengths<quern::uuid>(16);
  check_lengths<quern::timestamp>(8);
  check_lengths<quern::date>(4);
  check_lengths<quern::interval>(16);
  check_lengths<quern::numeric>(8);
}

TEST_CASE("a malformed array is refused") {
  using ints = std::vector<std::int32_t>;
  const auto one = bytes({0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 9});
  CHECK(decode<ints>(one) == ints{9});
  for (std::size_t size = 0; size < one.size(); ++size)
    CHECK_THROWS_AS(decode<ints>({one.begin(), one.begin() + static_cast<std::ptrdiff_t>(size)}), quern::codec_error);
  auto longer = one;
  longer.push_back(std::byte{0});
  CHECK_THROWS_WITH(decode<ints>(longer), test::contains("1 bytes too many"));
  auto huge = one;
  huge[12] = std::byte{0x7f};
  CHECK_THROWS_WITH(decode<ints>(huge), test::contains("shorter than its length says"));
  auto negative_element = one;
  for (std::size_t i = 20; i < 23; ++i) negative_element[i] = std::byte{0xff};
  CHECK_THROWS_WITH(decode<ints>(negative_element), test::contains("bytes are expected where 4 are left"));
  auto of_texts = one;
  of_texts[11] = std::byte{25};
  CHECK_THROWS_WITH(decode<ints>(of_texts), test::contains("number 25"));
}

TEST_CASE("malformed numerics, JSON, texts and labels are refused") {
  CHECK_THROWS_WITH(decode<quern::numeric>(bytes({0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10})),
                    test::contains("10000 or more"));
  CHECK_THROWS_WITH(decode<quern::numeric>(bytes({0, 0, 0, 0, 0x12, 0x34, 0, 0})), test::contains("unknown kind"));
  CHECK_THROWS_WITH(decode<quern::numeric>(bytes({0, 0, 0, 0, 0, 0, 0x40, 0})),
                    test::contains("unknown kind or scale"));
  CHECK_THROWS_AS(decode<quern::numeric>(bytes({0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1})), quern::codec_error);
  CHECK_THROWS_WITH(decode<quern::json>(bytes({2, '{', '}'})), test::contains("unknown version"));
  CHECK_THROWS_AS(decode<quern::json>({}), quern::codec_error);
  CHECK_THROWS_WITH(decode<std::string>(bytes({'a', 0xff})), test::contains("malformed at byte 1"));
  CHECK_THROWS_WITH(decode<shop::channel>(bytes({'x'}), 20'000), test::contains("no label \"x\""));
  CHECK_THROWS_WITH(decode<quern::timestamp>(bytes({0x80, 0, 0, 0, 0, 0, 0, 1})), test::contains("before 4714"));
  CHECK_THROWS_WITH(decode<quern::date>(bytes({0x80, 0, 0, 1})), test::contains("out of range"));
}

TEST_CASE("noise is refused or is a value, and is never read past its end") {
  std::mt19937 random{4711};
  decode_noise<std::int64_t>(random);
  decode_noise<std::string>(random);
  decode_noise<quern::numeric>(random);
  decode_noise<quern::json>(random);
  decode_noise<quern::timestamp>(random);
  decode_noise<quern::date>(random);
  decode_noise<std::vector<bool>>(random);
  decode_noise<std::vector<std::optional<std::int16_t>>>(random);
  decode_noise<std::vector<std::string>>(random);
  decode_noise<std::vector<std::vector<std::byte>>>(random);
  decode_noise<std::vector<quern::numeric>>(random);
}

TEST_CASE("texts that are no uuid or no number are refused with the text") {
  for (const char* text :
       {"", "a0eebc99", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g", "a0eebc999-c0b-4ef8-bb6d-6bb9bd380a11",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11a", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"})
    CHECK_THROWS_WITH(quern::uuid{text}, "\"" + std::string{text} + "\" is no uuid");
  for (const char* text :
       {"", ".", "-", "+-1", "1.2.3", "1e", "1e+", "1 ", " 1", "0x10", "-nan", "1,5", "infinite", "e5"})
    CHECK_THROWS_WITH(quern::numeric{text}, "\"" + std::string{text} + "\" is no number");
  CHECK_THROWS_WITH(quern::numeric{"1e131072"}, test::contains("131072 digits before"));
  CHECK_THROWS_WITH(quern::numeric{"1e-16384"}, test::contains("16383 after"));
  CHECK_THROWS_WITH(quern::numeric{"1e99999999999999999999"}, test::contains("131072 digits before"));
}

TEST_CASE("numerics compare by value") {
  CHECK(quern::numeric{"1.0"} == quern::numeric{"1.00"});
  CHECK(quern::numeric{"-0"} == quern::numeric{});
  CHECK(quern::numeric{"1e3"} == quern::numeric{1000});
  CHECK(quern::numeric{"1000e-3"} == quern::numeric{1});
  CHECK(quern::numeric{"-1"} != quern::numeric{"1"});
  CHECK(quern::numeric{"10000"} != quern::numeric{"1"});
  CHECK(quern::numeric{"nan"} == quern::numeric::nan());
  CHECK(quern::numeric{"-INF"} == quern::numeric::negative_infinity());
  CHECK(quern::numeric::infinity() != quern::numeric::negative_infinity());
}
