#include <fmt/format.h>

#include <ctime>
#include <iterator>
#include <string>

#include "declaration/read.hpp"
#include "invariants.hpp"
#include "support/catch.hpp"
#include "text/file.hpp"

namespace {

struct timed {
  declaration::read_result result;
  double seconds = 0;  // of this process: other work on the machine does not count
};

timed read(std::string content) {
  const text::source source{"quern.toml", std::move(content)};
  const auto before = std::clock();
  auto result = declaration::read(source);
  const auto after = std::clock();
  const text::line_index lines(source.content);
  for (const auto& problem : result.problems) REQUIRE(test::broken_rule(problem, lines).empty());
  return {std::move(result), static_cast<double>(after - before) / CLOCKS_PER_SEC};
}

/// A declaration of queues as users write them, about 300 bytes each.
std::string queues(int count) {
  std::string content = "[project]\nname = \"shop\"\n\n[enums.channel]\nvalues = [\"email\", \"sms\"]\n";
  for (int i = 0; i < count; ++i) {
    fmt::format_to(std::back_inserter(content),
                   "\n[queues.queue_of_work_{0}]\ndoc = \"Work of kind {0}.\"\nlease = \"30s\"\n"
                   "retry = {{ max_attempts = 8, initial = \"1s\" }}\n\n[queues.queue_of_work_{0}.payload]\n"
                   "order_id = \"int64\"\ncustomer_id = \"int64\"\n"
                   "recipient = {{ type = \"text\", max_length = 320 }}\n"
                   "channel = {{ type = \"channel\", default = \"email\" }}\nnote = \"text?\"\n",
                   i);
  }
  return content;
}

std::string repeated(const std::string& part, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += part;
  return result;
}

std::string only_code(const timed& read) {
  REQUIRE(read.result.problems.size() == 1);
  return read.result.problems.front().code;
}

// Sanitizers make everything slower; what is quadratic is slower still by orders of magnitude.
constexpr double patience = 20;

}  // namespace

TEST_CASE("ten thousand queues are read in about the time that their number asks for") {
  const auto few = read(queues(1000));
  const auto many = read(queues(10'000));
  REQUIRE(few.result.declared);
  REQUIRE(many.result.declared);
  CHECK(many.result.declared->queues.size() == 10'000);
  CHECK(many.seconds < patience);
  CHECK(many.seconds < 10 * 3 * std::max(few.seconds, 0.01));
}

TEST_CASE("queues with a mistake each give a diagnostic each") {
  auto content = queues(3000);
  for (auto at = content.find("30s"); at != std::string::npos; at = content.find("30s", at)) content[at + 2] = 'x';
  const auto wrong = read(std::move(content));
  CHECK(wrong.result.problems.size() == 3000);
  CHECK(wrong.seconds < patience);
}

TEST_CASE("thousands of enums and of types that are none of them are told apart in time") {
  std::string content = "[project]\nname = \"shop\"\n";
  for (int i = 0; i < 2000; ++i) content += fmt::format("[enums.kind_of_thing_{}]\nvalues = [\"a\"]\n", i);
  for (int i = 0; i < 2000; ++i) content += fmt::format("[queues.queue_{0}.payload]\na = \"kind_of_thin_{0}\"\n", i);
  const auto wrong = read(std::move(content));
  CHECK(wrong.result.problems.size() == 2000);
  CHECK(wrong.seconds < patience);
}

TEST_CASE("a text of more than 16 MB is refused at once, whatever it holds") {
  const auto large = read(std::string(text::largest_source + 1, '['));
  CHECK(only_code(large) == "too_large");
  CHECK(large.seconds < 1);
}

TEST_CASE("16 MB of one bracket end in one diagnostic") {
  CHECK(only_code(read(fmt::format("a = {}", std::string(text::largest_source - 10, '[')))) == "too_deep");
  CHECK(only_code(read(fmt::format("a = {}", repeated("{a=", (text::largest_source - 10) / 3)))) == "too_deep");
}

TEST_CASE("a header and a key of a hundred thousand parts end in one diagnostic") {
  CHECK(only_code(read(fmt::format("[{}a]\n", repeated("a.", 100'000)))) == "too_deep");
  CHECK(only_code(read(fmt::format("{}a = 1\n", repeated("a.", 100'000)))) == "too_deep");
  CHECK(only_code(read(fmt::format("x = {{ {}a = 1 }}\n", repeated("a.", 100'000)))) == "too_deep");
  CHECK(only_code(read(fmt::format("[{}a]\n", repeated("'a'.", 100'000)))) == "too_deep");
}

TEST_CASE("megabytes of quotes, of newlines and of one word are read to a clear end") {
  for (const auto* part : {"\"", "'", "\n", "a", "=", "[", "]", "a.", "\\", "#", "\"\"\"", "\r", ",", "{", "}", "-"}) {
    INFO(part);
    const auto bad = read(repeated(part, (1U << 20U) / std::string(part).size()));
    CHECK_FALSE(bad.result.declared);
    CHECK(bad.seconds < patience);
  }
}

TEST_CASE("dotted keys and headers that would keep the parser busy for minutes are refused") {
  std::string dotted;
  for (int i = 0; i < 100'000; ++i) dotted += fmt::format("a{0}.b = 1\na{0}.c = 1\n", i);
  CHECK(only_code(read(std::move(dotted))) == "too_large");
  std::string headers;
  for (int i = 0; i < 100'000; ++i) headers += fmt::format("[a{}.b]\n", i);
  for (int i = 100'000; i-- > 0;) headers += fmt::format("[a{}]\n", i);
  CHECK(only_code(read(std::move(headers))) == "too_large");
}

TEST_CASE("one line of megabytes is read as fast as many lines") {
  std::string content = "[project]\nname = \"shop\"\n[enums.channel]\nvalues = [";
  for (int i = 0; i < 100'000; ++i) content += fmt::format("\"value_{}\",", i);
  const auto one_line = read(content + "]\n");
  REQUIRE(one_line.result.declared);
  CHECK(one_line.seconds < patience);
  const auto not_ascii = read(content + "\"\xC3\xBC\"]\n");
  REQUIRE(not_ascii.result.problems.size() == 1);
  CHECK(not_ascii.result.problems.front().where.begin ==
        text::position{4, content.substr(content.find("values")).size() + 1});
  CHECK(not_ascii.seconds < patience);
}

TEST_CASE("a doc of a megabyte is kept whole") {
  const auto doc = repeated("all work and no play ", 50'000);
  const auto read_back =
      read(fmt::format("[project]\nname = \"shop\"\n[queues.email]\npayload = \"jsonb\"\ndoc = \"{}\"\n", doc));
  REQUIRE(read_back.result.declared);
  CHECK(read_back.result.declared->queues.front().doc == doc);
}
