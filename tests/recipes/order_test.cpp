// A queue becomes ordered while it is in use, and ceases to be.

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "recipes/scene.hpp"
#include "support/catch.hpp"

namespace {

test::recipe recipe_named(std::string_view name) {
  for (auto& one : test::recipes()) {
    if (one.name == name) return one;
  }
  throw std::runtime_error{fmt::format("there is no recipe {}", name)};
}

/// The rows of the last statement: columns joined by `|`, rows by a space.
std::string ask(quern::connection& db, std::string_view sql) {
  std::string text;
  const auto results = db.run_script(sql);
  for (const auto row : results.back()) {
    if (!text.empty()) text += ' ';
    for (std::size_t i = 0; i < results.back().column_count(); ++i)
      text += (i == 0 ? "" : "|") + (row.is_null(i) ? "null" : row.get<std::string>(i));
  }
  return text;
}

constexpr auto send = "select shop.email_enqueue_v1({}, 'x')";
constexpr auto claim = "select message_id from shop.email_claim_v1(9)";

}  // namespace

TEST_CASE("claims that were made before a queue is ordered go on, and nothing of their keys is handed out meanwhile") {
  const test::recipe_scene here{recipe_named("ordered_by_on")};
  here.migrate_to_released();
  auto db = here.connect();
  for (const int key : {7, 7, 7, 8}) ask(db, fmt::format(send, key));
  CHECK(ask(db, "select message_id from shop.email_claim_v1(2)") == "1 2");
  here.migrate_to_all();
  CHECK(ask(db, claim) == "4");
  CHECK(ask(db, "select shop.email_extend(2, 1) is not null, shop.email_ack(1, 1)") == "t|t");
  CHECK(ask(db, claim) == "");
  ask(db, fmt::format(send, 9) + ";" + fmt::format(send, 9));
  CHECK(ask(db, "select shop.email_ack(2, 1)") == "t");
  CHECK(ask(db, "select count(*) from shop.email_claim_v1(9)") == "2");
  CHECK(ask(db, "select message_id from shop.email_delayed where lease_until > now() order by 1") == "3 4 5");
}

TEST_CASE("of a key that several claims hold from before none is handed out while one of them runs") {
  const test::recipe_scene here{recipe_named("ordered_by_on")};
  here.migrate_to_released();
  auto db = here.connect();
  for (int i = 0; i < 3; ++i) ask(db, fmt::format(send, 7));
  CHECK(ask(db, "select message_id from shop.email_claim_v1(2)") == "1 2");
  ask(db, "update shop.email_message set lease_until = now() - interval '1 s' where message_id = 1");
  here.migrate_to_all();
  CHECK(ask(db, claim) == "");
  CHECK(ask(db, "select shop.email_ack(2, 1)") == "t");
  CHECK(ask(db, claim) == "1");
}

TEST_CASE("the order of a queue holds again after a rollback and another expansion") {
  const test::recipe_scene here{recipe_named("ordered_by_on")};
  here.migrate_to_released();
  here.migrate_to_all();
  auto db = here.connect();
  for (int i = 0; i < 4; ++i) ask(db, fmt::format(send, 7));
  CHECK(ask(db, claim) == "1");
  here.roll_back();
  CHECK(ask(db, "select message_id from shop.email_claim_v1(1)") == "2");
  CHECK(ask(db, "select shop.email_ack(1, 1)") == "t");
  here.migrate_to_all();
  CHECK(ask(db, claim) == "");
  CHECK(ask(db, "select shop.email_ack(2, 1)") == "t");
  CHECK(ask(db, claim) == "3");
}

TEST_CASE("a queue that ceases to be ordered hands out everything, and is ordered again when that is taken back") {
  const test::recipe_scene here{recipe_named("ordered_by_off")};
  here.migrate_to_released();
  auto db = here.connect();
  for (int i = 0; i < 4; ++i) ask(db, fmt::format(send, 7));
  CHECK(ask(db, claim) == "1");
  here.migrate_to_all();
  CHECK(ask(db, "select message_id from shop.email_claim_v1(1)") == "2");
  here.roll_back();
  CHECK(ask(db, claim) == "");
  CHECK(ask(db, "select shop.email_ack(1, 1), shop.email_ack(2, 1)") == "t|t");
  CHECK(ask(db, claim) == "3");
}

TEST_CASE("dead letters from before a queue is ordered block no key") {
  const test::recipe_scene here{recipe_named("ordered_by_on")};
  here.migrate_to_released();
  auto db = here.connect();
  for (int i = 0; i < 2; ++i) ask(db, fmt::format(send, 7));
  ask(db, "update shop.email_message set attempt = 8 where message_id = 1");
  CHECK(ask(db, "select message_id from shop.email_claim_v1(1)") == "2");
  CHECK(ask(db, "select shop.email_release(2, 1), count(*) from shop.email_dead") == "t|1");
  here.migrate_to_all();
  CHECK(ask(db, "select count(*) from shop.email_blocked()") == "0");
  CHECK(ask(db, claim) == "2");
}
