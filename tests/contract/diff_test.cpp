#include "contract/diff.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "contract/release.hpp"
#include "declaration/read.hpp"
#include "support/catch.hpp"

namespace {

declaration::project declared(const std::string& queues) {
  auto read = declaration::read({"quern.toml", "[project]\nname = \"shop\"\n" + queues});
  REQUIRE(read.problems.empty());
  return *std::move(read.declared);
}

const std::string email = "[queues.email]\npayload = { order_id = \"int64\" }\n";
const std::string webhooks = "[queues.webhooks]\npayload = \"jsonb\"\n";
const std::string channel = "[enums.channel]\nvalues = [\"email\"]\n";

std::vector<std::string> names_of(const contract::changes& changes) {
  std::vector<std::string> names;
  for (const auto& change : changes.lines) names.push_back(change.line);
  return names;
}

}  // namespace

TEST_CASE("everything is new without a lock") {
  const auto project = declared(channel + email + webhooks);
  const auto changes = contract::compare(project, {});
  CHECK(changes.core.is_new);
  CHECK(names_of(changes) == std::vector<std::string>{"email", "webhooks"});
  CHECK(changes.core.enumerations_before.empty());
  CHECK(changes.core.enumerations.size() == 1);
  CHECK(changes.diagnostics.empty());
  for (const auto& change : changes.lines) {
    CHECK(change.before.contracts.empty());
    CHECK(change.after.contracts.size() == 1);
  }
}

TEST_CASE("what is released is not new") {
  const auto project = declared(channel + email + webhooks);
  const auto changes = contract::compare(project, test::release(project));
  CHECK_FALSE(changes.core.is_new);
  CHECK(changes.core.words.empty());
  CHECK(changes.lines.empty());
  CHECK(changes.diagnostics.empty());
}

TEST_CASE("a draft is compared with what is released before it") {
  const auto lock = test::draft(declared(channel + email + webhooks), test::release(declared(email)));
  const auto changes = contract::compare(declared(email), lock);
  CHECK(changes.released == test::release(declared(email)));
  CHECK(changes.core.words.empty());
  CHECK(changes.lines.empty());
}

TEST_CASE("queues and enumerations can be added") {
  const auto project = declared(channel + email + webhooks);
  const auto changes = contract::compare(project, test::release(declared(email)));
  CHECK_FALSE(changes.core.is_new);
  CHECK(changes.core.words ==
        std::vector<std::string>{"adds the enumeration \"channel\"", "adds the queue \"webhooks\""});
  CHECK(names_of(changes) == std::vector<std::string>{"webhooks"});
  CHECK(changes.core.enumerations.size() == 1);
  CHECK(changes.diagnostics.empty());
}

TEST_CASE("the order of queues and enumerations in the declaration means nothing") {
  const auto lock = test::release(declared(email + webhooks));
  const auto project = declared(webhooks + email);
  const auto changes = contract::compare(project, lock);
  CHECK(changes.diagnostics.empty());
  CHECK(changes.core.words.empty());
  CHECK(changes.lines.empty());
}

TEST_CASE("the namespace is no part of what is released") {
  const auto lock = test::release(declared(email));
  auto project = declared(email);
  project.cpp_namespace = "other";
  const auto changes = contract::compare(project, lock);
  CHECK(changes.diagnostics.empty());
  CHECK(changes.lines.empty());
}

TEST_CASE("an enumeration that is not declared any more stays, because contracts that are read may use it") {
  const auto lock = test::release(declared(channel + email));
  const auto changes = contract::compare(declared(email), lock);
  CHECK(changes.core.words.empty());
  CHECK(changes.core.enumerations == lock.enumerations);
}

TEST_CASE("contracts are numbered on, also those of a queue that was dropped in between") {
  const auto first = test::release(declared(email + webhooks));
  const auto second = test::release(
      declared("[queues.email]\npayload = { order_id = \"int64\", note = \"text?\" }\n" + webhooks), first);
  const auto dropped = test::release(declared(webhooks + "[removed_queues.email]\n"), second);
  REQUIRE(contract::find_line(dropped, "email") != nullptr);
  CHECK(contract::find_line(dropped, "email")->state.is_dropped);
  const auto changes = contract::compare(declared(email + webhooks), dropped);
  REQUIRE(changes.lines.size() == 1);
  const auto& contracts = changes.lines[0].after.contracts;
  REQUIRE(contracts.size() == 3);
  CHECK(contracts[0].is_retired);
  CHECK(contracts[1].is_retired);
  CHECK_FALSE(contracts[2].is_retired);
  CHECK(contracts[2].version == 3);
}

TEST_CASE("every change that is refused is told at once, in the order of the declaration") {
  const auto lock = test::release(declared(channel + email + webhooks));
  const auto changes = contract::compare(
      declared("[enums.channel]\nvalues = [\"sms\"]\n"
               "[queues.email]\nlease = \"5s\"\npayload = { order_id = \"text\", note = \"text\" }\n"),
      lock);
  std::vector<std::string> codes;
  for (const auto& diagnostic : changes.diagnostics) codes.push_back(diagnostic.code);
  CHECK(codes ==
        std::vector<std::string>{"queue_removed", "enumeration_changed", "field_type_changed", "field_needs_default"});
  CHECK(std::is_sorted(changes.diagnostics.begin(), changes.diagnostics.end(),
                       [](const auto& left, const auto& right) { return left.where < right.where; }));
}
