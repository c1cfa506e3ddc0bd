// Another engine on a real server: what was released by the first one gets what the second one makes of
// a new install, while programs go on.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "migrate/runner.hpp"
#include "recipes/engines.hpp"
#include "recipes/scene.hpp"
#include "support/catch.hpp"

namespace {

void check_upgrade(test::played_recipe played) {
  const test::recipe_scene here{std::move(played)};
  const auto wanted = here.fresh_catalog();
  const auto before = here.released_catalog();
  here.forget_everything();
  here.migrate_to_released();
  const auto first = here.catalog();
  here.migrate_to_all();
  CHECK(test::differences(wanted, here.catalog()) == std::string{});
  if (here.is_final()) return;
  here.roll_back();
  CHECK(test::differences(before, here.catalog()) == std::string{});
  here.migrate_to_all();
  CHECK(test::differences(wanted, here.catalog()) == std::string{});
}

/// Those that differ in what an engine meets; engine_test.cpp reads the migrations of all of them.
std::vector<test::recipe> some_recipes(const std::set<std::string>& names) {
  std::vector<test::recipe> result;
  for (const auto& one : test::recipes()) {
    if (names.contains(one.name)) result.push_back(one);
  }
  REQUIRE(result.size() == names.size());
  return result;
}

const test::recipe& recipe(const std::string& name) {
  static const auto all = test::recipes();
  return *std::ranges::find(all, name, &test::recipe::name);
}

}  // namespace

TEST_CASE("another engine gives what a fresh database has, can be taken back, and applied again") {
  for (const auto& recipe : some_recipes({"dead_letters_off", "drop_queue_and_add_it_again", "grants_removed",
                                          "schemaless_to_fields", "third_version"})) {
    INFO(recipe.name);
    check_upgrade(test::play_engine(recipe, test::first_engine(), test::second_engine()));
  }
}

TEST_CASE("another engine together with a recipe gives what a fresh database has, and can be taken back") {
  for (const auto& recipe : some_recipes(
           {"add_enum_value", "dead_letters_on", "drop_queue", "grants_added", "swap_names", "third_version"})) {
    INFO(recipe.name);
    check_upgrade(test::play(recipe, test::first_engine(), test::second_engine()));
  }
}

TEST_CASE("the shared objects go back to the engine before") {
  const test::recipe_scene here{test::play_engine(recipe("add_enum"), test::first_engine(), test::second_engine())};
  here.migrate_to_released();
  const auto before = here.catalog();
  here.migrate_to_all();
  here.roll_back();
  here.roll_core_back();
  CHECK(test::differences(before, here.catalog()) == std::string{});
}

TEST_CASE("under another engine every contract goes on to enqueue and to read") {
  for (const auto& recipe : some_recipes({"change_retry", "rename_and_widen", "third_version"})) {
    INFO(recipe.name);
    const test::recipe_scene here{test::play(recipe, test::first_engine(), test::second_engine())};
    if (here.is_final()) continue;
    here.migrate_to_released();
    const auto old = test::recipe_scene::spoken(here.played().lock);
    for (const auto& contract : old) here.enqueue(contract);
    here.migrate_to_all();
    const auto all = test::recipe_scene::spoken(here.played().wanted.lock);
    for (const auto& contract : all) here.enqueue(contract);
    for (const auto& contract : all) {
      INFO("v" << contract.version);
      const auto is_it = [&](const auto& one) { return one.version == contract.version; };
      const auto own = 1 + static_cast<std::size_t>(std::count_if(old.begin(), old.end(), is_it));
      for (const auto count : here.readable(contract)) CHECK(count >= own);
    }
  }
}

TEST_CASE("what a session called before goes when its transaction has ended, and it sees no failure") {
  const test::recipe_scene here{
      test::play_engine(recipe("third_version"), test::first_engine(), test::renumbered_engine())};
  here.migrate_core();
  for (int i = 0; i < 2; ++i) here.enqueue(test::recipe_scene::spoken(here.played().lock).front());
  quern::connection session{here.url()};
  session.execute("begin");
  // A release that succeeds uses the helper that the second engine has not.
  const std::string use = "select shop.email_release(c.message_id, c.attempt)::text from shop.email_claim_v1() as c";
  CHECK(session.execute(use)[0].get<std::string>(0) == "true");
  std::jthread migrating{[&] { here.migrate_to_all(); }};
  quern::connection watch{here.url()};
  const auto value = [&](const std::string& query) { return watch.execute(query)[0].get<std::string>(0); };
  const std::string waits =
      "select count(*)::text from pg_stat_activity as a where a.datname = current_database() and a.pid <> "
      "pg_backend_pid() and a.query like '%older transactions%' or a.query like '%virtualtransaction%' and a.pid <> "
      "pg_backend_pid() and a.datname = current_database()";
  const std::string is_replaced =
      "select (pg_get_functiondef('shop.email_release(bigint,integer)'::regprocedure) not like '%bell%')::text";
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (value(is_replaced) != "true" || value(waits) == "0") {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
  CHECK(value("select (to_regprocedure('shop.email_bell()') is not null)::text") == "true");
  CHECK(session.execute(use)[0].get<std::string>(0) == "true");
  session.execute("commit");
  migrating.join();
  CHECK(value("select (to_regprocedure('shop.email_bell()') is null)::text") == "true");
}
