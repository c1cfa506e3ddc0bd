#include <random>

#include "stream/crew.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

// Claims that go on in the page of the one before, without looking for a page: what must come first, or must be looked
// at, all the same.

using std::chrono::seconds;

namespace {

/// A crew whose last claim has left most of a page.
class begun : public test::crew {
 public:
  explicit begun(int count = 9) {
    fill(count);
    CHECK(ann.claim(1) == "1");
    CHECK(db.ask("select max(cursor_left) from log_claim") == fmt::to_string(count - 1));
  }

  test::hand ann = hire();
  test::hand bob = hire();
};

}  // namespace

TEST_CASE("claims of any size go on through all pages, and each event is claimed once") {
  test::crew here;
  constexpr int count = 3300;
  here.fill(count);
  auto ann = here.hire();
  std::mt19937 random{20261122};
  std::uniform_int_distribution sizes{1, 250};
  for (int next = 1; next <= count;) {
    const int last = std::min(next + sizes(random) - 1, count);
    CHECK(ann.db.ask(fmt::format("select count(*), min(event_offset), max(event_offset), bool_and(event_offset::text = "
                                 "body) from log_claim_v1('crew', {})",
                                 last - next + 1)) == fmt::format("{}|{}|{}|t", last - next + 1, next, last));
    ann.db.ask("select log_ack('crew', (select max(claim_id) from log_claim))");
    next = last + 1;
  }
  CHECK(here.state() == "3300|0|0|0");
}

TEST_CASE("a claim in the middle of a page needs no page, and one beyond its end looks for the next") {
  begun here;
  auto other = here.open();
  other.begin();
  other.ask("lock table log_page in access exclusive mode");
  CHECK(here.bob.claim(3) == "2 3 4");
  CHECK(here.bob.ack(3) == "2");
  CHECK(here.bob.claim(3) == "5 6 7");
  other.rollback();
  here.fill(2);
  CHECK(here.bob.claim(3) == "8 9 10");
  CHECK(here.bob.claim(3) == "11");
}

TEST_CASE("a claim in the middle of a page that is rolled back leaves its events to the next") {
  begun here;
  here.bob.db.begin();
  CHECK(here.bob.claim(3) == "2 3 4");
  here.bob.db.rollback();
  CHECK(here.ann.claim(2) == "2 3");
  CHECK(here.bob.claim(2) == "4 5");
}

TEST_CASE("what failed before and is due comes before the rest of a page") {
  begun here;
  CHECK(here.ann.nack(1) == "retry");
  CHECK(here.bob.claim(2) == "2 3");
  here.pass(seconds{10});
  CHECK(here.bob.claim(2) == "1");
}

TEST_CASE("what somebody has left comes before the rest of a page") {
  begun here;
  here.pass(seconds{61});
  CHECK(here.bob.claim_attempts(2) == "1|2");
  CHECK(here.bob.claim_attempts(2) == "2|1 3|1");
}

TEST_CASE("a consumer that is moved goes on where it was moved to") {
  begun here;
  CHECK(here.ann.ack() == "1");
  here.db.ask("select log_seek('crew', 5)");
  CHECK(here.bob.claim(2) == "6 7");
  here.db.ask("select log_seek('crew', 0)");
  CHECK(here.bob.claim(2) == "1 2");
}

TEST_CASE("a cursor of another cluster is not followed") {
  begun here;
  here.db.ask("update log_claim set cursor_home = cursor_home + 1; update log_page set home = home + 1");
  CHECK(here.bob.db.refusal(here.bob.claiming(2)) ==
        "QN020: stream \"log\" was brought here from another cluster, where transactions had other ids");
}

TEST_CASE("an event that is missing in the page of a cursor is an error, and nothing is claimed") {
  begun here;
  here.db.ask(
      "delete from log_event where event_number in (select event_number from log_event order by 1 desc limit 6)");
  CHECK(here.bob.db.refusal(here.bob.claiming(4)) == "QN024: event 4 of stream \"log\" is not in its page");
  CHECK(here.state() == "0|1|0|0");
}

TEST_CASE("claims from cursors are seen as reads of their contract") {
  begun here;
  here.db.ask("select setval('log_v1_read_at', 1)");
  CHECK(here.bob.claim(2) == "2 3");
  CHECK(here.db.ask("select last_value > date_part('epoch', now()) - 60 from log_v1_read_at") == "t");
}

TEST_CASE("what a newer contract has published in the rest of a page is left to its workers") {
  begun here;
  // As after an expansion.
  here.db.ask(
      "alter table log_event drop constraint log_contract_version_known; "
      "update log_event set contract_version = 2 where body::int > 3; "
      "create sequence log_v2_read_at");
  CHECK(here.bob.claim(5) == "2 3");
  CHECK(here.bob.db.refusal(here.bob.claiming(5)) ==
        "QN021: event 4 of stream \"log\" is of contract v2, which contract v1 cannot read");
}

TEST_CASE("no cursor leads beyond a thousand claims that nobody acknowledges") {
  test::crew here;
  for (int i = 0; i < 4; ++i) here.fill(300);
  auto ann = here.hire();
  CHECK(
      ann.db.ask("select count(*) from generate_series(1, 1001) as n cross join lateral log_claim_v1('crew', n / n)") ==
      "1000");
  CHECK(here.state() == "0|1000|0|0");
}

TEST_CASE("a filter or an order that came with a migration holds for what is left of a page") {
  for (const auto* change : {"create or replace function log_has_filter(p_consumer text) returns boolean language sql "
                             "immutable begin atomic select true; end",
                             "create or replace function log_ordered_by(p_consumer text) returns text language sql "
                             "immutable begin atomic select 'body'; end"}) {
    begun here;
    here.db.ask(change);
    CHECK(here.ann.ack() == "1");
    CHECK(here.bob.claim(1) == "2");
    CHECK(here.db.ask("select picked is not null from log_claim order by claim_id desc, step limit 1") == "t");
  }
}
