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

std::vector<std::string> names_of(const std::vector<const declaration::queue*>& queues) {
  std::vector<std::string> names;
  for (const auto* queue : queues) names.push_back(queue->name);
  return names;
}

}  // namespace

TEST_CASE("everything is new without a lock") {
  const auto project = declared(channel + email + webhooks);
  const auto changes = contract::compare(project, {});
  CHECK(changes.has_new_core);
  CHECK(names_of(changes.new_queues) == std::vector<std::string>{"email", "webhooks"});
  CHECK(changes.new_enumerations.size() == 1);
  CHECK(changes.diagnostics.empty());
}

TEST_CASE("what is released is not new") {
  const auto project = declared(channel + email + webhooks);
  const auto changes = contract::compare(project, test::release(project));
  CHECK_FALSE(changes.has_new_core);
  CHECK(changes.new_queues.empty());
  CHECK(changes.new_enumerations.empty());
  CHECK(changes.diagnostics.empty());
}

TEST_CASE("queues and enumerations can be added") {
  const auto project = declared(channel + email + webhooks);
  const auto changes = contract::compare(project, test::release(declared(email)));
  CHECK_FALSE(changes.has_new_core);
  CHECK(names_of(changes.new_queues) == std::vector<std::string>{"webhooks"});
  CHECK(changes.new_enumerations.size() == 1);
  CHECK(changes.diagnostics.empty());
}

TEST_CASE("the order of queues and enumerations in the declaration means nothing") {
  const auto lock = test::release(declared(email + webhooks));
  const auto project = declared(webhooks + email);
  const auto changes = contract::compare(project, lock);
  CHECK(changes.diagnostics.empty());
  CHECK(changes.new_queues.empty());
}

TEST_CASE("the namespace is no part of what is released") {
  const auto lock = test::release(declared(email));
  auto project = declared(email);
  project.cpp_namespace = "other";
  CHECK(contract::compare(project, lock).diagnostics.empty());
}

TEST_CASE("a queue has version 1 until the lock knows better") {
  const auto project = declared(email);
  auto lock = test::release(project);
  CHECK(contract::version_of(project.queues[0], {}) == 1);
  lock.lines.back().contracts.push_back(contract::contract_of(project.queues[0], 2));
  CHECK(contract::version_of(project.queues[0], lock) == 2);
}

TEST_CASE("every change that is refused is told at once, in the order of the declaration") {
  const auto lock = test::release(declared(channel + email + webhooks));
  const auto changes = contract::compare(
      declared("[enums.channel]\nvalues = [\"sms\"]\n"
               "[queues.email]\nlease = \"5s\"\npayload = { order_id = \"text\", note = \"text?\" }\n"),
      lock);
  std::vector<std::string> codes;
  for (const auto& diagnostic : changes.diagnostics) codes.push_back(diagnostic.code);
  CHECK(codes == std::vector<std::string>{"queue_removed", "enumeration_changed", "option_changed", "contract_changed",
                                          "contract_changed"});
  CHECK(std::is_sorted(changes.diagnostics.begin(), changes.diagnostics.end(),
                       [](const auto& left, const auto& right) { return left.where < right.where; }));
}
