#include "contract/lock.hpp"

#include <string>

#include "contract/release.hpp"
#include "declaration/read.hpp"
#include "support/catch.hpp"

namespace {

declaration::project declared(const std::string& toml) {
  auto read = declaration::read({"quern.toml", toml});
  REQUIRE(read.problems.empty());
  return *std::move(read.declared);
}

const std::string shop = R"(
[project]
name = "shop"

[enums.channel]
doc = "How \"they\" are reached."
values = ["email", "sms"]

[queues.webhooks]
payload = "jsonb"

[queues.email]
doc = "Mail,\nin two lines."
grants = { produce = ["web"], consume = ["mailer"] }
[queues.email.payload]
order_id  = "int64"
recipient = { type = "text", max_length = 320, pattern = '^\S+@\S+$', doc = "Where to." }
channel   = { type = "channel", default = "email" }
price     = { type = "numeric(12,2)?", min = "0.01", max = 100 }
share     = { type = "float64", default = 0.1 }
labels    = { type = "text?[]", default = [] }
)";

contract::read_lock_result read(const std::string& content) {
  return contract::read_lock({"quern.lock", content});
}

}  // namespace

TEST_CASE("a lock that was written is read as it was") {
  const auto lock = test::release(declared(shop));
  const auto text = contract::write_lock(lock);
  const auto again = read(text);
  REQUIRE(again.diagnostics.empty());
  CHECK(again.value == lock);
  CHECK(contract::write_lock(again.value) == text);
}

TEST_CASE("the order of queues in the declaration does not change the lock") {
  const auto lock = test::release(declared(shop));
  auto turned = declared(shop);
  std::swap(turned.queues[0], turned.queues[1]);
  CHECK(contract::write_lock(test::release(turned)) == contract::write_lock(lock));
}

TEST_CASE("a lock of Windows' line ends, or with its keys in another order, is the same lock") {
  const auto lock = test::release(declared(shop));
  auto text = contract::write_lock(lock);
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) text.insert(at, 1, '\r');
  CHECK(read(text).value == lock);

  const auto turned = read(R"({"lines": {}, "schema": "shop", "project": "shop", "enumerations": {}, "format": 2})");
  CHECK(turned.diagnostics.empty());
  CHECK(turned.value == contract::lock{"shop", "shop", {}, {}});
}

TEST_CASE("a lock has one field, value and migration a line") {
  const auto text = contract::write_lock(test::release(declared(shop)));
  CHECK_THAT(text, test::contains(R"(
            {"name": "recipient", "type": "text", "max_length": 320, "pattern": "^\\S+@\\S+$"},
            {"name": "channel", "type": "channel", "default": "email", "values": ["email", "sms"]},
            {"name": "price", "type": "numeric(12,2)?", "min": "0.01", "max": "100"},
            {"name": "share", "type": "float64", "default": "0.1"},
            {"name": "labels", "type": "text?[]", "default": "[]"}
          ]
)"));
  CHECK_THAT(text, test::contains(R"(
        "grants.produce": "web",
        "grants.consume": "mailer",
        "grants.operate": "",
        "payload.recipient.doc": "Where to."
      },
)"));
  CHECK(text.ends_with("}\n"));
}

TEST_CASE("a line of the lock is found by its name") {
  const auto lock = test::release(declared(shop));
  REQUIRE(contract::find_line(lock, "email") != nullptr);
  CHECK(contract::find_line(lock, "email")->name == "email");
  CHECK(contract::find_line(lock, "emai") == nullptr);
  CHECK(contract::find_line({}, "email") == nullptr);
}

TEST_CASE("a lock says which engine a line is of, and an older lock that does not is of the first") {
  contract::lock lock{"shop", "shop", {}, {{"core", {}, {{"0001_create.sql", std::string(64, 'a')}}, {}}}};
  const auto without = contract::write_lock(lock);
  CHECK(without.find("engine") == std::string::npos);
  CHECK(contract::read_lock({"quern.lock", without}).value.lines[0].engine == 1);
  lock.lines[0].released = contract::all_of(lock.lines[0], lock);
  lock.lines[0].engine = 3;
  lock.lines[0].released->engine = 2;
  const auto read = contract::read_lock({"quern.lock", contract::write_lock(lock)});
  REQUIRE(read.diagnostics.empty());
  CHECK(read.value == lock);
  CHECK(contract::without_drafts(read.value).lines[0].engine == 2);
}

TEST_CASE("an engine is a number from 1 on") {
  const auto said = [](const std::string& engine) {
    const text::source source{"quern.lock",
                              "{\"format\": 2, \"project\": \"a\", \"schema\": \"a\", \"enumerations\": {}, \"lines\": "
                              "{\"core\": {\"engine\": " +
                                  engine + ", \"migrations\": []}}}"};
    const auto read = contract::read_lock(source);
    return read.diagnostics.empty() ? std::string{} : read.diagnostics.front().message;
  };
  CHECK(said("1").empty());
  CHECK(said("0") == "\"engine\" must be 1 or more");
  CHECK(said("9000000000") == "\"engine\" must be 1 or more");
  CHECK(said("\"2\"") == "\"engine\" must be a whole number");
}
