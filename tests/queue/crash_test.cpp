#include <fmt/format.h>

#include <csignal>

#include "cluster/scratch.hpp"
#include "queue/workshop.hpp"
#include "support/catch.hpp"

TEST_CASE("after a crash of the server every message that was not ended is there and can be claimed", "[rows]") {
  cluster::scratch server;
  std::string schema;
  const std::string url = server.url();
  {
    test::workshop here{test::mail_queue, url};
    schema = here.schema();
    here.db.ask("create table handled (body text)");
    for (const auto* body : {"acknowledged", "claimed", "claiming", "taken", "taking", "failed", "ready"})
      here.db.send(body);
    here.db.send("delayed", "1 h");
    auto held = here.db.receive(2);
    REQUIRE(here.db.ack(held[0]));
    auto claiming = here.open();
    claiming.begin();
    REQUIRE(test::bodies(claiming.receive(1)) == "claiming");
    here.db.ask("begin; insert into handled select body from mail_take_v1(1); commit");
    auto taking = here.open();
    taking.ask("begin; insert into handled select body from mail_take_v1(1)");
    auto failed = here.db.receive(1);
    REQUIRE(test::bodies(failed) == "failed");
    REQUIRE(here.db.fail(failed.front(), "1 h") == "retry");
    auto acknowledging = here.open();
    acknowledging.begin();
    REQUIRE(acknowledging.ack(held[1]));
    auto sending = here.open();
    sending.begin();
    sending.send("never sent");
    here.db.ask("checkpoint");
    server.stop(cluster::shutdown::immediate);
  }
  server.start();

  test::session after{url, schema};
  CHECK(after.ask("select body from handled") == "taken");
  CHECK(after.ask("select ready, delayed, leased, dead from mail_stats()") == "3|2|1|0");
  after.ask(R"(
    update mail_message set lease_until = lease_until - interval '2 h';
    update mail_delayed set due_at = due_at - interval '2 h';
    select setval('mail_v1_swept_at', (extract(epoch from clock_timestamp()) * 1000)::bigint - 150)
  )");
  std::string found;
  for (int i = 0; i < 8; ++i) {
    for (const auto& message : after.receive(1)) {
      found += message.body + " ";
      CHECK(after.ack(message));
    }
  }
  CHECK(found == "delayed failed claimed claiming taking ready ");
  // Ids that were drawn before the crash are not drawn again.
  CHECK(after.send("new") > 9);
  CHECK(test::bodies(after.receive(9)) == "new");
}
