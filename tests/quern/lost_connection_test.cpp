#include <thread>

#include "cluster/scratch.hpp"
#include "quern/fixture.hpp"
#include "support/catch.hpp"

// What is known after the connection went.
namespace {

void terminate(quern::connection& by, const quern::connection& victim) {
  by.execute("select pg_terminate_backend($1, 10000)", std::int32_t{victim.backend_pid()});
}

// Ends the session while it executes a statement that matches.
std::jthread terminate_when(const test::session& s, const std::string& condition) {
  return std::jthread{[url = s.place.url(), condition, pid = s.db.backend_pid()] {
    const std::string where = " from pg_stat_activity where pid = " + std::to_string(pid) + " and " + condition;
    test::wait_until(url, "select exists (select" + where + ")");
    quern::connection{url}.execute("select pg_terminate_backend($1, 10000)", std::int32_t{pid});
  }};
}

}  // namespace

TEST_CASE("a connection lost under a statement of its own leaves the outcome unknown") {
  test::session s;
  const auto killer = terminate_when(s, "query like 'select pg_sleep%' and state = 'active'");
  const auto error = test::failure_of<quern::connection_error>([&] { s.db.execute("select pg_sleep(60)"); });
  CHECK(error.connection_lost());
  CHECK(error.outcome_unknown());
  CHECK_FALSE(error.is_retryable());
  CHECK(error.sqlstate() == quern::sqlstate::admin_shutdown);
  CHECK_FALSE(s.db.is_usable());
}

TEST_CASE("what is asked of a connection that is known to be lost was surely not done") {
  test::session s;
  quern::connection other = s.another();
  terminate(other, s.db);
  CHECK(test::failure_of<quern::connection_error>([&] { s.db.execute("select 1"); }).connection_lost());
  const auto error = test::failure_of<quern::connection_error>([&] { s.db.execute("select 1"); });
  CHECK(error.connection_lost());
  CHECK_FALSE(error.outcome_unknown());
  CHECK(error.is_retryable());
}

TEST_CASE("a connection lost inside of a transaction is a rollback, and can be tried again") {
  test::session s;
  quern::connection other = s.another();
  s.db.run_script("create table t (n int)");
  {
    quern::transaction tx{s.db};
    tx.execute("insert into t values (1)");
    terminate(other, s.db);
    const auto error = test::failure_of<quern::connection_error>([&] { tx.execute("insert into t values (2)"); });
    CHECK_FALSE(error.outcome_unknown());
    CHECK(error.is_retryable());
  }
  CHECK(other.execute("select count(*) from t").value<int>() == 0);
}

TEST_CASE("a pipeline to a server that ended like in a crash is lost, and comes to an end") {
  cluster::scratch server;
  quern::connection db{server.url()};
  constexpr quern::prepared one{"select $1::int"};
  quern::parameters values;
  values.add(1);
  quern::pipeline::prepare(db, one, values, 0, 1);
  server.stop(cluster::shutdown::immediate);
  const auto error = test::failure_of<quern::connection_error>([&] {
    quern::pipeline batch{db};
    batch.add(one, values, 0, 1);
    batch.sync();
    batch.next();
  });
  CHECK(error.connection_lost());
  CHECK(error.outcome_unknown());
  CHECK_FALSE(db.is_usable());
}

TEST_CASE("a connection to a server that ended like in a crash is lost with the first statement") {
  cluster::scratch server;
  quern::connection db{server.url()};
  {
    quern::transaction tx{db};
    server.stop(cluster::shutdown::immediate);
    const auto error = test::failure_of<quern::connection_error>([&] { tx.execute("select 1"); });
    CHECK(error.connection_lost());
  }
  CHECK_FALSE(db.is_usable());
  CHECK_FALSE(db.is_in_transaction());
}

TEST_CASE("a connection lost during COMMIT leaves the outcome unknown") {
  test::session s;
  s.db.run_script(
      "create table t (n int);"
      "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return null; end $$;"
      "create constraint trigger slow after insert on t deferrable initially deferred for each row execute function "
      "slow()");
  quern::transaction tx{s.db};
  tx.execute("insert into t values (1)");
  const auto killer = terminate_when(s, "query = 'commit' and state = 'active'");
  const auto error = test::failure_of<quern::connection_error>([&] { tx.commit(); });
  CHECK(error.connection_lost());
  CHECK(error.outcome_unknown());
  CHECK_FALSE(error.is_retryable());
}

TEST_CASE("a wait sees that the connection was lost") {
  test::session s;
  quern::connection other = s.another();
  terminate(other, s.db);
  const auto error = test::failure_of<quern::connection_error>([&] { s.db.wait_for_notification(quern::no_deadline); });
  CHECK(error.connection_lost());
  CHECK_FALSE(error.outcome_unknown());
}

TEST_CASE("a pipeline whose connection is lost before its end leaves the outcome unknown") {
  test::session s;
  constexpr quern::prepared sleep{"select pg_sleep($1)"};
  quern::parameters values;
  values.add(60.0);
  quern::pipeline::prepare(s.db, sleep, values, 0, 1);
  const auto killer = terminate_when(s, "query like 'select pg_sleep%' and state = 'active'");
  const auto error = test::failure_of<quern::connection_error>([&] {
    quern::pipeline batch{s.db};
    batch.add(sleep, values);
    batch.add(sleep, values);
    batch.sync();
    batch.next();
  });
  CHECK(error.connection_lost());
  CHECK(error.outcome_unknown());
  CHECK_FALSE(s.db.is_usable());
}
