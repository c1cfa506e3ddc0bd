// `quern work` while the database has no room for what it wants to write.

#include <chrono>
#include <csignal>
#include <quern/connection.hpp>
#include <string>

#include "cli/counter.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using test::counter;

constexpr const char* shop = "[queues.email]\npayload = { n = \"int32\" }\n";

void enqueue(const counter& at) {
  at.run({"enqueue", "email", "--json", R"({"n": 1})"});
}

// Numbers of a sequence are drawn though the transaction fails.
void refuse_deletes(quern::connection& db) {
  db.run_script(
      "create sequence shop.tries; create function shop.refuse() returns trigger language plpgsql as $$ begin perform "
      "nextval('shop.tries'); raise exception 'no room' using errcode = '53100'; end $$;"
      "create trigger no_room before delete on shop.email_message for each statement execute function shop.refuse()");
}

}  // namespace

TEST_CASE("what the database has no room for is tried again after a while, and told once") {
  const counter at{shop};
  quern::connection db{at.url()};
  enqueue(at);
  refuse_deletes(db);
  const auto begin = std::chrono::steady_clock::now();
  auto worker = at.start({"work", "email", "--exec", "true"});
  test::wait_until(at.url(), "select coalesce(pg_sequence_last_value('shop.tries'), 0) >= 5");
  // At once, and then after 50, 100, 200 ms at least.
  CHECK(std::chrono::steady_clock::now() - begin > std::chrono::milliseconds{340});
  db.execute("drop trigger no_room on shop.email_message");
  test::wait_until(at.url(), "select not exists (select from shop.email_message)");
  worker.signal(SIGTERM);
  const auto ended = worker.end();
  CHECK(ended.exit_code == 0);
  CHECK(ended.err == "quern: no room; trying again\nquern: 1 handled\n");
}

TEST_CASE("a worker that is stopped by force does not wait until there is room") {
  const counter at{shop};
  quern::connection db{at.url()};
  enqueue(at);
  refuse_deletes(db);
  auto worker = at.start({"work", "email", "--exec", "true"});
  test::wait_until(at.url(), "select coalesce(pg_sequence_last_value('shop.tries'), 0) >= 1");
  worker.signal(SIGTERM);
  worker.signal(SIGINT);
  const auto ended = worker.end();
  CHECK(ended.exit_code == 10);
  CHECK_THAT(ended.err, test::contains("no room"));
}
