#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

namespace {

std::string cancel(test::session& with, std::int64_t id) {
  return with.ask(fmt::format("select mail_cancel({})", id));
}

}  // namespace

TEST_CASE("a message that waits for its time or for another attempt is cancelled, once") {
  test::workshop here;
  const auto delayed = here.db.send("later", "1h");
  here.db.send("again");
  const auto tried = here.db.receive_one();
  REQUIRE(here.db.fail(tried, "1h") == "retry");
  CHECK(here.counts() == "0|2|0|0");
  CHECK(cancel(here.db, delayed) == "t");
  CHECK(cancel(here.db, delayed) == "f");
  CHECK(cancel(here.db, tried.id) == "t");
  CHECK(here.contents().empty());
  CHECK(here.db.ask("select mail_cancel(99), mail_cancel(null)") == "f|f");
}

TEST_CASE("a message that was never tried is cancelled in a table, and said to stay in a log") {
  test::workshop here;
  const auto id = here.db.send("a");
  if (test::is_log()) {
    CHECK(here.db.refusal(fmt::format("select mail_cancel({})", id)) ==
          "QN010: message 1 of queue \"mail\" cannot be taken out of the log (A queue with storage = \"log\" lets go "
          "of a message when it is claimed; what is delayed or was tried before can be cancelled.)");
    CHECK(here.counts() == "1|0|0|0");
  } else {
    CHECK(cancel(here.db, id) == "t");
    CHECK(here.contents().empty());
  }
}

TEST_CASE("what is being handled, has ended or is dead is not cancelled") {
  test::workshop here;
  here.db.send("a");
  auto held = here.db.receive_one();
  CHECK(cancel(here.db, held.id) == "f");
  REQUIRE(here.db.fail(held) == "retry");
  held = here.db.receive_one();
  CHECK(cancel(here.db, held.id) == "f");
  here.make_last();
  REQUIRE(here.db.fail(held) == "dead");
  CHECK(cancel(here.db, held.id) == "f");
  CHECK(here.counts() == "0|0|0|1");
  here.db.send("b");
  const auto done = here.db.receive_one();
  CHECK(here.db.ack(done));
  CHECK(cancel(here.db, done.id) == "f");
}

TEST_CASE("a lease that ran out protects a message no more, and its attempt hears of it") {
  test::workshop here;
  here.db.send("a");
  REQUIRE(here.db.fail(here.db.receive_one()) == "retry");
  const auto held = here.db.receive_one();
  here.advance(std::chrono::minutes{1});
  CHECK(cancel(here.db, held.id) == "t");
  CHECK_FALSE(here.db.ack(held));
  CHECK(here.contents().empty());
}

TEST_CASE("who cancels while another one claims finds it claimed, and what that takes back cancelled") {
  test::workshop here;
  auto claiming = here.open();
  auto cancelling = here.open();
  for (const bool is_kept : {true, false}) {
    here.clear();
    here.db.send("a");
    REQUIRE(here.db.fail(here.db.receive_one()) == "retry");
    here.advance(std::chrono::hours{1});
    claiming.begin();
    const auto held = claiming.receive_one();
    REQUIRE(held.id != 0);
    auto said = cancelling.later(fmt::format("select mail_cancel({})", held.id));
    here.wait_until_blocked(cancelling);
    is_kept ? claiming.commit() : claiming.rollback();
    CHECK(said.get() == (is_kept ? "f" : "t"));
  }
}

TEST_CASE("producers and operators may cancel, consumers may not") {
  test::workshop here;
  for (const auto* role : {"qt_web", "qt_ops"}) {
    const auto id = here.db.send("a", "1h");
    auto by = here.open(role);
    CHECK(cancel(by, id) == "t");
  }
  const auto id = here.db.send("a", "1h");
  auto mailer = here.open("qt_mailer");
  CHECK(mailer.refusal(fmt::format("select mail_cancel({})", id)) ==
        "42501: permission denied for function mail_cancel");
}
