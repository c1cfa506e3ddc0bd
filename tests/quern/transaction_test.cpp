#include "quern/fixture.hpp"
#include "support/catch.hpp"

namespace {

struct with_table : test::session {
  with_table() { db.run_script("create table t (n int)"); }

  int rows() { return db.execute("select count(*) from t").value<int>(); }
};

}  // namespace

TEST_CASE("a transaction stays only when it is committed") {
  with_table s;
  {
    quern::transaction tx{s.db};
    tx.execute("insert into t values ($1)", 1);
    CHECK(s.db.is_in_transaction());
  }
  CHECK_FALSE(s.db.is_in_transaction());
  CHECK(s.rows() == 0);
  quern::transaction tx{s.db};
  tx.execute("insert into t values (1)");
  tx.commit();
  CHECK_FALSE(tx.is_open());
  CHECK(s.rows() == 1);
}

TEST_CASE("a transaction is rolled back by an exception, and by hand") {
  with_table s;
  const auto fail = [&] {
    quern::transaction tx{s.db};
    tx.execute("insert into t values (1)");
    tx.execute("select 1/0");
  };
  CHECK_THROWS_AS(fail(), quern::database_error);
  quern::transaction tx{s.db};
  tx.execute("insert into t values (1)");
  tx.rollback();
  CHECK(s.rows() == 0);
}

TEST_CASE("committing what has failed says that it was rolled back") {
  with_table s;
  quern::transaction tx{s.db};
  tx.execute("insert into t values (1)");
  CHECK_THROWS_AS(tx.execute("select 1/0"), quern::database_error);
  CHECK(s.db.status() == quern::transaction_status::failed);
  CHECK(test::failure_of<quern::database_error>([&] { tx.commit(); }).sqlstate() == "25P02");
  CHECK(s.rows() == 0);
}

TEST_CASE("a commit that the server refuses is an error, and nothing stays") {
  with_table s;
  s.db.run_script("create table once (n int unique deferrable initially deferred)");
  quern::transaction tx{s.db};
  tx.execute("insert into t values (1)");
  tx.execute("insert into once values (1), (1)");
  CHECK(test::failure_of<quern::database_error>([&] { tx.commit(); }).sqlstate() == "23505");
  CHECK_FALSE(s.db.is_in_transaction());
  CHECK(s.rows() == 0);
}

TEST_CASE("a transaction has the isolation that was asked for") {
  with_table s;
  const auto level = [&](quern::isolation wanted) {
    quern::transaction tx{s.db, wanted};
    return tx.execute("show transaction_isolation").value<std::string>();
  };
  CHECK(level(quern::isolation::as_configured) == "read committed");
  CHECK(level(quern::isolation::read_committed) == "read committed");
  CHECK(level(quern::isolation::repeatable_read) == "repeatable read");
  CHECK(level(quern::isolation::serializable) == "serializable");
}

TEST_CASE("a conflict between transactions can be tried again") {
  with_table s;
  s.db.run_script("insert into t values (1)");
  quern::connection other = s.another();
  quern::transaction first{s.db, quern::isolation::repeatable_read};
  first.execute("select * from t");
  other.execute("update t set n = 2");
  const auto error = test::failure_of<quern::database_error>([&] { first.execute("update t set n = 3"); });
  CHECK(error.sqlstate() == quern::sqlstate::serialization_failure);
  CHECK(error.is_retryable());
  CHECK_FALSE(error.outcome_unknown());
}

TEST_CASE("one transaction at a time") {
  with_table s;
  quern::transaction tx{s.db};
  CHECK_THROWS_WITH(quern::transaction{s.db}, test::contains("already in a transaction"));
  tx.commit();
  CHECK_THROWS_WITH(tx.commit(), test::contains("already ended"));
}
