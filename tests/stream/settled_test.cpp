#include "cluster/scratch.hpp"
#include "stream/journal.hpp"
#include "support/catch.hpp"

// Offsets that are the events' whoever gives them are shown before their seal is durable: no way of taking that back
// may change them. On a server of its own, where nobody else writes: what others have not flushed yet would make all
// careful.

namespace {

/// A server that flushes nothing by itself, and a stream there.
class quiet_journal {
 public:
  quiet_journal() {
    journal_.emplace(test::log_stream, server_.url());
    db().ask("alter system set wal_writer_delay = '10s'");
    db().ask("select pg_reload_conf()");
    db().ask("create table flushed (number integer)");
    // The first event and the first read note their time.
    here().publish("first");
    here().read();
    here().publish("second");
    CHECK(here().read(1) == "2|second");
  }

  test::journal& here() { return *journal_; }
  test::session& db() { return journal_->db; }

  std::string read_and_roll_back(std::int64_t after) {
    auto reader = here().open();
    reader.begin();
    auto shown = test::journal::read(reader, after);
    reader.rollback();
    return shown;
  }

  /// The server may write of its own accord any time, when a session looks into its catalogs for the first time above
  /// all, and what was just taken back is not flushed: then nothing is shown until somebody else flushes.
  std::string read_when_flushed(std::int64_t after) {
    for (int i = 0; i < 20; ++i) {
      db().ask("insert into flushed values (1)");
      if (auto shown = read_and_roll_back(after); !shown.empty()) return shown;
    }
    return {};
  }

  test::session crash() {
    const auto schema = here().schema();
    server_.stop(cluster::shutdown::immediate);
    journal_.reset();
    server_.start();
    return test::session{server_.url(), schema};
  }

 private:
  cluster::scratch server_;
  std::optional<test::journal> journal_;
};

}  // namespace

TEST_CASE("what every seal would number alike is shown at once, and the same after it was taken back") {
  quiet_journal on;
  on.here().publish("a");
  on.here().publish("b");
  CHECK(on.read_when_flushed(2) == "3|a 4|b");
  on.here().publish("c");
  CHECK(on.here().read(2) == "3|a 4|b 5|c");
}

TEST_CASE("a seal of what every seal would number alike is not flushed, and a crash changes nothing") {
  quiet_journal on;
  on.here().publish("a");
  // One message is one transaction.
  CHECK(on.db().ask("select body from log_read_v1(2, 100, true); select current_setting('synchronous_commit')") ==
        "off");
  auto after = on.crash();
  test::journal::publish(after, "b");
  CHECK(test::journal::read(after, 2) == "3|a 4|b");
}

TEST_CASE("what a function writes that reads is flushed, whatever need not be of the reading") {
  quiet_journal on;
  on.db().ask(
      "create table effects (body text); create function process() returns text language sql as "
      "'insert into effects select body from log_receive_v1(''audit''); select "
      "current_setting(''synchronous_commit'')'");
  for (int i = 0; i < 20; ++i) {
    on.here().publish("a");
    on.db().ask("insert into flushed values (1)");
    CHECK(on.db().ask("select process()") == "on");
  }
}

TEST_CASE("a procedure that rolls back and goes on is shown nothing that could be taken back") {
  quiet_journal on;
  on.db().ask(
      "create table shown (body text); create procedure look() language plpgsql as $$ declare v_body text; begin "
      "v_body := (select body from log_read_v1(2)); rollback; insert into shown values (v_body); end $$");
  auto low = on.here().open();
  low.begin();
  test::journal::publish(low, "low");
  on.here().publish("high");
  on.db().ask("call look()");
  low.commit();
  CHECK(on.db().ask("select count(*) from shown where body is not null") == "0");
  CHECK(on.here().read(2).ends_with("low 4|high"));
}

TEST_CASE("while an older transaction runs nothing is shown that could be taken back") {
  quiet_journal on;
  auto low = on.here().open();
  low.begin();
  test::journal::publish(low, "low");
  on.here().publish("high");
  CHECK(on.read_when_flushed(2).empty());
  CHECK(on.db().ask("select count(*) from log_read_v1(2, 100, true); select current_setting('synchronous_commit')") ==
        "on");
  CHECK(on.here().read(2) == "3|high");
}

TEST_CASE("what comes behind a seal that could be taken back is not shown either") {
  quiet_journal on;
  auto reader = on.here().open();
  test::journal::read(reader, 1);
  reader.ask("select log_seal()");
  auto low = on.here().open();
  low.begin();
  test::journal::publish(low, "low");
  on.here().publish("high");
  reader.begin();
  CHECK(test::journal::read(reader, 2).empty());
  low.commit();
  on.db().ask("insert into flushed values (1)");
  CHECK(reader.ask("select log_seal()") == "1");
  CHECK(test::journal::read(reader, 3).empty());
  reader.rollback();
  CHECK(on.here().read(2) == "3|low 4|high");
}

TEST_CASE("what a crash could take back is not shown before it cannot any more") {
  quiet_journal on;
  on.db().ask("set synchronous_commit = off");
  on.here().publish("soon durable");
  CHECK(on.read_and_roll_back(2).empty());
  on.db().ask("set synchronous_commit = on");
  CHECK(on.read_when_flushed(2) == "3|soon durable");
}
