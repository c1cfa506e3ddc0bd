#include "contract/restore.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "contract/evolution.hpp"
#include "declaration/read.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/places.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<contract::locked_enumeration> enumerations_of(const declaration::project& project) {
  std::vector<contract::locked_enumeration> result;
  for (const auto& each : project.enumerations) result.push_back(contract::locked(each));
  return result;
}

/// What the lock knows of a queue, out of its text.
contract::queue_state locked_state(const declaration::project& project, const declaration::queue& queue) {
  contract::lock lock{project.name, project.schema, enumerations_of(project), {}};
  std::sort(lock.enumerations.begin(), lock.enumerations.end(), [](auto& a, auto& b) { return a.name < b.name; });
  lock.lines.push_back(
      {queue.name, {{contract::first_contract(project, queue, {})}, contract::options_of(queue), false}, {}, {}});
  const auto read = contract::read_lock({"quern.lock", contract::write_lock(lock)});
  REQUIRE(read.diagnostics.empty());
  return read.value.lines.front().state;
}

}  // namespace

TEST_CASE("every queue that can be declared comes back out of the lock as it was") {
  std::size_t count = 0;
  for (const auto& directory : fs::directory_iterator{test::cases("declaration")}) {
    const auto read = declaration::read({"quern.toml", test::content_of(directory.path() / "quern.toml")});
    if (!read.declared) continue;
    for (const auto& queue : read.declared->queues) {
      INFO(directory.path().filename().string() << ": " << queue.name);
      const auto state = locked_state(*read.declared, queue);
      const auto restored = contract::restore(state, state.contracts.front(), enumerations_of(*read.declared));
      CHECK(contract::fields_of(*read.declared, restored) == contract::fields_of(*read.declared, queue));
      CHECK(contract::options_of(restored) == contract::options_of(queue));
      CHECK(restored.is_schemaless == queue.is_schemaless);
      REQUIRE(restored.payload.size() == queue.payload.size());
      for (std::size_t i = 0; i < queue.payload.size(); ++i) {
        const auto& now = restored.payload[i];
        const auto& before = queue.payload[i];
        INFO(before.name);
        CHECK(now.type == before.type);
        CHECK(now.default_value == before.default_value);
        CHECK(now.constraints == before.constraints);
        CHECK(now.doc == before.doc);
      }
      ++count;
    }
  }
  CHECK(count > 20);
}

TEST_CASE("a lock that was edited so that it means nothing is told") {
  const auto said = [](const contract::field& field, const contract::option& option) -> std::string {
    try {
      contract::restore({{}, {option}, false}, {.queue = "email", .fields = {field}}, {});
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  };
  const contract::field plain{.name = "a", .type = "int64", .column = "a"};
  auto typeless = plain;
  typeless.type = "chanel";
  auto endless = plain;
  endless.min = "low";
  CHECK(said(plain, {"lease", "30s"}).empty());
  CHECK(said(typeless, {}) == "quern.lock was edited: it holds the type \"chanel\", which no declaration can say");
  CHECK(said(endless, {}) == "quern.lock was edited: it holds the number \"low\", which no declaration can say");
  CHECK(said(plain, {"lease", "soon"}) ==
        "quern.lock was edited: it holds the duration \"soon\", which no declaration can say");
  CHECK(said(plain, {"retry.backoff", "fast"}) ==
        "quern.lock was edited: it holds the backoff \"fast\", which no declaration can say");
}
