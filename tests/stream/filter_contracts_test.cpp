#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "queue/generated.hpp"
#include "stream/journal.hpp"
#include "support/catch.hpp"
#include "support/places.hpp"

// Filters while the payload changes, and what their texts become in a database.

namespace {

constexpr std::string_view options = R"(
[streams.log]
retention = "1h"
)";

/// A rename and a wider type, a field that comes, and a limit that old events may break.
const std::vector<std::string> declarations{std::string{options} + R"(
[streams.log.payload]
customer_id = "int32"
kind        = "text"
[streams.log.consumers.plain]
where   = "kind = 'signup' and customer_id > 5"
[streams.log.consumers.crew]
where   = "kind = 'signup' and customer_id > 5"
workers = "cooperative"
)",
                                            std::string{options} + R"(
[streams.log.payload]
customer = { type = "int64", renamed_from = "customer_id" }
kind     = "text"
source   = { type = "text", default = "web" }
[streams.log.consumers.plain]
where   = "kind = 'signup' and customer > 5 and source = 'web'"
[streams.log.consumers.crew]
where   = "kind = 'signup' and customer > 5 and source = 'web'"
workers = "cooperative"
)",
                                            std::string{options} + R"(
[streams.log.payload]
customer = "int64"
type     = { type = "text", renamed_from = "kind", max_length = 10 }
source   = { type = "text", default = "web" }
urgent   = "bool?"
[streams.log.consumers.plain]
where   = "type = 'signup' and customer > 5 and source = 'web' and urgent is not false"
[streams.log.consumers.crew]
where   = "type = 'login'"
workers = "cooperative"
)"};

class growing_log : public test::journal {
 public:
  growing_log() : journal{declarations[0]}, releases_{test::releases_of(declarations, schema())} {}

  void grow() {
    for (const auto& step : releases_.at(++present_)) db.ask(step);
  }

  /// What readers of a contract get: the offsets.
  std::string get(int version, std::string_view consumer = "plain") {
    return db.ask(fmt::format("select event_offset from log_receive_v{}('{}')", version, consumer));
  }

  std::string refused(int version) { return db.refusal(fmt::format("select log_receive_v{}('plain')", version)); }

  std::string claim(int version) {
    return db.ask(fmt::format("select event_offset from log_claim_v{}('crew')", version));
  }

  void publish(int version, std::string_view arguments) {
    db.ask(fmt::format("select log_publish_v{}({})", version, arguments));
  }

  std::string up_to() { return db.ask("select up_to from log_lag() where consumer = 'plain'"); }

  void ack(std::int64_t offset) { journal::ack("plain", offset); }

 private:
  std::vector<std::vector<std::string>> releases_;
  std::size_t present_ = 0;
};

constexpr auto too_new = "QN021: event {} of stream \"log\" is of contract v{}, which contract v1 cannot read";

}  // namespace

TEST_CASE("an event is judged by what the newest contract sees of it, whoever reads") {
  growing_log here;
  here.publish(1, "7, 'signup'");
  here.publish(1, "7, 'login'");
  here.publish(1, "5, 'signup'");
  CHECK(here.get(1) == "1");
  here.grow();
  here.publish(1, "8, 'signup'");
  here.publish(2, "9, 'signup'");
  here.publish(2, "9, 'signup', 'app'");
  for (const int version : {1, 2}) CHECK(here.get(version) == "1 4 5");
  here.grow();
  here.publish(1, "8, 'signup'");
  here.publish(2, "9, 'signup'");
  here.publish(3, "9, 'signup', 'web', false");
  here.publish(3, "9, 'signup'");
  for (const int version : {1, 2, 3}) CHECK(here.get(version) == "1 4 5 7 8 10");
}

TEST_CASE("what a reader cannot read does not stop it unless it matches") {
  growing_log here;
  here.grow();
  here.publish(2, "1099511627776, 'login'");
  here.publish(2, "6, 'signup'");
  here.publish(2, "1099511627776, 'signup'");
  here.publish(2, "7, 'signup'");
  CHECK(here.get(1) == "2");
  here.ack(2);
  CHECK(here.refused(1).starts_with(fmt::format(too_new, 3, 2)));
  CHECK(here.get(2) == "3 4");
}

TEST_CASE("before an event that a reader cannot read the position moves on over what does not match") {
  growing_log here;
  here.grow();
  here.publish(2, "6, 'login'");
  here.publish(2, "1099511627776, 'signup'");
  CHECK(here.get(1).empty());
  CHECK(here.up_to() == "1");
  CHECK(here.refused(1).starts_with(fmt::format(too_new, 2, 2)));
  CHECK(here.db.refusal("select log_claim_v1('crew')").empty());
  CHECK(here.db.refusal("select log_claim_v1('crew')").starts_with(fmt::format(too_new, 2, 2)));
}

TEST_CASE("what the newest contract cannot read is not judged: whoever can read it gets it") {
  growing_log here;
  here.publish(1, "7, 'a kind that is too long'");
  here.publish(1, "7, 'signup'");
  CHECK(here.get(1) == "2");
  here.grow();
  here.grow();
  CHECK(here.get(1) == "1 2");
  CHECK(
      here.refused(3).starts_with("QN021: event 1 of stream \"log\" is of contract v1, which contract v3 cannot read"));
}

TEST_CASE("a claim keeps what was picked when its filter changes") {
  growing_log here;
  here.publish(1, "7, 'signup'");
  here.publish(1, "7, 'login'");
  here.publish(1, "8, 'signup'");
  CHECK(here.claim(1) == "1 3");
  here.grow();
  here.grow();
  here.publish(1, "9, 'signup'");
  here.publish(1, "9, 'login'");
  here.db.ask("update log_claim set lease_until = now()");
  CHECK(here.claim(3) == "1 3");
  CHECK(here.claim(3) == "5");
}

TEST_CASE("every filter that the generator takes is one for PostgreSQL") {
  std::ifstream in{test::source_dir() / "tests/declaration/cases/good_filters/quern.toml"};
  const std::string all{std::istreambuf_iterator<char>{in}, {}};
  test::workshop here{std::string_view{all}.substr(all.find("[enums"))};
  here.db.ask(
      "select activity_publish_v1(p_customer_id => 1, p_kind => '1.5', p_tags => '{vip,a}', p_counts => '{1,2}', "
      "p_amount => 1, p_ratio => 1, p_is_internal => true, p_token => gen_random_uuid(), p_day => '2026-11-22', p_at "
      "=> "
      "now(), p_time => '2 h', p_raw => '\\x00ff', p_user => 'me', p_channel => 'sms', p_ways => '{sms}')");
  here.db.ask("select raw_publish_v1('{\"level\": \"error\"}')");
  here.db.ask("select activity_seal()");
  std::string got;
  for (const auto& [consumer, refusal] : std::vector<std::pair<std::string, std::string>>{{"plain", ""},
                                                                                          {"bare", ""},
                                                                                          {"spaced", ""},
                                                                                          {"quoted", ""},
                                                                                          {"lists", ""},
                                                                                          {"symmetric", ""},
                                                                                          {"nothing", ""},
                                                                                          {"likes", ""},
                                                                                          {"json", ""},
                                                                                          {"arrays", ""},
                                                                                          {"calculated", ""},
                                                                                          {"functions", ""},
                                                                                          {"values_of", ""},
                                                                                          {"casts", ""},
                                                                                          {"flat", ""},
                                                                                          {"escapes", ""}}) {
    const auto call = fmt::format("select * from activity_receive_v1('{}')", consumer);
    CHECK(here.db.refusal(call) == refusal);
    here.db.ask(fmt::format("select activity_seek('{}', 0)", consumer));
    if (!here.db.ask(call).empty()) got += consumer + " ";
  }
  CHECK(got == "bare quoted lists symmetric nothing arrays ");
  CHECK(here.db.ask("select event_offset from raw_claim_v1('errors')") == "1");
}

TEST_CASE("a value in a filter is nothing but a value") {
  const std::vector<std::string> values{"it's",
                                        "'; drop table log_event; --",
                                        "$$",
                                        "$a$ $a$",
                                        "\\",
                                        "\\'; --",
                                        "/* ",
                                        "*/",
                                        "-- ",
                                        "a\nb",
                                        "\n-- step: x\n",
                                        "\n-- reverse\n",
                                        "{{prefix}}",
                                        "ü 漢字 🦆",
                                        "\"",
                                        "%",
                                        "end; $body$"};
  std::string declaration = std::string{options} + "[streams.log.payload]\nbody = \"text\"\n";
  const auto replaced = [](std::string text, std::string_view what, std::string_view by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
      text.replace(at, what.size(), by);
    return text;
  };
  const auto as_sql = [&](const std::string& value) { return "'" + replaced(value, "'", "''") + "'"; };
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto text = replaced(replaced("body = " + as_sql(values[i]), "\\", "\\\\"), "\"", "\\\"");
    declaration += fmt::format("[streams.log.consumers.c{}]\nwhere = \"{}\"\n", i, replaced(text, "\n", "\\n"));
  }
  test::journal here{declaration};
  for (const auto& value : values) here.db.ask(fmt::format("select log_publish_v1({})", as_sql(value)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(values[i]);
    CHECK(here.db.ask(fmt::format("select event_offset from log_receive_v1('c{}')", i)) == fmt::to_string(i + 1));
  }
}

TEST_CASE("a worker of an old contract stops in the middle of a page before what it cannot read") {
  growing_log here;
  here.db.ask("select log_subscribe('free', 'start', p_is_cooperative => true)");
  here.grow();
  here.publish(2, "6, 'login'");
  here.publish(2, "7, 'login'");
  here.publish(2, "1099511627776, 'login'");
  const auto free = [](int count) { return fmt::format("select event_offset from log_claim_v1('free', {})", count); };
  CHECK(here.db.ask(free(1)) == "1");
  CHECK(here.db.ask(free(2)) == "2");
  CHECK(here.db.refusal(free(1)).starts_with(fmt::format(too_new, 3, 2)));
}
