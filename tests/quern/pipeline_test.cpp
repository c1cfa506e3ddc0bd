#include "quern/fixture.hpp"
#include "support/catch.hpp"

namespace {

constexpr quern::prepared insert{"insert into t values ($1) returning n"};

struct with_table : test::session {
  with_table() { db.run_script("create table t (n int constraint t_n_positive check (n > 0))"); }

  int rows() { return db.execute("select count(*) from t").value<int>(); }

  quern::parameters parameters(std::initializer_list<std::int32_t> numbers) {
    quern::parameters values;
    for (const std::int32_t each : numbers) values.add(each);
    quern::pipeline::prepare(db, insert, values, 0, 1);
    return values;
  }
};

}  // namespace

TEST_CASE("a pipeline's results come in the order of its statements, and it is one transaction") {
  with_table s;
  auto values = s.parameters({1, 2, 3});
  quern::connection other = s.another();
  {
    quern::pipeline batch{s.db};
    for (std::size_t i = 0; i < 3; ++i) batch.add(insert, values, i, 1);
    batch.sync();
    for (int i = 1; i <= 3; ++i) CHECK(batch.next().value<int>() == i);
    batch.finish();
    CHECK(other.execute("select count(*) from t").value<int>() == 3);
  }
  CHECK(s.db.execute("select count(distinct xmin::text) from t").value<int>() == 1);
}

TEST_CASE("an error in the middle of a pipeline undoes all of it and names its statement") {
  with_table s;
  auto values = s.parameters({1, -2, 3});
  const auto error = test::failure_of<quern::database_error>([&] {
    quern::pipeline batch{s.db};
    for (std::size_t i = 0; i < 3; ++i) batch.add(insert, values, i, 1);
    batch.sync();
    CHECK(batch.next().value<int>() == 1);
    batch.next();
  });
  CHECK(error.constraint() == "t_n_positive");
  CHECK(error.statement() == insert.sql);
  CHECK(s.rows() == 0);
  CHECK(s.db.status() == quern::transaction_status::idle);
}

TEST_CASE("behind a transaction that has failed a pipeline goes on with the next one") {
  with_table s;
  auto values = s.parameters({1, -2, 3, 4});
  quern::pipeline batch{s.db};
  for (std::size_t i = 0; i < 3; ++i) batch.add(insert, values, i, 1);
  batch.sync();
  batch.add(insert, values, 3, 1);
  batch.sync();
  CHECK(batch.next().value<int>() == 1);
  CHECK(test::failure_of<quern::database_error>([&] { batch.next(); }).constraint() == "t_n_positive");
  CHECK(batch.next().value<int>() == 4);
  batch.finish();
  quern::connection other = s.another();
  CHECK(other.execute("select n from t").value<int>() == 4);
}

TEST_CASE("an error at the end of a pipeline's transaction undoes all of it") {
  with_table s;
  s.db.run_script("alter table t add constraint t_n_unique unique (n) deferrable initially deferred");
  auto values = s.parameters({1, 1});
  const auto error = test::failure_of<quern::database_error>([&] {
    quern::pipeline batch{s.db};
    for (std::size_t i = 0; i < 2; ++i) batch.add(insert, values, i, 1);
    batch.sync();
    batch.next();
    batch.next();
    batch.finish();
  });
  CHECK(error.sqlstate() == "23505");
  CHECK(s.rows() == 0);
}

TEST_CASE("a pipeline inside of a transaction belongs to it") {
  with_table s;
  auto values = s.parameters({1, 2});
  {
    quern::transaction tx{s.db};
    quern::pipeline batch{s.db};
    batch.add(insert, values, 0, 1);
    batch.sync();
    batch.next();
    batch.finish();
  }
  CHECK(s.rows() == 0);
}

TEST_CASE("a pipeline that is left early leaves a usable connection") {
  with_table s;
  auto values = s.parameters({1, 2});
  {
    quern::pipeline batch{s.db};
    batch.add(insert, values, 0, 1);
    batch.add(insert, values, 1, 1);
    CHECK_THROWS_WITH(s.db.execute("select 1"), test::contains("pipeline is under way"));
    batch.sync();
    batch.next();
  }
  CHECK(s.rows() == 2);
}

TEST_CASE("a pipeline whose statements were taken away works again the next time") {
  with_table s;
  auto values = s.parameters({1});
  const auto insert_one = [&] {
    quern::pipeline::prepare(s.db, insert, values, 0, 1);
    quern::pipeline batch{s.db};
    batch.add(insert, values);
    batch.sync();
    batch.next();
    batch.finish();
  };
  s.db.execute("deallocate all");
  CHECK(test::failure_of<quern::database_error>(insert_one).sqlstate() == "26000");
  insert_one();
  CHECK(s.rows() == 1);
}

TEST_CASE("results far larger than any buffer do not block a pipeline") {
  with_table s;
  constexpr quern::prepared repeat{"select repeat($1, $2)"};
  quern::parameters values;
  values.add(std::string(200'000, 'x'));
  values.add(std::int32_t{10});
  quern::pipeline::prepare(s.db, repeat, values, 0, 2);
  quern::pipeline batch{s.db};
  for (int i = 0; i < 20; ++i) batch.add(repeat, values);
  batch.sync();
  for (int i = 0; i < 20; ++i) CHECK(batch.next()[0].bytes(0).size() == 2'000'000);
  batch.finish();
}
