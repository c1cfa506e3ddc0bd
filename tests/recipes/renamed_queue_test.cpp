// A queue with two names on a real server: programs that know one of them work beside those that know the other.

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "recipes/desk.hpp"
#include "support/catch.hpp"

namespace {

constexpr std::string_view payload = R"('{"order_id": 7, "recipient": "a@example.org"}')";

/// The queue `email`, which is called `mail` from contract v2 on.
class desk : public test::desk {
 public:
  explicit desk(std::string_view recipe = "rename_queue") : test::desk{recipe, "email"} {}

  std::string enqueue(std::string_view door) const {
    return one(fmt::format("select shop.queue_enqueue('{}', {})", door, payload));
  }

  std::string dequeue(std::string_view door) const {
    return one(fmt::format("select message_id from shop.queue_dequeue('{}')", door));
  }
};

}  // namespace

TEST_CASE("consumers of the new name handle what producers of the old one enqueue") {
  desk it;
  const auto before = it.one("select shop.email_enqueue_v1(1, 'before')");
  it.here().migrate_to_all();
  const auto after = it.one("select shop.email_enqueue_v1(2, 'after')");
  CHECK(it.all("select message_id from shop.mail_claim_v2(10)") == std::vector{before, after});
  CHECK(it.one(fmt::format("select shop.mail_ack({}, 1)", before)) == "t");
  CHECK(it.one(fmt::format("select shop.mail_nack({}, 1)", after)) == "retry");
}

TEST_CASE("consumers of the old name handle what producers of the new one enqueue") {
  desk it;
  it.here().migrate_to_all();
  const auto id = it.one("select shop.mail_enqueue_v2(1, 'after')");
  CHECK(it.all("select message_id from shop.email_claim_v1(10)") == std::vector{id});
  CHECK(it.one(fmt::format("select shop.email_release({}, 1)", id)) == "t");
  CHECK(it.all("select order_id from shop.email_take_v1()") == std::vector<std::string>{"1"});
}

TEST_CASE("an attempt is one attempt under both names") {
  desk it;
  it.here().migrate_to_all();
  const auto id = it.one("select shop.mail_enqueue_v2(1, 'x')");
  CHECK(it.dequeue("email") == id);
  CHECK(it.dequeue("mail") == "0 rows");
  CHECK(it.one(fmt::format("select shop.mail_extend({}, 1, '1h') > now()", id)) == "t");
  CHECK(it.one(fmt::format("select shop.mail_ack({}, 1)", id)) == "t");
  CHECK(it.one(fmt::format("select shop.email_ack({}, 1)", id)) == "f");
}

TEST_CASE("untyped programs use either name, and speak the contracts that bear it") {
  desk it;
  it.here().migrate_to_all();
  const auto old_id = it.enqueue("email");
  const auto new_id = it.enqueue("mail");
  CHECK(it.all("select contract_version from shop.email_message order by message_id") ==
        std::vector<std::string>{"1", "2"});
  CHECK(it.dequeue("mail") == old_id);
  CHECK(it.dequeue("email") == new_id);
  CHECK(it.one(fmt::format("select shop.queue_ack({})", old_id)) == "t");
  CHECK(it.one(fmt::format("select shop.queue_ack({}, 1)", new_id)) == "t");
  CHECK(it.refusal("select shop.queue_enqueue('post', '{}')") == "QN002: there is no queue \"post\"");
}

TEST_CASE("both views are the queue") {
  desk it;
  it.here().migrate_to_all();
  it.all(fmt::format("insert into shop.email (payload) values ({0}); insert into shop.mail (payload) values ({0})",
                     payload));
  CHECK(it.all("select contract_version from shop.email_message order by message_id") ==
        std::vector<std::string>{"1", "2"});
  CHECK(it.all("select payload ->> 'order_id' from shop.mail") == std::vector<std::string>{"7", "7"});
  it.all("update shop.email set status = 'completed'");
  CHECK(it.one("select count(*) from shop.mail") == "0");
}

TEST_CASE("what is paused or buried under one name is so under the other") {
  desk it;
  it.here().migrate_to_all();
  it.all("select shop.mail_enqueue_v2(1, 'x')");
  CHECK(it.one("select shop.mail_pause()") == "t");
  CHECK(it.dequeue("email") == "0 rows");
  CHECK(it.one("select is_paused from shop.email_stats()") == "t");
  CHECK(it.one("select shop.email_resume()") == "t");
  const auto id = it.dequeue("email");
  it.all("update shop.email_message set attempt = 8, release_count = 0");
  CHECK(it.one(fmt::format("select shop.email_nack({}, 8)", id)) == "dead");
  CHECK(it.one("select dead from shop.mail_stats()") == "1");
  CHECK(it.one(fmt::format("select shop.mail_redrive({})", id)) == "t");
}

TEST_CASE("each contract shakes hands under the name that it bears") {
  desk it;
  it.here().migrate_to_all();
  CHECK(it.handshake("email", 1) == "");
  CHECK(it.handshake("mail", 2) == "");
  CHECK(it.handshake("mail", 1) == "QN001: the database does not know contract v1 of \"mail\"");
  CHECK(it.handshake("email", 2) == "QN001: the database does not know contract v2 of \"email\"");
}

TEST_CASE("roles have the same rights under both names") {
  desk it;
  it.here().migrate_to_all();
  for (const auto* name : {"email", "mail"}) {
    INFO(name);
    const auto enqueue = fmt::format("select shop.queue_enqueue('{}', {})", name, payload);
    CHECK(it.refusal("set role web; " + enqueue) == "");
    CHECK(it.refusal("set role mailer; " + enqueue) == "42501: permission denied for function queue_enqueue");
    CHECK(it.refusal(fmt::format("set role mailer; select shop.queue_ack(message_id) from shop.queue_dequeue('{}')",
                                 name)) == "");
    CHECK(it.refusal(fmt::format("set role ops; select shop.{}_stats()", name)) == "");
    CHECK(it.refusal(fmt::format("set role web; select shop.{}_stats()", name)) ==
          fmt::format("42501: permission denied for function {}_stats", name));
    CHECK(it.refusal(fmt::format("set role courier; select shop.{}_ack(1, 1)", name)) ==
          "42501: permission denied for schema shop");
  }
}

TEST_CASE("the doors work in between, when only what all queues share has changed") {
  desk it;
  it.here().migrate_core();
  const auto id = it.enqueue("email");
  CHECK(it.refusal("select shop.queue_enqueue('mail', '{}')") == "QN002: there is no queue \"mail\"");
  CHECK(it.refusal("select shop.queue_dequeue('mail')") == "QN002: there is no queue \"mail\"");
  CHECK(it.dequeue("email") == id);
  CHECK(it.one(fmt::format("select shop.queue_ack({})", id)) == "t");
}

TEST_CASE("when the expansion is taken back, the old name goes on and the new one is gone") {
  desk it;
  it.here().migrate_to_all();
  const auto id = it.enqueue("email");
  it.here().roll_back();
  CHECK(it.refusal("select shop.queue_enqueue('mail', '{}')") == "QN002: there is no queue \"mail\"");
  CHECK(it.refusal("select * from shop.mail") == "42P01: relation \"shop.mail\" does not exist");
  CHECK(it.handshake("mail", 2) == "QN001: the database does not know contract v2 of \"mail\"");
  CHECK(it.dequeue("email") == id);
  CHECK(it.one(fmt::format("select shop.queue_ack({})", id)) == "t");
  it.here().migrate_to_all();
  const auto again = it.enqueue("mail");
  CHECK(it.dequeue("email") == again);
  CHECK(it.handshake("mail", 2) == "");
}

TEST_CASE("programs of three names work side by side") {
  desk it{"rename_queue_twice"};
  it.here().migrate_to_all();
  for (const auto* producer : {"email", "mail", "post"}) {
    for (const auto* consumer : {"email", "mail", "post"}) {
      INFO(producer << " to " << consumer);
      const auto id = it.enqueue(producer);
      CHECK(it.dequeue(consumer) == id);
      CHECK(it.one(fmt::format("select shop.queue_ack({})", id)) == "t");
    }
  }
}

TEST_CASE("a queue with its first name again has the contracts of that name behind it") {
  desk it{"rename_queue_back"};
  it.here().migrate_to_all();
  it.enqueue("email");
  it.enqueue("mail");
  it.all("select shop.email_enqueue_v3(1, 'x')");
  CHECK(it.all("select contract_version from shop.email_message order by message_id") ==
        std::vector<std::string>{"1", "2", "3"});
  CHECK(it.all("select message_id from shop.mail_claim_v2(10)").size() == 3);
}

TEST_CASE("the old name goes with its last contract") {
  desk it{"retire_former_name"};
  const auto id = it.enqueue("mail");
  CHECK(it.dequeue("mail") == id);
  it.here().migrate_to_all();
  CHECK(it.one(fmt::format("select shop.queue_ack({})", id)) == "t");
  CHECK(it.refusal(fmt::format("select shop.queue_enqueue('email', {})", payload)) ==
        "QN002: there is no queue \"email\"");
  CHECK(it.refusal("select shop.queue_dequeue('email')") == "QN002: there is no queue \"email\"");
  CHECK(it.refusal("select * from shop.email") == "42P01: relation \"shop.email\" does not exist");
  CHECK(it.refusal("select shop.email_ack(1, 1)") == "42883: function shop.email_ack(integer, integer) does not exist");
  CHECK(it.handshake("email", 1) == "QN001: contract v1 of \"email\" was retired");
  CHECK(it.enqueue("mail") != id);
}

TEST_CASE("the old name stays while untyped programs use it") {
  desk it{"retire_former_name"};
  const auto id = it.enqueue("email");
  CHECK(it.dequeue("mail") == id);
  CHECK(it.one(fmt::format("select shop.queue_ack({})", id)) == "t");
  CHECK_THAT(it.refused_migration(), test::starts_with("contract v1 of queue \"email\" was used at "));
  CHECK(it.enqueue("email") != id);
}

TEST_CASE("a queue goes with all of its names") {
  desk it{"drop_renamed_queue"};
  it.handshake("mail", 2);
  it.all("delete from shop.quern_client");
  it.here().migrate_to_all();
  CHECK(it.one("select count(*) from pg_proc where proname ~ '^(e?mail)_'") == "0");
  CHECK(it.one("select count(*) from pg_class where relname ~ '^(e?mail)'") == "0");
  CHECK(it.one("select count(*) from shop.quern_contract") == "1");
}
