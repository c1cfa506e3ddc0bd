#include "contract/storage.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "contract/evolution.hpp"
#include "contract/history.hpp"
#include "support/catch.hpp"

namespace {

using contracts = std::vector<contract::payload_contract>;

const std::string breaks = "accept_break = { version = 2, reason = \"why\", until = 2027-01-31 }\n";

std::string payload(const std::string& fields) {
  return "payload = { " + fields + " }\n";
}

/// `order_id int64 not null, note text default '-'`.
std::string columns(const contracts& all) {
  std::string words;
  for (const auto& column : contract::columns_of(all)) {
    words += fmt::format("{}{} {}{}{}", words.empty() ? "" : ", ", column.name, column.type,
                         column.is_required ? " not null" : "",
                         column.fill ? fmt::format(" default '{}'", *column.fill) : std::string{});
  }
  return words;
}

contracts with_retired(contracts all, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) all[i].is_retired = true;
  return all;
}

/// How a contract reads a field of the messages of another: both by their versions.
contract::conversion reading(const contracts& all, int reader, const std::string& field, int writer) {
  const auto& by = all.at(static_cast<std::size_t>(reader - 1));
  const auto* wanted = contract::find_field(by, field);
  REQUIRE(wanted != nullptr);
  return contract::convert(all, by, *wanted, all.at(static_cast<std::size_t>(writer - 1)));
}

/// `price`, `price int16 to int32 in range`, `impossible`.
std::string words(const contract::conversion& how) {
  if (!how.is_possible) return "impossible";
  auto result = how.column;
  if (how.from_type != how.to_type) result += fmt::format(" {} to {}", how.from_type, how.to_type);
  if (how.instead) result += fmt::format(" or '{}'", *how.instead);
  if (how.needs_value) result += " given";
  if (how.needs_range) result += " in range";
  if (how.needs_elements) result += " without nulls";
  if (how.min) result += " from " + *how.min;
  if (how.max) result += " to " + *how.max;
  if (how.max_length) result += fmt::format(" of {}", *how.max_length);
  if (how.pattern) result += " like " + *how.pattern;
  for (const auto& value : how.values) result += " " + value;
  CHECK(how.is_plain() == (how.is_possible && !how.needs_value && !how.needs_range && !how.needs_elements && !how.min &&
                           !how.max && !how.max_length && !how.pattern && how.values.empty()));
  return result;
}

}  // namespace

TEST_CASE("a contract alone has a column for each field, filled with nothing but its default") {
  CHECK(columns(test::history({payload(R"(a = "int64", b = "text?", c = { type = "text", default = "x" })")})) ==
        "a int64 not null, b text, c text not null default 'x'");
  CHECK(columns(test::history({"payload = \"jsonb\""})) == "payload jsonb not null");
}

TEST_CASE("a column that a contract does not know may be empty unless it is filled") {
  const auto a = payload(R"(a = "int64")");
  CHECK(columns(test::history({a, payload(R"(a = "int64", b = "text?")")})) == "a int64 not null, b text");
  CHECK(columns(test::history({a, payload(R"(a = "int64", b = { type = "text", default = "-" })")})) ==
        "a int64 not null, b text not null default '-'");
  CHECK(columns(test::history({a, breaks + payload(R"(a = "int64", b = "text")")})) == "a int64 not null, b text");
}

TEST_CASE("a removed field leaves its column, filled with what older programs read") {
  const auto before = payload(R"(a = "int64", b = { type = "text", default = "x" }, c = "text?", d = "text")");
  const auto all = test::history(
      {before, payload(R"(a = "int64")") + "removed = { d = { type = \"text\", default = \"none\" } }\n"});
  CHECK(columns(all) == "a int64 not null, b text not null default 'x', c text, d text not null default 'none'");
  CHECK(columns(with_retired(all, 1)) == "a int64 not null");
}

TEST_CASE("what older programs read of a removed field is what was said last, not its default") {
  const auto all = test::history({payload(R"(a = "int64", b = { type = "text", default = "x" }, c = "text?")"),
                                  payload(R"(a = "int64")") +
                                      "removed = { b = { type = \"text\", default = \"y\" }, c = { type = \"text?\", "
                                      "default = \"z\" } }\n"});
  CHECK(columns(all) == "a int64 not null, b text not null default 'y', c text default 'z'");
}

TEST_CASE("a field stays in its column under another name, and gets one of its own with another type") {
  CHECK(columns(test::history({payload(R"(a = "int64")"), payload(R"(b = { type = "int64", renamed_from = "a" })")})) ==
        "a int64 not null");
  const auto wider = test::history({payload(R"(a = "int32", b = "int16?")"), payload(R"(a = "int64", b = "int64?")")});
  CHECK(columns(wider) == "a int32, b int16, a_v2 int64, b_v2 int64");
  CHECK(columns(with_retired(wider, 1)) == "a_v2 int64 not null, b_v2 int64");
}

TEST_CASE("a column is required when every live contract writes a value there") {
  const auto stricter = test::history({payload(R"(a = "text?")"), payload(R"(a = { type = "text", default = "x" })")});
  CHECK(columns(stricter) == "a text");
  CHECK(columns(with_retired(stricter, 1)) == "a text not null");
  const auto looser = test::history({payload(R"(a = "text")"), payload(R"(a = "text?")")});
  CHECK(columns(looser) == "a text");
}

TEST_CASE("a queue that was dropped and made again has columns of its own") {
  auto all = test::history({payload(R"(a = { type = "text", default = "x" }, b = "text")")});
  const auto again = test::history({payload(R"(b = { type = "int64", default = 5 }, a = "int64")")});
  all.front().is_retired = true;
  all.push_back(again.front());
  all.back().version = 2;
  for (auto& field : all.back().fields) field.is_new = true;
  CHECK(columns(all) == "a int64 not null, b int64 not null default '5'");
}

TEST_CASE("a contract reads its own messages as they are") {
  const auto all = test::history(
      {payload(R"(a = { type = "int16", min = 3 }, b = "text?", c = "channel[]")"),
       payload(R"(a = { type = "int32", min = 5 }, b = { type = "text", default = "x" }, c = "channel?[]")")});
  for (const int version : {1, 2}) {
    for (const auto& field : all[static_cast<std::size_t>(version - 1)].fields) {
      CHECK(words(reading(all, version, field.name, version)) == field.column);
    }
  }
}

TEST_CASE("what a contract does not know is read as the fill of the column") {
  const auto added = test::history(
      {payload(R"(a = "int64")"), payload(R"(a = "int64", b = "text?", c = { type = "text", default = "-" })")});
  CHECK(words(reading(added, 2, "b", 1)) == "b");
  CHECK(words(reading(added, 2, "c", 1)) == "c");
  const auto removed =
      test::history({payload(R"(a = "int64", b = "text?", c = { type = "text", default = "-" }, d = "text")"),
                     payload(R"(a = "int64")") + "removed = { d = { type = \"text\", default = \"none\" } }\n"});
  for (const auto* field : {"b", "c", "d"}) CHECK(words(reading(removed, 1, field, 2)) == field);
}

TEST_CASE("what nothing stands for cannot be read") {
  const auto added = test::history({payload(R"(a = "int64")"), breaks + payload(R"(a = "int64", b = "text")")});
  CHECK(words(reading(added, 2, "b", 1)) == "impossible");
  CHECK_FALSE(reading(added, 2, "b", 1).is_plain());
  const auto removed = test::history({payload(R"(a = "int64", b = "text")"), breaks + payload(R"(a = "int64")")});
  CHECK(words(reading(removed, 1, "b", 2)) == "impossible");
  const auto retyped = test::history({payload(R"(a = "int64")"), breaks + payload(R"(a = "uuid")")});
  CHECK(words(reading(retyped, 2, "a", 1)) == "impossible");
  CHECK(words(reading(retyped, 1, "a", 2)) == "impossible");
}

TEST_CASE("a wider type takes everything, a smaller one what is in its range") {
  const auto all = test::history({payload(R"(a = "int16", b = "numeric(6,2)[]", c = "float32")"),
                                  payload(R"(a = "int64", b = "numeric(8,3)[]", c = "float64")")});
  CHECK(words(reading(all, 2, "a", 1)) == "a int16 to int64");
  CHECK(words(reading(all, 2, "b", 1)) == "b numeric(6,2)[] to numeric(8,3)[]");
  CHECK(words(reading(all, 2, "c", 1)) == "c float32 to float64");
  CHECK(words(reading(all, 1, "a", 2)) == "a_v2 int64 to int16 in range");
  CHECK(words(reading(all, 1, "b", 2)) == "b_v2 numeric(8,3)[] to numeric(6,2)[] in range");
  CHECK(words(reading(all, 1, "c", 2)) == "c_v2 float64 to float32 in range");
}

TEST_CASE("a field is found under every name that it had, over three contracts") {
  const auto all = test::history({payload(R"(a = "int16", z = "int16")"),
                                  payload(R"(b = { type = "int32", renamed_from = "a" }, z = "int16")"),
                                  payload(R"(c = { type = "int64", renamed_from = "b" }, a = "text?", z = "int16")")});
  CHECK(words(reading(all, 3, "c", 1)) == "a int16 to int64");
  CHECK(words(reading(all, 3, "c", 2)) == "b int32 to int64");
  CHECK(words(reading(all, 1, "a", 3)) == "c int64 to int16 in range");
  CHECK(words(reading(all, 2, "b", 3)) == "c int64 to int32 in range");
  CHECK(words(reading(all, 3, "a", 1)) == "a_v3");
}

TEST_CASE("names that were swapped lead to what they mean") {
  const auto all = test::history(
      {payload(R"(a = "text", b = "text")"),
       payload(R"(a = { type = "text", renamed_from = "b" }, b = { type = "text", renamed_from = "a" })")});
  CHECK(words(reading(all, 2, "a", 1)) == "b");
  CHECK(words(reading(all, 2, "b", 1)) == "a");
  CHECK(words(reading(all, 1, "a", 2)) == "a");
  CHECK(words(reading(all, 1, "b", 2)) == "b");
  CHECK(contract::find_field(all[1], "a")->column == "b");
}

TEST_CASE("an enumeration's new values are left to those who know them") {
  const auto all =
      test::history({payload(R"(a = "channel", b = "channel[]")"), payload(R"(a = "channel", b = "channel[]")")});
  CHECK(words(reading(all, 2, "a", 1)) == "a");
  CHECK(words(reading(all, 1, "a", 2)) == "a email sms");
  CHECK(words(reading(all, 1, "b", 2)) == "b email sms");
}

TEST_CASE("what may be missing is read where it is not, or as the default") {
  const auto looser = test::history({payload(R"(a = "text")"), payload(R"(a = "text?")")});
  CHECK(words(reading(looser, 1, "a", 2)) == "a given");
  CHECK(words(reading(looser, 2, "a", 1)) == "a");
  const auto stricter = test::history({payload(R"(a = "text?")"), payload(R"(a = { type = "text", default = "x" })")});
  CHECK(words(reading(stricter, 2, "a", 1)) == "a or 'x'");
  CHECK(words(reading(stricter, 1, "a", 2)) == "a");
  const auto elements = test::history({payload(R"(a = "text[]")"), payload(R"(a = "text?[]")")});
  CHECK(words(reading(elements, 1, "a", 2)) == "a without nulls");
  CHECK(words(reading(elements, 2, "a", 1)) == "a");
}

TEST_CASE("limits are looked at where those of the writer are not as tight") {
  const auto all = test::history(
      {payload(
           R"(a = { type = "int32", min = 0, max = 100 }, b = { type = "text", max_length = 10 }, c = "text", d = { type = "date", min = "2026-01-01" }, e = "float64")"),
       payload(
           R"(a = { type = "int32", min = 5, max = 200 }, b = { type = "text", max_length = 5 }, c = { type = "text", pattern = "^x" }, d = { type = "date", min = "2025-01-01" }, e = { type = "float64", min = 0.5 })")});
  CHECK(words(reading(all, 2, "a", 1)) == "a from 5");
  CHECK(words(reading(all, 1, "a", 2)) == "a to 100");
  CHECK(words(reading(all, 2, "b", 1)) == "b of 5");
  CHECK(words(reading(all, 1, "b", 2)) == "b");
  CHECK(words(reading(all, 2, "c", 1)) == "c like ^x");
  CHECK(words(reading(all, 1, "c", 2)) == "c");
  // Texts of dates are not compared.
  CHECK(words(reading(all, 1, "d", 2)) == "d from 2026-01-01");
  CHECK(words(reading(all, 2, "d", 1)) == "d from 2025-01-01");
  CHECK(words(reading(all, 2, "e", 1)) == "e from 0.5");
}

TEST_CASE("a limit holds for every number of a wider type that is read as a smaller one") {
  const auto all = test::history({payload(R"(a = { type = "int16", min = 0 })"), payload(R"(a = "int32")")});
  CHECK(words(reading(all, 1, "a", 2)) == "a_v2 int32 to int16 in range from 0");
}
