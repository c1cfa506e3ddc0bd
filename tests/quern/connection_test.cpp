#include <cstdlib>
#include <thread>

#include "quern/fixture.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;

namespace {

std::int64_t count(quern::connection& db, const std::string& table) {
  return db.execute("select count(*) from " + table).value<std::int64_t>();
}

}  // namespace

TEST_CASE("a database is named by a URL, by keywords or by the environment") {
  test::database place;
  CHECK(quern::connection{place.url()}.execute("select current_database()").value<std::string>() == place.name());
  setenv("QUERN_DATABASE", place.url().c_str(), 1);
  CHECK(quern::from_environment() == place.url());
  unsetenv("QUERN_DATABASE");
  CHECK(quern::from_environment().empty());
}

TEST_CASE("texts are UTF-8 whatever the connection string and the environment say") {
  test::database place;
  setenv("PGCLIENTENCODING", "LATIN1", 1);
  quern::connection db{place.url()};
  unsetenv("PGCLIENTENCODING");
  CHECK(db.execute("select 'ä'").value<std::string>() == "ä");
  CHECK(db.reported_setting("client_encoding") == "UTF8");
}

TEST_CASE("a server that cannot be reached is a lost connection that may be tried again") {
  const auto error =
      test::failure_of<quern::connection_error>([] { quern::connection db{"host=/nowhere user=nobody"}; });
  CHECK_THAT(error.message(), test::contains("/nowhere"));
  CHECK(error.connection_lost());
  CHECK(error.is_retryable());
  CHECK_FALSE(error.outcome_unknown());
}

TEST_CASE("an error says what the server knows of it") {
  test::session s;
  s.db.run_script("create table item (n int constraint item_n_positive check (n > 0))");
  const auto check = test::failure_of<quern::database_error>([&] { s.db.execute("insert into item values ($1)", -1); });
  CHECK(check.sqlstate() == "23514");
  CHECK(check.constraint() == "item_n_positive");
  CHECK_THAT(check.detail(), test::contains("(-1)"));
  CHECK(check.statement() == "insert into item values ($1)");
  CHECK_THAT(std::string{check.what()}, test::contains("(SQLSTATE 23514)\ndetail: Failing row"));
  CHECK_FALSE(check.is_retryable());
  const auto syntax = test::failure_of<quern::database_error>([&] { s.db.execute("selec 1"); });
  CHECK(syntax.sqlstate() == "42601");
  CHECK(syntax.position() == 1);
  const auto raised = test::failure_of<quern::database_error>([&] {
    s.db.run_script("do $$ begin raise exception using errcode = 'QN005', message = 'm', hint = 'Do this.'; end $$");
  });
  CHECK(raised.sqlstate() == quern::sqlstate::invalid_argument);
  CHECK(raised.hint() == "Do this.");
  CHECK_THAT(raised.context(), test::contains("PL/pgSQL"));
  CHECK(s.db.is_usable());
}

TEST_CASE("a script runs as one, stops at its first error and returns each result") {
  test::session s;
  const auto results =
      s.db.run_script("create table t (n int); insert into t values (1), (2); select n from t order by n");
  REQUIRE(results.size() == 3);
  CHECK(results[0].command() == "CREATE TABLE");
  CHECK(results[1].affected_rows() == 2);
  CHECK(results[2][1].text(0) == "2");
  CHECK(results[2].column_name(0) == "n");
  CHECK_THROWS_AS(s.db.run_script("insert into t values (3); select 1/0; insert into t values (4)"),
                  quern::database_error);
  CHECK(count(s.db, "t") == 2);
  CHECK(s.db.run_script("").size() == 1);
  CHECK_THROWS_WITH(s.db.run_script(std::string_view{"select 1\0; drop table t", 23}), test::contains("NUL"));
}

TEST_CASE("COPY where it cannot be served is an error, and the connection goes on") {
  test::session s;
  s.db.run_script("create table t (n int); insert into t values (1)");
  CHECK_THROWS_WITH(s.db.run_script("copy t from stdin; select 1"), test::contains("quern::copy_in"));
  CHECK_THROWS_WITH(s.db.execute("copy t from stdin"), test::contains("quern::copy_in"));
  CHECK_THROWS_WITH(s.db.run_script("copy t to stdout; select 1"),
                    test::contains("COPY to the client is not supported"));
  CHECK(count(s.db, "t") == 1);
}

TEST_CASE("a prepared statement is prepared once and survives what takes it away") {
  test::session s;
  constexpr quern::prepared add{"select $1 + $2"};
  for (int i = 0; i < 3; ++i) CHECK(s.db.execute(add, 20, 22).value<std::int32_t>() == 42);
  const auto prepared = [&] { return count(s.db, "pg_prepared_statements"); };
  CHECK(prepared() == 1);
  s.db.execute("deallocate all");
  CHECK(test::failure_of<quern::database_error>([&] { s.db.execute(add, 1, 1); }).sqlstate() == "26000");
  CHECK(s.db.execute(add, 1, 1).value<std::int32_t>() == 2);
  quern::connection pooled{s.place.url(), {.use_prepared_statements = false}};
  CHECK(pooled.execute(add, 1, 2).value<std::int32_t>() == 3);
  CHECK(count(pooled, "pg_prepared_statements") == 0);
}

TEST_CASE("notices reach the handler") {
  test::session s;
  std::vector<std::string> lines;
  s.db.on_notice(
      [&](const quern::notice& n) { lines.push_back(std::string{n.severity} + " " + std::string{n.message}); });
  s.db.run_script("do $$ begin raise notice 'one'; raise warning 'two'; end $$");
  CHECK(lines == std::vector<std::string>{"NOTICE one", "WARNING two"});
}

TEST_CASE("a notification wakes a waiting connection, whatever its channel is called") {
  test::session s;
  quern::connection other = s.another();
  const std::string channel = "shop.\"email\" ä";
  s.db.listen(channel);
  std::jthread sender{[&] {
    test::wait_until(s.place.url(), "select true");
    other.execute("select pg_notify($1, 'hello')", channel);
  }};
  const auto got = s.db.wait_for_notification(std::chrono::steady_clock::now() + 20s);
  REQUIRE(got.has_value());
  CHECK(got->channel == channel);
  CHECK(got->payload == "hello");
  CHECK(got->backend_pid == other.backend_pid());
  sender.join();
  s.db.unlisten(channel);
  other.execute("select pg_notify($1, '')", channel);
  CHECK_FALSE(s.db.wait_for_notification(std::chrono::steady_clock::now() + 50ms).has_value());
}

TEST_CASE("a wait ends at its deadline, and at once when a stop is requested") {
  test::session s;
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(s.db.wait_for_notification(start + 30ms).has_value());
  CHECK(std::chrono::steady_clock::now() >= start + 30ms);
  std::stop_source stop;
  std::jthread stopper{[&] { stop.request_stop(); }};
  CHECK_FALSE(s.db.wait_for_notification(quern::no_deadline, stop.get_token()).has_value());
  CHECK_FALSE(s.db.wait_for_notification(quern::no_deadline, stop.get_token()).has_value());
  CHECK(s.db.execute("select 1").value<int>() == 1);
}

TEST_CASE("another thread cancels the running statement") {
  test::session s;
  std::jthread canceller{[&] {
    test::wait_until(s.place.url(),
                     "select exists (select from pg_stat_activity where query = 'select pg_sleep(60)' and "
                     "state = 'active')");
    s.db.cancel();
  }};
  const auto error = test::failure_of<quern::database_error>([&] { s.db.execute("select pg_sleep(60)"); });
  CHECK(error.sqlstate() == quern::sqlstate::query_canceled);
  CHECK(s.db.is_usable());
}

TEST_CASE("a moved connection goes on in its new place") {
  test::session s;
  quern::connection moved{std::move(s.db)};
  CHECK(moved.execute("select 1").value<int>() == 1);
  CHECK(moved.backend_pid() > 0);
  CHECK(moved.server_version() >= 140000);
}
