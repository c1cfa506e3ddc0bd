#include <fmt/format.h>

#include "cluster/scratch.hpp"
#include "queue/dump.hpp"
#include "queue/workshop.hpp"
#include "support/catch.hpp"

// What becomes of a queue with a log whose database comes back in another cluster, where transactions have other ids.

namespace {

constexpr std::string_view logged = R"(
[queues.mail]
storage = "log"
retry   = { max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }
[queues.mail.payload]
body = "text"
)";

constexpr auto refused =
    "QN020: queue \"mail\" was brought here from another cluster, where transactions had other ids";

}  // namespace

TEST_CASE(
    "after a restore into another cluster the first call says what to run, and then all that is not done is there") {
  cluster::scratch old;
  cluster::scratch young;
  test::workshop before{logged, old.url()};
  test::use_up_transaction_ids(before.db);
  for (const auto* body : {"done", "done too", "held", "failed", "lapsed"}) before.db.send(body);
  CHECK(before.db.ack_many(before.db.receive(2)) == "{}");
  const auto held = before.db.receive(1, "1 h");
  CHECK(before.db.fail(before.db.receive(1).front(), "1 h") == "retry");
  CHECK(test::bodies(before.db.receive(1, "1 ms")) == "lapsed");
  before.db.send("waiting");
  auto open = before.open();
  open.begin();
  open.send("never sent");
  before.db.send("waiting too");
  before.db.send("delayed", "1 h");
  CHECK(test::bodies(before.db.receive(1, "1 h")) == "lapsed");
  CHECK(test::bodies(before.db.receive(1, "1 h")) == "waiting");
  test::move_schema(old.url(), before.schema(), young.url());

  test::session after{young.url(), before.schema()};
  // Producers go on whatever the others say.
  after.send("new");
  for (const auto* call : {"mail_claim_v1()", "mail_take_v1()", "mail_claim_json()", "mail_stats()", "mail_maintain()"})
    CHECK(after.refusal(fmt::format("select {}", call)) == refused);
  after.send("newer");
  CHECK(after.ask("select mail_restored()") == "5");
  CHECK(after.ask("select mail_restored()") == "0");
  CHECK(after.ask("select ready, delayed, leased, dead from mail_stats()") == "3|2|3|0");
  after.send("last");
  CHECK(test::bodies(after.receive(9)) == "waiting too new newer last");
  CHECK(after.receive(9).empty());
  CHECK(after.ack(held.front()));
  CHECK_FALSE(after.ack(held.front()));
}

TEST_CASE("a copy in another database of the same cluster is told from its original") {
  cluster::scratch server;
  test::workshop before{logged, server.url()};
  before.db.send("a");
  CHECK(before.db.ack(before.db.receive_one()));
  before.db.send("b");
  before.db.ask("create database copy");
  auto url = server.url();
  url.replace(url.find("/postgres?"), 10, "/copy?");
  test::move_schema(server.url(), before.schema(), url);
  test::session after{url, before.schema()};
  CHECK(after.refusal("select mail_claim_v1()") == refused);
  CHECK(after.ask("select mail_restored()") == "1");
  CHECK(test::bodies(after.receive(9)) == "b");
  CHECK(test::bodies(before.db.receive(9)) == "b");
}

TEST_CASE("messages whose claims were cleared away while they were dumped come again rather than not at all") {
  cluster::scratch old;
  cluster::scratch young;
  test::workshop before{logged, old.url()};
  test::use_up_transaction_ids(before.db);
  for (const auto* body : {"done", "held", "waiting"}) before.db.send(body);
  CHECK(before.db.ack(before.db.receive_one()));
  CHECK(before.db.receive(1).size() == 1);
  auto dumping = before.open();
  dumping.ask("begin isolation level repeatable read");
  const auto snapshot = dumping.ask("select pg_export_snapshot()");
  REQUIRE(before.db.ask("select mail_compact(0)") == "t");
  test::move_schema(old.url(), before.schema(), young.url(), snapshot);

  test::session after{young.url(), before.schema()};
  REQUIRE(after.ask("select count(*) from mail_claim") == "0");
  CHECK(after.refusal("select mail_claim_v1()") == refused);
  CHECK(after.ask("select mail_restored()") == "3");
  CHECK(test::bodies(after.receive(9)) == "done held waiting");
}
