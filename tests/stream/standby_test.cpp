#include <filesystem>
#include <thread>

#include "cluster/binaries.hpp"
#include "cluster/process.hpp"
#include "cluster/scratch.hpp"
#include "stream/crew.hpp"
#include "support/catch.hpp"

// A physical standby that takes over goes on as if it had been the server all the time: I2, I8.

namespace {

namespace fs = std::filesystem;

/// A server that follows another one, and is promoted.
class standby {
 public:
  /// A copy of `primary`, which then sends it what it writes.
  explicit standby(const std::string& primary) {
    server_.stop();
    for (const auto& each : fs::directory_iterator{server_.data()}) fs::remove_all(each.path());
    const auto copied = cluster::run(cluster::server_account(),
                                     {cluster::find_binaries({}, {}).directory / "pg_basebackup",
                                      {"--pgdata", server_.data(), "--dbname", primary, "--write-recovery-conf",
                                       "--wal-method", "stream", "--checkpoint", "fast"}});
    INFO(copied.output);
    REQUIRE(copied.exit_code == 0);
    server_.start();
  }

  const std::string& url() const { return server_.url(); }

  /// Returns when all that the primary has flushed is to be seen here.
  void catch_up(test::session& primary) {
    const auto place = primary.ask("select pg_current_wal_flush_lsn()");
    test::session here{url(), "public"};
    const auto has = fmt::format("select pg_last_wal_replay_lsn() >= '{}'", place);
    while (here.ask(has) != "t") std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }

  void promote() { CHECK(test::session{url(), "public"}.ask("select pg_promote()") == "t"); }

 private:
  cluster::scratch server_;
};

/// Flushes nothing by itself: a page that is not flushed is not sent.
const cluster::scratch::setting_list lazy{
    {"wal_level", "replica"}, {"max_wal_senders", "4"}, {"wal_writer_delay", "10s"}};

}  // namespace

TEST_CASE("a promoted standby gives the offsets that its primary has shown, and goes on from there") {
  cluster::scratch primary{lazy};
  test::journal here{test::log_stream, primary.url()};
  here.publish("a");
  here.publish("b");
  CHECK(here.read() == "1|a 2|b");
  CHECK(here.ack("audit", 1) == "1");
  standby second{primary.url()};
  here.publish("c");
  auto open = here.open();
  open.begin();
  test::journal::publish(open, "lost");
  here.publish("d");
  // Offsets of pages that are on their way, or are not flushed.
  const auto shown = here.read();
  CHECK(shown == "1|a 2|b 3|c 4|d");
  second.catch_up(here.db);
  primary.stop(cluster::shutdown::immediate);

  second.promote();
  test::session after{second.url(), here.schema()};
  CHECK(test::journal::read(after) == shown);
  CHECK(test::journal::receive(after, "audit") == "2|b 3|c 4|d");
  test::journal::publish(after, "e");
  CHECK(test::journal::read(after, 3) == "4|d 5|e");
  CHECK(after.ask("select log_restored()") == "0");
}

TEST_CASE("after a failover what was acknowledged stays so, and what was claimed comes again") {
  cluster::scratch primary{lazy};
  test::crew here{primary.url()};
  here.fill(6);
  standby second{primary.url()};
  auto ann = here.enlist();
  auto bob = here.hire();
  CHECK(ann.claim(2) == "1 2");
  CHECK(bob.claim(2) == "3 4");
  CHECK(bob.ack() == "2");
  second.catch_up(here.db);
  primary.stop(cluster::shutdown::immediate);

  second.promote();
  test::hand after{test::session{second.url(), here.schema()}};
  // Ann's session is gone with its server; a claim that was not flushed has never been.
  const auto again = after.claim_attempts();
  CHECK((again == "1|2 2|2" || again == "1|1 2|1"));
  CHECK(after.ack() == "2");
  CHECK(after.claim() == "5 6");
  CHECK(after.ack() == "2");
  CHECK(after.claim().empty());
}

TEST_CASE("what its primary has sealed can be read on a standby") {
  cluster::scratch primary{lazy};
  test::journal here{test::log_stream, primary.url()};
  here.publish("a");
  CHECK(here.read() == "1|a");
  standby second{primary.url()};
  test::session there{second.url(), here.schema()};
  here.publish("b");
  second.catch_up(here.db);
  CHECK(test::journal::read(there) == "1|a");
  here.db.ask("select log_seal()");
  here.publish("c");
  second.catch_up(here.db);
  CHECK(test::journal::read(there) == "1|a 2|b");
  CHECK(test::journal::receive(there, "audit") == "1|a 2|b");
  CHECK(there.refusal("select log_publish_v1('d')").starts_with("25006"));
}
