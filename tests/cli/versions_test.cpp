// Two contracts over one table: the declarations of tests/rollout, in SQL as any language would call it.

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <quern/transaction.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/program.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/files.hpp"
#include "support/places.hpp"

namespace {

namespace fs = std::filesystem;

/// A project and its database, brought from one release to the next.
class project {
 public:
  explicit project(const std::string& sunset = "1s") : sunset_{sunset} {}

  void declare(const std::string& version) const {
    auto text = test::content_of(test::source_dir() / "tests/rollout" / version / "quern.toml");
    const std::string given = "sunset = \"1s\"";
    text.replace(text.find(given), given.size(), fmt::format("sunset = \"{}\"", sunset_));
    desk_.write("quern.toml", text);
  }

  void deploy(const std::string& version) const {
    declare(version);
    run(with_templates({"generate"}));
    run(with_templates({"release"}));
    run({"migrate"});
  }

  /// With those of QUERN_TEST_TEMPLATES, to see a test fail without a guard.
  static std::vector<std::string> with_templates(std::vector<std::string> command) {
    if (const char* const templates = std::getenv("QUERN_TEST_TEMPLATES")) {
      command.insert(command.end(), {"--templates", templates});
    }
    return command;
  }

  test::outcome quern(const std::vector<std::string>& arguments) const {
    return desk_.quern(arguments, {{"QUERN_DATABASE", database_.url()}});
  }

  void run(const std::vector<std::string>& arguments) const {
    const auto ended = quern(arguments);
    INFO(ended.out);
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
  }

  /// Tries again while the sunset has not passed.
  void run_after_sunset(const std::vector<std::string>& arguments) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    auto ended = quern(arguments);
    while (ended.exit_code == 9 && std::chrono::steady_clock::now() < end) ended = quern(arguments);
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
  }

  const std::string& url() const { return database_.url(); }
  const test::desk& desk() const { return desk_; }

 private:
  std::string sunset_;
  test::desk desk_;
  test::database database_;
};

std::string only(quern::connection& db, const std::string& sql) {
  const auto rows = db.execute(sql);
  REQUIRE(rows.size() <= 1);
  return rows.empty() ? "nothing" : rows[0].get<std::string>(0);
}

void enqueue_v1(quern::connection& db, std::int64_t order) {
  db.execute("select shop.email_enqueue_v1(p_order_id => $1, p_customer_id => 7, p_recipient => 'a')", order);
}

/// One that programs of contract v1 can read, unless the client's number is beyond theirs.
void enqueue_v2(quern::connection& db, std::int64_t order, std::int64_t client) {
  db.execute("select shop.email_enqueue_v2(p_order_id => $1, p_client_id => $2, p_recipient => 'b', p_weight => 2.5)",
             order, client);
}

/// What a failing statement says: `SQLSTATE message`.
std::string refusal(quern::connection& db, const std::string& sql) {
  try {
    db.execute(sql);
  } catch (const quern::error& refused) {
    return refused.sqlstate() + " " + refused.message();
  }
  return "it was not refused";
}

constexpr std::int64_t beyond = 5'000'000'000;

}  // namespace

TEST_CASE("each contract reads the other's messages as its own") {
  project shop;
  shop.deploy("v1");
  quern::connection db{shop.url()};
  enqueue_v1(db, 1);
  shop.deploy("v2");
  enqueue_v2(db, 2, 8);
  CHECK(only(db, "select c::text from shop.email_take_v2() as c").ends_with(",1,7,a,email,-,1)"));
  CHECK(only(db, "select c::text from shop.email_take_v1() as c").ends_with(",2,8,b,email,-)"));
}

TEST_CASE("what a contract cannot read stays for one that can") {
  project shop;
  shop.deploy("v1");
  shop.deploy("v2");
  quern::connection db{shop.url()};
  enqueue_v2(db, 1, beyond);
  db.execute("select shop.email_enqueue_v2(p_order_id => 2, p_client_id => 1, p_recipient => null)");
  db.execute("select shop.email_enqueue_v2(p_order_id => 3, p_client_id => 1, p_channel => 'fax')");
  db.execute("select shop.email_enqueue_v2(p_order_id => 4, p_client_id => $1, p_delay => interval '1 us')", beyond);
  enqueue_v2(db, 5, 1);
  CHECK(only(db, "select string_agg(order_id::text, ',') from shop.email_claim_v1(10)") == "5");
  CHECK(only(db, "select string_agg(order_id::text, ',' order by order_id) from shop.email_claim_v2(10)") == "1,2,3,4");
}

TEST_CASE("messages that a contract cannot read, however many, do not keep it from those that it can") {
  project shop;
  shop.deploy("v1");
  shop.deploy("v2");
  quern::connection db{shop.url()};
  db.execute(
      "insert into shop.email_message (contract_version, order_id, client_id, note) select 2, g, $1, '-' from "
      "generate_series(1, 30000) as g",
      beyond);
  enqueue_v1(db, 40'000);
  CHECK(only(db, "select order_id::text from shop.email_take_v1()") == "40000");
  // Consumers of the older contract go on looking from the low-water mark; those of the newer one have their own way.
  for (int i = 0; i < 3; ++i) CHECK(only(db, "select count(*)::text from shop.email_take_v2(10000)") == "10000");
  enqueue_v1(db, 40'001);
  CHECK(only(db, "select order_id::text from shop.email_take_v1()") == "40001");
}

TEST_CASE("nobody is told to come for a delayed message that its contract cannot read, nor while the queue is paused") {
  project shop;
  shop.deploy("v1");
  shop.deploy("v2");
  quern::connection db{shop.url()};
  db.execute("select shop.email_enqueue_v2(p_order_id => 1, p_client_id => $1, p_delay => interval '1 us')", beyond);
  CHECK(only(db, "select (shop.email_next_due_v1() is null)::text") == "true");
  CHECK(only(db, "select (shop.email_next_due_v2() <= clock_timestamp())::text") == "true");
  db.execute("select shop.email_pause()");
  CHECK(only(db, "select (shop.email_next_due_v2() is null)::text") == "true");
}

TEST_CASE("a message that came back is found by its contract while consumers of another one sweep all the time") {
  project shop;
  shop.deploy("v1");
  shop.deploy("v2");
  quern::connection db{shop.url()};
  quern::connection other{shop.url()};
  // Far enough behind the frontier that only a sweep finds it.
  enqueue_v2(db, 1, beyond);
  db.execute(
      "insert into shop.email_message (contract_version, order_id, client_id, note) select 2, g, 1, '-' from "
      "generate_series(2, 20001) as g");
  db.execute("select from shop.email_claim_v2(1)");
  db.execute("select from shop.email_take_v2(20000)");
  db.execute("update shop.email_message set lease_until = clock_timestamp() where order_id = 1");
  for (int i = 0; i < 1000; ++i) {
    other.execute("select from shop.email_claim_v1(1)");
    if (db.execute("select order_id from shop.email_claim_v2(1)").size() == 1) return;
  }
  FAIL("it was never found");
}

namespace {

/// What `used` gives of two messages of v2, one of which v1 can read, in a session that has called v1 before there was
/// a v2.
std::size_t given_to_a_session_from_before(const quern::prepared& used, const quern::prepared& other) {
  project shop;
  shop.deploy("v1");
  quern::connection old{shop.url()};
  old.execute(other);
  old.execute(used);
  // Until it locks something, an open transaction does not look for what others have changed.
  quern::transaction open{old};
  old.execute("select 1");
  shop.deploy("v2");
  quern::connection db{shop.url()};
  enqueue_v2(db, 2, beyond);
  // It buries this one, looks again, and by then calls what is new.
  enqueue_v1(db, 1);
  db.execute("update shop.email_message set attempt = 8, lease_until = now() where order_id = 1");
  enqueue_v2(db, 3, 8);
  const auto given = old.execute(used).size();
  CHECK(only(old, "select count(*)::text from shop.email_dead") == "1");
  return given;
}

}  // namespace

TEST_CASE("a session that still has a function in its old form leaves messages of a newer contract alone") {
  const quern::prepared claim{"select order_id from shop.email_claim_v1(10)"};
  const quern::prepared take{"select order_id from shop.email_take_v1(10)"};
  for (const auto& [used, other] : {std::pair{&claim, &take}, std::pair{&take, &claim}}) {
    // Where others change much, the server makes a session look that lags behind: it has the new form then, and is
    // given what that can read.
    std::size_t given = 1;
    for (int tries = 0; tries < 10 && given == 1; ++tries) given = given_to_a_session_from_before(*used, *other);
    CHECK(given == 0);
  }
}

TEST_CASE("a handshake notes who speaks which contract, and leaves no dead rows behind") {
  project shop;
  shop.deploy("v1");
  quern::connection db{shop.url(), {.application_name = "mail worker"}};
  const auto print = only(db, "select fingerprint from shop.quern_contract where queue = 'email'");
  for (int i = 0; i < 1000; ++i) db.execute("select shop.quern_handshake('email', 1, $1)", print);
  CHECK(only(db, "select string_agg(format('%s v%s %s', queue, version, client), ',') from shop.quern_client") ==
        "email v1 mail worker");
  db.execute("select pg_stat_force_next_flush()");
  CHECK(
      only(db,
           "select n_dead_tup::text from pg_stat_user_tables where schemaname = 'shop' and relname = 'quern_client'") ==
      "0");
}

TEST_CASE("a handshake waits for nobody, and works where nothing can be written") {
  project shop;
  shop.deploy("v1");
  quern::connection db{shop.url(), {.application_name = "worker"}};
  quern::connection other{shop.url(), {.application_name = "worker"}};
  const auto print = only(db, "select fingerprint from shop.quern_contract where queue = 'email'");
  quern::transaction open{db};
  db.execute("select shop.quern_handshake('email', 1, $1)", print);
  other.execute("set lock_timeout = '1ms'");
  other.execute("select shop.quern_handshake('email', 1, $1)", print);
  other.execute("set default_transaction_read_only = on");
  other.execute("select shop.quern_handshake('email', 1, $1)", print);
}

TEST_CASE("a contract is not retired while somebody used it within the sunset") {
  project shop{"1h"};
  shop.deploy("v1");
  quern::connection db{shop.url(), {.application_name = "old worker"}};
  const auto print = only(db, "select fingerprint from shop.quern_contract where queue = 'email'");
  db.execute("select shop.quern_handshake('email', 1, $1)", print);
  shop.deploy("v2");
  const auto refused = shop.quern(shop.with_templates({"retire", "email", "1"}));
  CHECK(refused.exit_code == 9);
  CHECK(refused.err.find("contract v1 of queue \"email\" was used at ") != std::string::npos);
  CHECK(refused.err.find("which is less than 1h ago") != std::string::npos);
  CHECK(refused.err.find("detail: It was spoken by: old worker (role ") != std::string::npos);
  CHECK_FALSE(fs::exists(shop.desk().root() / "migrations/email/0003_retire_v1.sql"));
}

TEST_CASE("a producer or consumer that shakes no hands is noticed as well") {
  for (const auto* call :
       {"select shop.email_enqueue_v1(1, 7, 'a')", "select from shop.email_claim_v1()",
        "select shop.email_enqueue_many_v1(array[1::bigint], array[7], array['a'])", "select shop.email_wake_v1()",
        "select shop.queue_enqueue('email', '{\"order_id\": 1, "
        "\"customer_id\": 7, \"recipient\": \"a\"}')"}) {
    INFO(call);
    project shop{"1h"};
    shop.deploy("v1");
    quern::connection db{shop.url()};
    db.execute(call);
    db.execute("delete from shop.email_message");
    shop.deploy("v2");
    const auto refused = shop.quern(shop.with_templates({"retire", "email", "1"}));
    CHECK(refused.exit_code == 9);
    CHECK(refused.err.find("It was spoken by: callers that did not shake hands.") != std::string::npos);
  }
}

TEST_CASE("a contract is not retired while messages of it remain, ready, delayed or dead") {
  for (const auto* table : {"message", "delayed", "dead"}) {
    INFO(table);
    project shop;
    shop.deploy("v1");
    shop.deploy("v2");
    quern::connection db{shop.url()};
    const std::string_view name = table;
    const auto* extra = name == "delayed" ? ", due_at" : name == "dead" ? ", message_id, enqueued_at, attempt" : "";
    const auto* values = name == "delayed" ? ", now()" : name == "dead" ? ", 1, now(), 1" : "";
    db.execute(
        fmt::format("insert into shop.email_{} (contract_version, order_id, customer_id, recipient{}) values (1, "
                    "1, 1, 'a'{})",
                    table, extra, values));
    const auto refused = shop.quern(shop.with_templates({"retire", "email", "1"}));
    CHECK(refused.exit_code == 9);
    CHECK(refused.err.find("1 message of queue \"email\" remains in contract v1") != std::string::npos);
    db.execute(fmt::format("delete from shop.email_{}", table));
    shop.run_after_sunset(shop.with_templates({"retire", "email", "1"}));
    shop.run_after_sunset({"migrate"});
  }
}

TEST_CASE("a retired contract is refused to who still speaks it, and nothing of it is left") {
  project shop;
  shop.deploy("v1");
  quern::connection db{shop.url()};
  const auto print = only(db, "select fingerprint from shop.quern_contract where queue = 'email'");
  shop.deploy("v2");
  shop.run_after_sunset(shop.with_templates({"retire", "email", "1"}));
  shop.run_after_sunset({"migrate"});
  CHECK(refusal(db, fmt::format("select shop.quern_handshake('email', 1, '{}')", print)) ==
        "QN001 contract v1 of \"email\" was retired");
  CHECK(refusal(db, "insert into shop.email_message (contract_version, order_id, note, client_id) values (1, 1, '', 1)")
            .find("\"email_contract_version_known\"") != std::string::npos);
  CHECK(only(db,
             "select count(*)::text from pg_proc where pronamespace = 'shop'::regnamespace and proname "
             "like '%v1'") == "0");
  CHECK(only(db,
             "select string_agg(attname, ',' order by attnum) from pg_attribute where attrelid = "
             "'shop.email_message'::regclass and attnum > 7 and not attisdropped") ==
        "order_id,recipient,channel,note,client_id,weight");
  CHECK(only(db,
             "select count(*)::text from pg_class where relnamespace = 'shop'::regnamespace and relkind = "
             "'S' and relname like '%v1%'") == "0");
}

TEST_CASE("untyped programs speak the oldest live contract until it is retired") {
  project shop;
  shop.deploy("v1");
  shop.deploy("v2");
  quern::connection db{shop.url()};
  const auto enqueue = [&](const std::string& payload) {
    db.execute(fmt::format("select shop.queue_enqueue('email', '{}')", payload));
    return only(db, "select contract_version::text from shop.email_message order by message_id desc limit 1");
  };
  CHECK(enqueue(R"({"order_id": 1, "customer_id": 7, "recipient": "a"})") == "1");
  CHECK(enqueue(R"({"order_id": 2, "client_id": 8, "recipient": "b"})") == "2");
  CHECK(refusal(db, R"(select shop.queue_enqueue('email', '{"order_id": 2}'))") ==
        "QN003 the payload does not fit the contract of queue \"email\"");
  CHECK(only(db, "select payload::text from shop.queue_dequeue('email')").find("customer_id") != std::string::npos);
  CHECK(only(db, "select payload ->> 'customer_id' from shop.queue_dequeue('email')") == "8");
  CHECK(only(db, "select string_agg(payload ->> 'customer_id', ',' order by id) from shop.email") == "7,8");
  db.execute("delete from shop.email_message");
  shop.run_after_sunset(shop.with_templates({"retire", "email", "1"}));
  shop.run_after_sunset({"migrate"});
  CHECK(enqueue(R"({"order_id": 2, "client_id": 8, "recipient": "b"})") == "2");
  CHECK(only(db, "select payload ->> 'client_id' from shop.queue_dequeue('email')") == "8");
}

TEST_CASE("untyped programs speak the oldest live contract that takes their values") {
  const test::desk desk;
  const test::database database;
  const auto deploy = [&](const std::string& channels, const std::string& fields) {
    desk.write("quern.toml", "[project]\nname = \"shop\"\n[enums.channel]\nvalues = [\"email\"" + channels +
                                 "]\n[queues.email.payload]\n" + fields + "[streams.activity.payload]\n" + fields);
    for (const auto& command : {project::with_templates({"generate"}), project::with_templates({"release"}),
                                std::vector<std::string>{"migrate"}}) {
      const auto ended = desk.quern(command, {{"QUERN_DATABASE", database.url()}});
      INFO(ended.err);
      REQUIRE(ended.exit_code == 0);
    }
  };
  deploy("",
         "size = \"int32?\"\nprice = \"numeric(4,2)?\"\nname = { type = \"text?\", max_length = 3 }\n"
         "channel = \"channel?\"\nsizes = \"int16[]?\"\n");
  deploy(", \"sms\"",
         "size = \"int64?\"\nprice = \"numeric(8,2)?\"\nname = { type = \"text?\", max_length = 5 }\n"
         "channel = \"channel?\"\nsizes = \"int32[]?\"\n");
  quern::connection db{database.url()};
  const auto taken_as = [&](const std::string& payload) {
    db.execute(
        fmt::format("select shop.queue_enqueue('email', '{0}'), shop.stream_publish('activity', '{0}')", payload));
    const auto message =
        only(db, "select contract_version::text from shop.email_message order by message_id desc limit 1");
    const auto event =
        only(db, "select contract_version::text from shop.activity_event order by event_number desc limit 1");
    CHECK(message == event);
    return message;
  };
  CHECK(taken_as(R"({"size": 2147483647, "price": 99.99, "name": "abc", "channel": "email", "sizes": [32767]})") ==
        "1");
  CHECK(taken_as("{}") == "1");
  CHECK(taken_as(R"({"size": 3000000000})") == "2");
  CHECK(taken_as(R"({"price": 100})") == "2");
  CHECK(taken_as(R"({"name": "abcd"})") == "2");
  CHECK(taken_as(R"({"channel": "sms"})") == "2");
  CHECK(taken_as(R"({"sizes": [1, 32768]})") == "2");
  // What none takes is refused in the words of the newest.
  CHECK(refusal(db, R"(select shop.queue_enqueue('email', '{"size": 1e30}'))").starts_with("22003 "));
  CHECK(refusal(db, R"(select shop.queue_enqueue('email', '[1]'))") ==
        "QN003 the payload for queue \"email\" must be a JSON object");
}
