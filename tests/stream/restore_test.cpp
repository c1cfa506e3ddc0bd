

#include "cluster/scratch.hpp"
#include "queue/dump.hpp"
#include "stream/crew.hpp"
#include "support/catch.hpp"

// What becomes of a stream when its server crashes, or its database comes back in another cluster: I2, I8.

TEST_CASE("after a crash the offsets that were shown are those of the same events, and the count goes on") {
  cluster::scratch server;
  std::string schema;
  const std::string url = server.url();
  std::string shown;
  {
    test::journal here{test::log_stream, url};
    schema = here.schema();
    here.publish("a");
    auto open = here.open();
    open.begin();
    test::journal::publish(open, "lost");
    here.publish("b");
    shown = here.read();
    CHECK(shown == "1|a 2|b");
    CHECK(here.ack("audit", 1) == "1");
    auto sealing = here.open();
    here.publish("c");
    sealing.begin();
    CHECK(sealing.ask("select log_seal()") == "1");
    server.stop(cluster::shutdown::immediate);
  }
  server.start();
  test::session after{url, schema};
  CHECK(test::journal::read(after) == "1|a 2|b 3|c");
  CHECK(test::journal::receive(after, "audit") == "2|b 3|c");
  test::journal::publish(after, "d");
  CHECK(test::journal::read(after) == "1|a 2|b 3|c 4|d");
}

TEST_CASE("after a restore into another cluster the first call says what to run, and nothing is skipped") {
  cluster::scratch old;
  cluster::scratch young;
  test::journal before{test::log_stream, old.url()};
  test::use_up_transaction_ids(before.db);
  before.publish("a");
  before.publish("b");
  CHECK(before.read() == "1|a 2|b");
  CHECK(before.ack("audit", 1) == "1");
  before.db.ask("begin; select log_publish_v1('x1'); select log_publish_v1('x2'); commit");
  before.publish("y");
  test::session{young.url(), "public"}.ask("create role qt_web; create role qt_mailer; create role qt_ops");
  test::move_schema(old.url(), before.schema(), young.url());

  test::session after{young.url(), before.schema()};
  // Publishing goes on whatever the others say.
  test::journal::publish(after, "new");
  constexpr auto refused =
      "QN020: stream \"log\" was brought here from another cluster, where transactions had other ids";
  for (const auto* call : {"log_read_v1(0)", "log_receive_v1('audit')", "log_seal()", "log_ack('audit', 1, 1)",
                           "log_subscribe('x')", "log_seek('audit', 0)", "log_maintain()", "log_lag()"})
    CHECK(after.refusal(fmt::format("select {}", call)) == refused);
  CHECK(after.ask("select log_restored()") == "4");
  CHECK(after.ask("select log_restored()") == "0");
  CHECK(test::journal::read(after) == "1|a 2|b 3|x1 4|x2 5|y 6|new");
  CHECK(test::journal::receive(after, "audit", 2) == "2|b 3|x1");
  // Ids of the new cluster reach those of the old one: they are told apart.
  test::use_up_transaction_ids(after);
  test::use_up_transaction_ids(after);
  test::journal::publish(after, "last");
  CHECK(test::journal::read(after) == "1|a 2|b 3|x1 4|x2 5|y 6|new 7|last");
  CHECK(test::journal::read(after, 1, 3) == "2|b 3|x1 4|x2");
}

TEST_CASE("a stream that rotated and was idle since, or has no event yet, is repaired after a restore too") {
  cluster::scratch old;
  cluster::scratch young;
  test::journal before{test::log_stream, old.url()};
  test::use_up_transaction_ids(before.db);
  const bool has_events = GENERATE(true, false);
  if (has_events) {
    before.publish("1");
    CHECK(before.read() == "1|1");
    REQUIRE(before.rotate());
  }
  test::session{young.url(), "public"}.ask("create role qt_web; create role qt_mailer; create role qt_ops");
  test::move_schema(old.url(), before.schema(), young.url());
  test::session after{young.url(), before.schema()};
  test::journal::publish(after, "new");
  CHECK(after.ask("select log_restored()") == "1");
  CHECK(after.ask("select log_restored()") == "0");
  CHECK(test::journal::read(after) == (has_events ? "1|1 2|new" : "1|new"));
}

TEST_CASE("a stream that was restored without its data says so") {
  test::journal here;
  here.db.ask("truncate log_page");
  CHECK(here.db.refusal("select log_restored()") == "QN020: stream \"log\" was restored without its data");
}

TEST_CASE("after a restore publishing comes round to the segments of the other cluster") {
  cluster::scratch old;
  cluster::scratch young;
  test::journal before{test::log_stream, old.url()};
  test::use_up_transaction_ids(before.db);
  before.publish("1");
  CHECK(before.read() == "1|1");
  REQUIRE(before.rotate());
  before.publish("2");
  before.read();
  test::session{young.url(), "public"}.ask("create role qt_web; create role qt_mailer; create role qt_ops");
  test::move_schema(old.url(), before.schema(), young.url());
  test::session after{young.url(), before.schema()};
  CHECK(after.ask("select log_restored()") == "0");
  for (int offset = 3; offset <= 12; ++offset) {
    test::journal::publish(after, fmt::to_string(offset));
    CHECK(test::journal::read(after, offset - 1) == fmt::format("{0}|{0}", offset));
    after.ask(fmt::format("select log_seek(c.consumer, {}) from log_consumer as c", offset));
    after.ask("update log_page set sealed_at = sealed_at - interval '2 hours'");
    after.ask("select log_maintain()");
    CHECK(after.ask("select log_rotate('-1 s')") == "t");
  }
  CHECK(after.ask("select foreign_segments from log_page order by first_offset desc, last_offset desc limit 1") ==
        "{}");
}

TEST_CASE("a transaction that runs during the repair publishes as ever") {
  cluster::scratch old;
  cluster::scratch young;
  test::journal before{test::log_stream, old.url()};
  test::use_up_transaction_ids(before.db);
  before.publish("a");
  CHECK(before.read() == "1|a");
  test::session{young.url(), "public"}.ask("create role qt_web; create role qt_mailer; create role qt_ops");
  test::move_schema(old.url(), before.schema(), young.url());
  test::session after{young.url(), before.schema()};
  test::session early{young.url(), before.schema()};
  early.ask("begin; select pg_current_xact_id()");
  CHECK(after.ask("select log_restored()") == "0");
  test::journal::publish(after, "b");
  CHECK(test::journal::read(after) == "1|a 2|b");
  test::journal::publish(early, "early");
  early.commit();
  CHECK(test::journal::read(after) == "1|a 2|b 3|early");
}

TEST_CASE("after a restore claims are those of the same events, and come back when nobody works on them") {
  cluster::scratch old;
  cluster::scratch young;
  test::crew before{old.url()};
  test::use_up_transaction_ids(before.db);
  before.fill(6);
  auto ann = before.enlist();
  auto bob = before.hire();
  CHECK(ann.claim(2) == "1 2");
  CHECK(bob.claim(2) == "3 4");
  CHECK(bob.nack(4) == "retry");
  CHECK(bob.batch != ann.batch);
  test::session{young.url(), "public"}.ask("create role qt_web; create role qt_mailer; create role qt_ops");
  test::move_schema(old.url(), before.schema(), young.url());

  test::hand after{test::session{young.url(), before.schema()}};
  CHECK(after.db.refusal(after.claiming()) ==
        "QN020: stream \"log\" was brought here from another cluster, where transactions had other ids");
  CHECK(after.db.ask("select log_restored()") == "0");
  CHECK(after.claim_attempts() == "1|2 2|2");
  CHECK(after.ack() == "2");
  CHECK(after.claim() == "5 6");
  CHECK(after.ack() == "2");
  CHECK(after.claim().empty());
  after.db.ask(
      "update log_claim set lease_until = lease_until - interval '61 s' where is_open; update log_failed set due_at = "
      "now()");
  CHECK(after.claim_attempts() == "3|2");
  CHECK(after.ack() == "1");
  CHECK(after.claim_attempts() == "4|2");
}

TEST_CASE("after a crash what was acknowledged stays so, and what was claimed comes again") {
  cluster::scratch server;
  std::string schema;
  std::string batch;
  {
    test::crew here{server.url()};
    schema = here.schema();
    here.fill(4);
    auto ann = here.enlist();
    CHECK(ann.claim(2) == "1 2");
    CHECK(ann.ack() == "2");
    CHECK(ann.claim(2) == "3 4");
    batch = ann.batch;
    server.stop(cluster::shutdown::immediate);
  }
  server.start();
  test::hand after{test::session{server.url(), schema}};
  after.batch = batch;
  CHECK(after.claim() == "3 4");
  CHECK(after.batch != batch);
  CHECK(after.ack() == "2");
}

TEST_CASE("consumers whose places were cleared away while they were dumped begin again at the oldest event") {
  cluster::scratch old;
  cluster::scratch young;
  test::crew before{old.url()};
  test::use_up_transaction_ids(before.db);
  before.fill(3);
  CHECK(before.ack("audit", 2) == "2");
  auto ann = before.hire();
  CHECK(ann.claim(2) == "1 2");
  CHECK(ann.ack() == "2");
  auto dumping = before.open();
  dumping.ask("begin isolation level repeatable read");
  const auto snapshot = dumping.ask("select pg_export_snapshot()");
  REQUIRE(before.db.ask("select log_compact(0)") == "t");
  test::session{young.url(), "public"}.ask("create role qt_web; create role qt_mailer; create role qt_ops");
  test::move_schema(old.url(), before.schema(), young.url(), snapshot);

  test::session after{young.url(), before.schema()};
  REQUIRE(after.ask("select count(*) from log_position") == "0");
  CHECK(after.ask("select log_restored()") == "0");
  CHECK(test::journal::receive(after, "audit") == "1|1 2|2 3|3");
  CHECK(after.ask("select event_offset from log_claim_v1('crew')") == "1 2 3");
  CHECK(after.ask("select up_to, claims from log_lag() where consumer = 'crew'") == "0|1");
}
