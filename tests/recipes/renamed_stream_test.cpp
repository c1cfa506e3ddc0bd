// A stream with two names on a real server: programs that know one of them work beside those that know the other.

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "recipes/desk.hpp"
#include "support/catch.hpp"

namespace {

using texts = std::vector<std::string>;

constexpr std::string_view payload = R"('{"customer_id": 7, "kind": "signup"}')";

/// The stream `activity`, which is called `news` from contract v2 on.
class desk : public test::desk {
 public:
  explicit desk(std::string_view recipe = "rename_stream") : test::desk{recipe, "activity"} {}

  std::string publish(std::string_view door) const {
    return refusal(fmt::format("select shop.stream_publish('{}', {})", door, payload));
  }

  texts consume(std::string_view door) const {
    return all(fmt::format("select event_offset from shop.stream_consume('{}', 0)", door));
  }

  /// What a plain consumer gets, after which it is done with it.
  texts receive(std::string_view name, int version) const {
    auto got = all(fmt::format("select event_offset from shop.{}_receive_v{}('audit')", name, version));
    all(fmt::format("select shop.{}_ack('audit', batch, event_offset) from shop.{}_receive_v{}('audit')", name, name,
                    version));
    return got;
  }
};

}  // namespace

TEST_CASE("readers of either name read what producers of either publish") {
  const desk it;
  it.all("select shop.activity_publish_v1(1, 'before')");
  it.here().migrate_to_all();
  it.all("select shop.activity_publish_v1(2, 'old'); select shop.news_publish_v2(3, 'new')");
  it.all("select shop.news_publish_many_v2('{4, 5}', '{a, b}')");
  const texts all{"before", "old", "new", "a", "b"};
  CHECK(it.all("select kind from shop.news_read_v2(0)") == all);
  CHECK(it.all("select kind from shop.activity_read_v1(0)") == all);
}

TEST_CASE("a consumer is one consumer under both names") {
  const desk it;
  it.all("select shop.activity_publish_v1(1, 'before')");
  CHECK(it.receive("activity", 1) == texts{"1"});
  it.here().migrate_to_all();
  it.all("select shop.news_publish_v2(2, 'x')");
  CHECK(it.receive("news", 2) == texts{"2"});
  it.all("select shop.activity_publish_v1(3, 'y')");
  CHECK(it.receive("activity", 1) == texts{"3"});
  CHECK(it.receive("news", 2) == texts{});
  CHECK(it.one("select up_to from shop.news_lag() where consumer = 'audit'") == "3");
  CHECK(it.one("select shop.activity_seek('audit', 0)") == "0");
  CHECK(it.receive("news", 2) == texts{"1", "2", "3"});
  CHECK(it.refusal("select * from shop.news_receive_v2('nobody')") ==
        "QN023: stream \"news\" has no consumer \"nobody\"");
}

TEST_CASE("a claim is one claim under both names") {
  const desk it;
  it.here().migrate_to_all();
  it.all("select shop.news_publish_v2(7, 'a'); select shop.activity_publish_v1(7, 'b')");
  const auto batch = it.one("select batch from shop.activity_claim_v1('crew', 1)");
  CHECK(it.one("select count(*) from shop.news_claim_v2('crew', 10)") == "0");
  CHECK(it.one(fmt::format("select shop.news_extend('crew', {}, '1h') > now()", batch)) == "t");
  CHECK(it.all(fmt::format("select unnest(shop.news_held('crew', {}))", batch)) == texts{"1"});
  CHECK(it.one(fmt::format("select shop.news_nack('crew', {}, 1, 'broken', '0s')", batch)) == "retry");
  const auto again = it.one("select batch from shop.news_claim_v2('crew', 1)");
  CHECK(it.one(fmt::format("select shop.activity_release('crew', {})", again)) != "0");
  const auto last = it.one("select distinct batch from shop.activity_claim_v1('crew', 10)");
  CHECK(it.one(fmt::format("select shop.news_ack('crew', {})", last)) == "2");
  CHECK(it.one(fmt::format("select shop.activity_ack('crew', {})", last)) == "0");
}

TEST_CASE("who subscribes under one name is there under the other") {
  const desk it;
  it.here().migrate_to_all();
  it.all("select shop.news_publish_v2(1, 'x')");
  CHECK(it.one("select shop.news_subscribe('late', 'start')") == "0");
  CHECK(it.all("select event_offset from shop.activity_receive_v1('late')") == texts{"1"});
  CHECK(it.one("select shop.activity_share('late')") == "t");
  CHECK(it.one("select shop.news_unshare('late')") == "t");
  CHECK(it.one("select shop.activity_unsubscribe('late')") == "t");
  CHECK(it.one("select shop.news_unsubscribe('late')") == "f");
  CHECK(it.one("select last_offset from shop.news_stats()") == it.one("select last_offset from shop.activity_stats()"));
}

TEST_CASE("untyped programs use either name of a stream, and speak the contracts that bear it") {
  const desk it;
  it.here().migrate_to_all();
  CHECK(it.publish("activity") == "");
  CHECK(it.publish("news") == "");
  CHECK(it.all("select contract_version from shop.activity_event order by event_number") == texts{"1", "2"});
  CHECK(it.consume("activity") == texts{"1", "2"});
  CHECK(it.consume("news") == texts{"1", "2"});
  CHECK(it.publish("tidings") == "QN002: there is no stream \"tidings\"");
}

TEST_CASE("each contract of a stream shakes hands under the name that it bears") {
  const desk it;
  it.here().migrate_to_all();
  CHECK(it.handshake("activity", 1) == "");
  CHECK(it.handshake("news", 2) == "");
  CHECK(it.handshake("news", 1) == "QN001: the database does not know contract v1 of \"news\"");
  CHECK(it.handshake("activity", 2) == "QN001: the database does not know contract v2 of \"activity\"");
}

TEST_CASE("roles have the same rights under both names of a stream") {
  const desk it;
  it.here().migrate_to_all();
  for (const auto* name : {"activity", "news"}) {
    INFO(name);
    const auto publish = fmt::format("select shop.stream_publish('{}', {})", name, payload);
    CHECK(it.refusal("set role web; " + publish) == "");
    CHECK(it.refusal("set role mailer; " + publish) == "42501: permission denied for function stream_publish");
    CHECK(it.refusal(fmt::format("set role mailer; select * from shop.stream_consume('{}', 0)", name)) == "");
    CHECK(it.refusal(fmt::format("set role mailer; select shop.{}_ack('audit', 1, 1)", name)) == "");
    CHECK(it.refusal(fmt::format("set role ops; select shop.{}_stats()", name)) == "");
    CHECK(it.refusal(fmt::format("set role web; select shop.{}_stats()", name)) ==
          fmt::format("42501: permission denied for function {}_stats", name));
    CHECK(it.refusal(fmt::format("set role courier; select shop.{}_seal()", name)) ==
          "42501: permission denied for schema shop");
  }
}

TEST_CASE("the doors of a stream work in between, when only what all queues share has changed") {
  const desk it;
  it.here().migrate_core();
  CHECK(it.publish("activity") == "");
  CHECK(it.publish("news") == "QN002: there is no stream \"news\"");
  CHECK(it.refusal("select * from shop.stream_consume('news', 0)") == "QN002: there is no stream \"news\"");
  CHECK(it.consume("activity") == texts{"1"});
}

TEST_CASE("when the new name of a stream is taken back, the old one goes on") {
  const desk it;
  it.here().migrate_to_all();
  CHECK(it.publish("activity") == "");
  CHECK(it.receive("news", 2) == texts{"1"});
  it.here().roll_back();
  CHECK(it.publish("news") == "QN002: there is no stream \"news\"");
  CHECK(it.refusal("select shop.news_seal()") == "42883: function shop.news_seal() does not exist");
  CHECK(it.handshake("news", 2) == "QN001: the database does not know contract v2 of \"news\"");
  CHECK(it.publish("activity") == "");
  CHECK(it.receive("activity", 1) == texts{"2"});
  it.here().migrate_to_all();
  CHECK(it.publish("news") == "");
  CHECK(it.receive("news", 2) == texts{"3"});
}

TEST_CASE("programs of three names of a stream work side by side") {
  const desk it{"rename_stream_twice"};
  it.here().migrate_to_all();
  texts all;
  for (const auto* name : {"activity", "news", "tidings"}) {
    CHECK(it.publish(name) == "");
    all.push_back(std::to_string(all.size() + 1));
    for (const auto* reader : {"activity", "news", "tidings"}) {
      INFO(name << " to " << reader);
      CHECK(it.consume(reader) == all);
    }
  }
}

TEST_CASE("a stream with its first name again has the contracts of that name behind it") {
  const desk it{"rename_stream_back"};
  it.here().migrate_to_all();
  CHECK(it.publish("activity") == "");
  CHECK(it.publish("news") == "");
  it.all("select shop.activity_publish_v3(1, 'x')");
  CHECK(it.all("select contract_version from shop.activity_event order by event_number") == texts{"1", "2", "3"});
  CHECK(it.receive("news", 2) == texts{"1", "2", "3"});
}

TEST_CASE("the old name of a stream goes with its last contract") {
  const desk it{"retire_former_stream_name"};
  CHECK(it.publish("news") == "");
  CHECK(it.receive("news", 2) == texts{"1"});
  it.here().migrate_to_all();
  CHECK(it.publish("activity") == "QN002: there is no stream \"activity\"");
  CHECK(it.refusal("select * from shop.stream_consume('activity', 0)") == "QN002: there is no stream \"activity\"");
  CHECK(it.refusal("select shop.activity_seal()") == "42883: function shop.activity_seal() does not exist");
  CHECK(it.handshake("activity", 1) == "QN001: contract v1 of \"activity\" was retired");
  CHECK(it.publish("news") == "");
  CHECK(it.receive("news", 2) == texts{"2"});
  CHECK(it.one("select count(*) from shop.news_claim_v2('crew')") == "2");
}

TEST_CASE("the old name of a stream stays while untyped programs use it") {
  for (const bool is_reading : {false, true}) {
    const desk it{"retire_former_stream_name"};
    if (is_reading)
      it.consume("activity");
    else
      CHECK(it.publish("activity") == "");
    CHECK_THAT(it.refused_migration(), test::starts_with("contract v1 of stream \"activity\" was used at "));
    CHECK(it.publish("activity") == "");
  }
}

TEST_CASE("a stream goes with all of its names") {
  const desk it{"drop_renamed_stream"};
  it.handshake("news", 2);
  it.all("delete from shop.quern_client");
  it.here().migrate_to_all();
  CHECK(it.one("select count(*) from pg_proc where proname ~ '^(activity|news)_'") == "0");
  CHECK(it.one("select count(*) from pg_class where relname ~ '^(activity|news)'") == "0");
  CHECK(it.one("select count(*) from shop.quern_contract") == "1");
}

TEST_CASE("the new consumers of a renamed stream begin, its old ones are forgotten") {
  const desk it{"rename_stream_and_fields"};
  it.all("select shop.activity_publish_v1(1, 'x')");
  it.here().migrate_to_all();
  CHECK(it.all("select consumer from shop.news_lag()") == texts{"crew", "statistics"});
  it.all("select shop.news_publish_v2(2, 'y', 'app')");
  CHECK(it.all("select customer || kind || source from shop.news_read_v2(0)") == texts{"1xweb", "2yapp"});
  CHECK(it.all("select event_offset from shop.news_receive_v2('statistics')") == texts{"2"});
}
