#include <fmt/format.h>

#include <cstdlib>

#include "queue/workshop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

TEST_CASE("a program shakes hands with the contract that it was generated from and with no other") {
  test::workshop here;
  const auto fingerprint = here.db.ask("select fingerprint from quern_contract where queue = 'mail'");
  CHECK(fingerprint.size() == 64);
  CHECK(here.db.refusal(fmt::format("select quern_handshake('mail', 1, '{}')", fingerprint)).empty());
  CHECK(here.db.refusal(fmt::format("select quern_handshake('mail', 2, '{}')", fingerprint)) ==
        "QN001: the database does not know contract v2 of \"mail\"");
  CHECK(here.db.refusal(fmt::format("select quern_handshake('male', 1, '{}')", fingerprint)) ==
        "QN001: the database does not know contract v1 of \"male\"");
  CHECK(here.db.refusal("select quern_handshake('mail', 1, 'f00')") ==
        fmt::format("QN001: contract v1 of \"mail\" is not the same in this program and in the database (The "
                    "program has fingerprint f00, the database {}.)",
                    fingerprint));
  CHECK_THAT(here.db.refusal("select quern_handshake('mail', 1, null)"), test::starts_with("QN001: "));
  for (const auto* role : {"qt_web", "qt_mailer", "qt_ops"})
    CHECK(here.open(role).refusal(fmt::format("select quern_handshake('mail', 1, '{}')", fingerprint)).empty());
}

TEST_CASE("a queue without a schema has one contract, whatever its name") {
  test::workshop here{"[queues.one]\npayload = \"jsonb\"\n[queues.two]\npayload = \"jsonb\"\n"};
  CHECK(here.db.ask("select queue, version from quern_contract order by queue") == "one|1 two|1");
  CHECK(here.db.ask("select one_enqueue_v1('{}'), two_enqueue_v1('{}')") == "1|10000000000001");
  CHECK(here.db.ask("select quern_queue_of(1), quern_queue_of(10000000000000), quern_queue_of(10000000000001), "
                    "quern_queue_of(20000000000001)") == "one|one|two|null");
}

TEST_CASE("a project that is dumped and restored elsewhere goes on where it was") {
  test::workshop here;
  for (const auto* body : {"acknowledged", "held", "failed", "ready"}) here.db.send(body);
  here.db.send("delayed", "1 h");
  const auto held = here.db.receive(3);
  CHECK(here.db.ack(held[0]));
  CHECK(here.db.fail(held[2], "1 h") == "retry");

  const test::database elsewhere;
  const auto command = fmt::format("pg_dump --schema={} '{}' | psql -qX -v ON_ERROR_STOP=1 '{}' > /dev/null",
                                   here.schema(), here.url(), elsewhere.url());
  REQUIRE(std::system(command.c_str()) == 0);
  test::session restored{elsewhere.url(), here.schema()};
  CHECK(restored.ask("select ready, delayed, leased, dead from mail_stats()") == "1|2|1|0");
  CHECK(restored.ack(held[1]));
  CHECK(restored.send("new") > 5);
  CHECK(test::bodies(restored.receive(9)) == "ready new");
  // The rights have come along.
  CHECK(restored.refusal("set role qt_web; select mail_claim_v1()") ==
        "42501: permission denied for function mail_claim_v1");
}
