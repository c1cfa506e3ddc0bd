#include <fstream>

#include "quern/fixture.hpp"
#include "support/catch.hpp"

namespace {

constexpr std::string_view statement = "copy t (n, s) from stdin (format binary)";

struct with_table : test::session {
  with_table() { db.run_script("create table t (n int8 constraint t_n_positive check (n > 0), s text)"); }

  std::int64_t rows() { return db.execute("select count(*) from t").value<std::int64_t>(); }
};

// The process's resident memory in KiB.
long resident_memory() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") break;
  }
  long kib = 0;
  status >> kib;
  return kib;
}

}  // namespace

TEST_CASE("COPY brings in every row with its NULLs") {
  with_table s;
  quern::copy_in bulk{s.db, statement};
  bulk.add(std::int64_t{1}, std::string{"one"});
  bulk.add(std::int64_t{2}, std::optional<std::string>{});
  bulk.add(std::int64_t{3}, std::string{});
  CHECK_THROWS_WITH(s.db.execute("select 1"), test::contains("COPY is under way"));
  CHECK(bulk.finish() == 3);
  const auto rows = s.db.execute("select s from t order by n");
  CHECK(rows[0].get<std::string>(0) == "one");
  CHECK(rows[1].is_null(0));
  CHECK(rows[2].get<std::optional<std::string>>(0) == "");
}

TEST_CASE("COPY of a range that fits no memory needs a few buffers") {
  with_table s;
  s.db.run_script("alter table t set unlogged");
  const std::string text(1'000, 'x');
  quern::copy_in bulk{s.db, statement};
  for (std::int64_t i = 1; i <= 1'000; ++i) bulk.add(i, text);
  const long before = resident_memory();
  long most = before;
  for (std::int64_t i = 1; i <= 200'000; ++i) {
    bulk.add(i, text);
    if (i % 10'000 == 0) most = std::max(most, resident_memory());
  }
  CHECK(bulk.finish() == 201'000);
  CHECK(most - before < 16 * 1024);  // of 200 MB that were sent
}

TEST_CASE("a COPY that is given up leaves nothing and a usable connection") {
  with_table s;
  {
    quern::copy_in bulk{s.db, statement};
    for (std::int64_t i = 1; i <= 10'000; ++i) bulk.add(i, std::string(100, 'x'));
  }
  CHECK(s.rows() == 0);
}

TEST_CASE("a value that cannot be encoded ends the COPY with nothing") {
  with_table s;
  const auto copy = [&] {
    quern::copy_in bulk{s.db, statement};
    for (std::int64_t i = 1; i <= 10'000; ++i) bulk.add(i, std::string_view{"x"});
    bulk.add(std::int64_t{1}, std::string_view{"\xff"});
  };
  CHECK_THROWS_AS(copy(), quern::codec_error);
  CHECK(s.rows() == 0);
}

TEST_CASE("a row that the server refuses ends the COPY with nothing") {
  with_table s;
  quern::copy_in bulk{s.db, statement};
  for (std::int64_t i = 1; i <= 100'000; ++i) bulk.add(i == 5 ? -i : i, std::string_view{"x"});
  const auto error = test::failure_of<quern::database_error>([&] { bulk.finish(); });
  CHECK(error.constraint() == "t_n_positive");
  CHECK_THAT(error.context(), test::contains("COPY t, line 5"));
  CHECK(s.rows() == 0);
}

TEST_CASE("a statement that is no COPY from the client is refused") {
  with_table s;
  CHECK_THROWS_WITH((quern::copy_in{s.db, "select 1"}), test::contains("no COPY"));
  CHECK(test::failure_of<quern::database_error>([&] {
          quern::copy_in{s.db, "copy nothing from stdin"};
        }).sqlstate() == quern::sqlstate::undefined_table);
  CHECK(s.rows() == 0);
}
