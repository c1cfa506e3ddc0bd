#include "contract/schedules.hpp"

#include <string>
#include <vector>

#include "contract/diff.hpp"
#include "contract/release.hpp"
#include "declaration/read.hpp"
#include "support/catch.hpp"

namespace {

using words = std::vector<std::string>;

declaration::project declared(const std::string& toml) {
  auto read = declaration::read({"quern.toml", "[project]\nname = \"shop\"\n" + toml});
  REQUIRE(read.problems.empty());
  return *std::move(read.declared);
}

const std::string email = "[queues.email]\npayload = { order_id = \"int64\" }\n";
const std::string wider = "[queues.email]\npayload = { order_id = \"int64\", note = \"text?\" }\n";

std::string schedule(const std::string& name, const std::string& options) {
  return "[schedules." + name + "]\nqueue = \"email\"\npayload = { order_id = 1 }\n" + options;
}

const std::string daily = schedule("daily", "cron = \"@daily\"\ndoc = \"It's\\nso.\"\n");
const std::string hourly = schedule("hourly", "cron = \"@hourly\"\n");

}  // namespace

TEST_CASE("a lock with schedules that was written is read as it was, with drafts and without") {
  const auto first = test::release(declared(email + hourly + daily));
  const auto second = test::draft(declared(wider + daily), first);
  for (const auto& lock : {first, second}) {
    const auto text = contract::write_lock(lock);
    const auto again = contract::read_lock({"quern.lock", text});
    REQUIRE(again.diagnostics.empty());
    CHECK(again.value == lock);
    CHECK(contract::write_lock(again.value) == text);
  }
  CHECK(contract::without_drafts(second) == first);
}

TEST_CASE("a lock without schedules does not speak of them") {
  const auto text = contract::write_lock(test::release(declared(email)));
  CHECK(text.find("schedule") == std::string::npos);
}

TEST_CASE("what of a schedule could not become SQL is refused in a lock") {
  auto text = contract::write_lock(test::release(declared(email + daily)));
  const auto refused = [&](const std::string& from, const std::string& to) {
    auto edited = text;
    edited.replace(edited.find(from), from.size(), to);
    const auto read = contract::read_lock({"quern.lock", edited});
    return read.diagnostics.empty() ? std::string{} : read.diagnostics.front().message;
  };
  CHECK(refused("\"cron\": \"@daily\"", "\"cron\": \"now\"") == "the schedule \"daily\" has no cron line");
  CHECK(refused("\"queue\": \"email\"", "\"queue\": \"email(); drop\"") == "\"email(); drop\" is not a name");
  CHECK(refused("\"contract\": \"1\"", "\"contract\": \"1()\"") == "the schedule \"daily\" has no contract");
}

TEST_CASE("schedules that come, change, move and go are changes of what is shared, and say so") {
  const auto lock = test::release(declared(email + hourly + daily));
  CHECK(contract::compare(declared(email + hourly + daily), lock).core.words.empty());
  const auto moved = contract::compare(declared(wider + hourly + daily), lock);
  CHECK(moved.core.words ==
        words{"moves the schedule \"daily\" to contract v2", "moves the schedule \"hourly\" to contract v2"});
  const auto other =
      contract::compare(declared(email + schedule("daily", "cron = \"0 9 * * *\"\nzone = \"Europe/Berlin\"\n") +
                                 schedule("weekly", "cron = \"@weekly\"\ncatch_up = \"none\"\n")),
                        lock);
  CHECK(other.core.words == words{"changes doc, cron, zone of the schedule \"daily\"", "adds the schedule \"weekly\"",
                                  "drops the schedule \"hourly\""});
  CHECK(other.core.added == words{"weekly"});
  CHECK(other.lines.empty());
}

TEST_CASE("who operates a queue is a part of its schedules") {
  const auto lock = test::release(declared(email + daily));
  auto operated = email;
  operated.insert(operated.find("payload"), "grants = { operate = [\"ops\", \"dba\"] }\n");
  const auto changes = contract::compare(declared(operated + daily), lock);
  CHECK(changes.core.words == words{"changes operate of the schedule \"daily\""});
  CHECK(contract::option_of(changes.core.schedules.front(), "operate") == "ops, dba");
}
