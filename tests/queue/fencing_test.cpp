#include <fmt/format.h>

#include <functional>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

// An attempt that is no longer the current one must change nothing, whatever ended it and whatever it tries.

namespace {

struct ending {
  const char* name;
  std::function<void(test::workshop&, const test::held&)> happen;
};

void lapse(test::workshop& here) {
  here.advance(std::chrono::minutes{1});
}

/// The present attempts are the last ones.
void make_last(test::workshop& here) {
  here.make_last();
}

const std::vector<ending> endings{
    {"acknowledged", [](auto& here, const auto& held) { REQUIRE(here.db.ack(held)); }},
    {"acknowledged with others", [](auto& here, const auto& held) { REQUIRE(here.db.ack_many({held}) == "{}"); }},
    {"failed", [](auto& here, const auto& held) { REQUIRE(here.db.fail(held, "1 h") == "retry"); }},
    {"failed and due again", [](auto& here, const auto& held) { REQUIRE(here.db.fail(held) == "retry"); }},
    {"failed and claimed again",
     [](auto& here, const auto& held) {
       REQUIRE(here.db.fail(held) == "retry");
       REQUIRE(here.db.receive_one().id == held.id);
     }},
    {"failed for good",
     [](auto& here, const auto& held) {
       make_last(here);
       REQUIRE(here.db.fail(held) == "dead");
     }},
    {"released", [](auto& here, const auto& held) { REQUIRE(here.db.release(held)); }},
    {"released and claimed again",
     [](auto& here, const auto& held) {
       REQUIRE(here.db.release(held));
       REQUIRE(here.db.receive_one().id == held.id);
     }},
    {"run out and claimed again",
     [](auto& here, const auto& held) {
       lapse(here);
       REQUIRE(here.db.receive_one().id == held.id);
     }},
    {"run out, claimed again and released",
     [](auto& here, const auto& /*held*/) {
       lapse(here);
       REQUIRE(here.db.release(here.db.receive_one()));
     }},
    {"run out, claimed again and failed",
     [](auto& here, const auto& /*held*/) {
       lapse(here);
       REQUIRE(here.db.fail(here.db.receive_one(), "1 h") != "lost");
     }},
    {"run out and taken",
     [](auto& here, const auto& held) {
       lapse(here);
       REQUIRE(here.db.take(1).front().id == held.id);
     }},
    {"run out and buried",
     [](auto& here, const auto& /*held*/) {
       make_last(here);
       lapse(here);
       REQUIRE(here.db.receive().empty());
       REQUIRE(here.counts() == "0|0|0|1");
     }},
    {"buried and redriven",
     [](auto& here, const auto& held) {
       make_last(here);
       REQUIRE(here.db.fail(held) == "dead");
       REQUIRE(here.db.redrive(held.id));
     }},
    {"buried, redriven and claimed again",
     [](auto& here, const auto& held) {
       make_last(here);
       REQUIRE(here.db.fail(held) == "dead");
       REQUIRE(here.db.redrive(held.id));
       REQUIRE(here.db.receive_one() == test::held{held.id, held.attempt + 1, held.body});
     }},
    {"deleted at the door",
     [](auto& here, const auto& /*held*/) {
       lapse(here);
       here.db.ask("delete from mail");
     }},
};

/// What each way to end or keep an attempt says when the attempt is not the current one.
void check_all_refuse(test::workshop& here, const test::held& stale) {
  const auto before = here.contents();
  CHECK_FALSE(here.db.ack(stale));
  CHECK(here.db.ack_many({stale}) == fmt::format("{{{}}}", stale.id));
  CHECK(here.db.fail(stale) == "lost");
  CHECK(here.db.fail(stale, "1 h") == "lost");
  CHECK_FALSE(here.db.extend(stale));
  CHECK_FALSE(here.db.release(stale));
  CHECK(here.db.ask(fmt::format("select queue_ack({}, {})", stale.id, stale.attempt)) == "f");
  CHECK(here.contents() == before);
}

}  // namespace

TEST_CASE("an attempt that has ended changes nothing and is told so, whatever it tries and whatever ended it") {
  test::workshop here;
  for (const bool is_retried : {false, true}) {
    for (const auto& each : endings) {
      if ((is_retried || test::is_log()) && std::string_view{each.name} == "deleted at the door") continue;
      INFO(each.name << (is_retried ? ", of a retried message" : ""));
      here.clear();
      here.db.send("a");
      if (is_retried) REQUIRE(here.db.fail(here.db.receive_one()) == "retry");
      const auto held = here.db.receive_one();
      REQUIRE(held.attempt == (is_retried ? 2 : 1));
      each.happen(here, held);
      check_all_refuse(here, held);
      // Nor does an attempt that never was.
      check_all_refuse(here, {held.id, held.attempt + 5, "a"});
      check_all_refuse(here, {held.id, 0, "a"});
    }
  }
}

TEST_CASE("an attempt that never was changes nothing while another one is current") {
  test::workshop here;
  for (const bool is_retried : {false, true}) {
    here.db.send("a");
    if (is_retried) REQUIRE(here.db.fail(here.db.receive_one()) == "retry");
    const auto held = here.db.receive_one();
    for (const int attempt : {-1, 0, 1, 2, 3}) {
      if (attempt != held.attempt) check_all_refuse(here, {held.id, attempt, "a"});
    }
    CHECK(here.db.ack(held));
  }
}

TEST_CASE("an attempt whose lease has run out is the current one until the message is claimed again") {
  test::workshop here;
  for (const bool is_retried : {false, true}) {
    here.db.send("a");
    if (is_retried) REQUIRE(here.db.fail(here.db.receive_one()) == "retry");
    const auto held = here.db.receive_one();
    here.advance(std::chrono::minutes{1});
    CHECK(here.db.extend(held));
    CHECK(here.db.receive().empty());
    here.advance(std::chrono::minutes{1});
    CHECK(here.db.ack(held));
  }
  CHECK(here.contents().empty());
}

TEST_CASE("of two that end the same attempt at once, in any two ways, one succeeds") {
  test::workshop here;
  const std::vector<std::pair<const char*, const char*>> ways{{"mail_ack({}, {})", "f"},
                                                              {"mail_ack_many('{{{}}}', '{{{}}}')", "{{{}}}"},
                                                              {"mail_nack({}, {})", "lost"},
                                                              {"mail_nack({}, {}, 'x', '1 h')", "lost"},
                                                              {"mail_release({}, {})", "f"}};
  auto one = here.open();
  auto two = here.open();
  for (const auto& [first, first_refused] : ways) {
    for (const auto& [second, second_refused] : ways) {
      for (const bool is_retried : {false, true}) {
        INFO(first << " then " << second << (is_retried ? ", of a retried message" : ""));
        here.clear();
        here.db.send("a");
        if (is_retried) REQUIRE(here.db.fail(here.db.receive_one()) == "retry");
        const auto held = here.db.receive_one();
        const auto call = [&](const char* way) {
          return "select " + fmt::format(fmt::runtime(way), held.id, held.attempt);
        };
        one.begin();
        CHECK(one.ask(call(first)) != fmt::format(fmt::runtime(first_refused), held.id));
        auto waiting = two.later(call(second));
        here.wait_until_blocked(two);
        one.commit();
        CHECK(waiting.get() == fmt::format(fmt::runtime(second_refused), held.id));
      }
    }
  }
}

TEST_CASE("of an end and a new claim at once, the one that is first wins") {
  test::workshop here;
  auto one = here.open();
  auto two = here.open();
  for (const auto* way : {"mail_ack({}, {})", "mail_ack_many('{{{}}}', '{{{}}}')", "mail_nack({}, {})",
                          "mail_release({}, {})", "mail_extend({}, {}) is not null"}) {
    for (const bool is_taken : {false, true}) {
      INFO(way << (is_taken ? " against take" : " against claim"));
      here.clear();
      here.db.send("a");
      const auto held = here.db.receive_one();
      const auto call = "select " + fmt::format(fmt::runtime(way), held.id, held.attempt);
      here.advance(std::chrono::minutes{1});
      one.begin();
      REQUIRE((is_taken ? one.take(1) : one.receive(1)).size() == 1);
      auto waiting = two.later(call);
      here.wait_until_blocked(two);
      one.commit();
      const auto said = waiting.get();
      CHECK((said == "f" || said == "lost" || said == fmt::format("{{{}}}", held.id)));

      // The other way round the claim passes the message by.
      here.clear();
      here.db.send("b");
      const auto again = here.db.receive_one();
      here.advance(std::chrono::minutes{1});
      one.begin();
      one.ask("select " + fmt::format(fmt::runtime(way), again.id, again.attempt));
      CHECK((is_taken ? two.take(1) : two.receive(1)).empty());
      one.commit();
    }
  }
}
