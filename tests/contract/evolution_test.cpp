#include "contract/evolution.hpp"

#include <string>
#include <vector>

#include "contract/counterpart.hpp"
#include "contract/history.hpp"
#include "declaration/names.hpp"
#include "support/catch.hpp"

namespace {

std::string payload(const std::string& fields) {
  return "payload = { " + fields + " }\n";
}

std::string counterpart(const std::vector<contract::payload_contract>& all, int version, const std::string& field,
                        int in_version) {
  const auto* of = contract::find_field(all.at(static_cast<std::size_t>(version - 1)), field);
  REQUIRE(of != nullptr);
  const auto* found = contract::counterpart(all, version, *of, in_version);
  return found == nullptr ? "" : found->name;
}

}  // namespace

TEST_CASE("the same payload is no new contract, whatever else is said of it") {
  CHECK(test::history({payload(R"(a = "int64")"), payload(R"(a = { type = "int64", doc = "One." })")}).size() == 1);
  CHECK(test::history({payload(R"(a = "int64")"), "lease = \"1m\"\n" + payload(R"(a = "int64")")}).size() == 1);
  CHECK(test::history({payload(R"(a = "int64", b = "text?")"), payload(R"(b = "text?", a = "int64")")}).size() == 2);
}

TEST_CASE("a name of a column is never used twice in the life of a queue") {
  const auto all = test::history({payload(R"(a = "int16", a_v2 = "text?")"), payload(R"(a = "int32")"),
                                  payload(R"(a = "int64", a_v2 = "text?", a_v3 = "text?")")});
  REQUIRE(all.size() == 3);
  CHECK(all[1].fields[0].column == "a_v3");
  CHECK(all[2].fields[0].column == "a_v4");
  CHECK(all[2].fields[1].column == "a_v2_v3");
  CHECK(all[2].fields[2].column == "a_v3_v3");
}

TEST_CASE("a column's name is never longer than PostgreSQL's") {
  const std::string longest(declaration::longest_identifier - 2, 'a');
  const auto all = test::history({payload(longest + " = \"int16\""), payload(longest + " = \"int32\"")});
  REQUIRE(all.size() == 2);
  CHECK(all[1].fields[0].column.size() == declaration::longest_identifier);
  CHECK(all[1].fields[0].column.ends_with("a_v2"));
}

TEST_CASE("a field is followed by its renames, in both directions") {
  const auto all = test::history({payload(R"(a = "text", b = "text?")"),
                                  payload(R"(c = { type = "text", renamed_from = "a" }, b = "text?")"),
                                  payload(R"(d = { type = "text", renamed_from = "c" }, a = "int64?")"),
                                  payload(R"(d = "text", a = "int64?", b = "text?")")});
  CHECK(counterpart(all, 1, "a", 4) == "d");
  CHECK(counterpart(all, 4, "d", 1) == "a");
  CHECK(counterpart(all, 2, "c", 3) == "d");
  CHECK(counterpart(all, 2, "c", 2) == "c");
  // Another field under a name that was one's before.
  CHECK(counterpart(all, 4, "a", 3) == "a");
  CHECK(counterpart(all, 4, "a", 2).empty());
  CHECK(counterpart(all, 1, "b", 2) == "b");
  CHECK(counterpart(all, 1, "b", 3).empty());
  CHECK(counterpart(all, 4, "b", 3).empty());
}

TEST_CASE("a field that comes back is not the one that was removed") {
  const auto all = test::history(
      {payload(R"(a = "text", b = "text?")"), payload(R"(a = "text")"), payload(R"(a = "text", b = "text?")")});
  CHECK(all[2].fields[1].column == "b_v3");
  CHECK(counterpart(all, 3, "b", 1).empty());
}

TEST_CASE("a rename that stands in the declaration since an earlier contract is done") {
  const std::string renamed = R"(b = { type = "text", renamed_from = "a" })";
  const auto all = test::history({payload(R"(a = "text")"), payload(renamed), payload(renamed + R"(, a = "int64?")"),
                                  payload(renamed + R"(, a = "int64?", c = "text?")")});
  REQUIRE(all.size() == 4);
  CHECK(all[1].fields[0].renamed_from == "a");
  CHECK(all[2].fields[0].renamed_from.empty());
  CHECK(all[3].fields[0].renamed_from.empty());
  CHECK(counterpart(all, 4, "b", 1) == "a");
  CHECK(counterpart(all, 4, "a", 3) == "a");
}

TEST_CASE("names that were swapped are swapped once, as long as the keys stand there") {
  const std::string swapped = R"(a = { type = "text", renamed_from = "b" }, b = { type = "text", renamed_from = "a" })";
  const auto all = test::history({payload(R"(a = "text", b = "text")"), payload(swapped), payload(swapped),
                                  payload(swapped + R"(, c = "text?")"), payload(swapped + R"(, d = "text?")")});
  REQUIRE(all.size() == 4);
  CHECK(counterpart(all, 4, "a", 1) == "b");
  CHECK(counterpart(all, 4, "b", 1) == "a");
}

TEST_CASE("a break is remembered with its reason, and what was removed with its value") {
  const auto all = test::history({payload(R"(a = "text", b = "text", c = "text?")"),
                                  "accept_break = { version = 2, reason = \"why\", until = 2027-01-31 }\n"
                                  "removed = { b = { type = \"text\", default = \"none\" }, c = \"text?\" }\n" +
                                      payload(R"(a = "uuid")")});
  REQUIRE(all.size() == 2);
  REQUIRE(all[1].breaks.has_value());
  CHECK(*all[1].breaks == contract::contract_break{"why", "2027-01-31"});
  CHECK(all[1].removed == std::vector<contract::removed_field>{{"b", "none"}});
  CHECK(all[1].fields[0].is_new);
  CHECK_FALSE(all[0].breaks.has_value());
}
