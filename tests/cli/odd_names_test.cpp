// The SQL for names and texts that try to break it, on a server.

#include <fstream>
#include <iterator>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <quern/result.hpp>
#include <string>

#include "cli/program.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/places.hpp"

namespace {

/// A database with the queues of the case.
class odd_names {
 public:
  odd_names() {
    std::ifstream in{test::cases("render") / "odd_names/quern.toml", std::ios::binary};
    REQUIRE(in);
    desk_.write("quern.toml", {std::istreambuf_iterator<char>{in}, {}});
    for (const auto* role : {"Web-App", "web", "mailer", "ops"}) test::ensure_role(role);
    REQUIRE(desk_.quern({"generate"}).exit_code == 0);
    const auto migrated = desk_.quern({"migrate", "--database", database_.url()});
    INFO(migrated.err);
    REQUIRE(migrated.exit_code == 0);
  }

  /// The text of the one value that the query gives.
  std::string ask(const std::string& query) {
    quern::connection connection{database_.url()};
    return connection.execute("select (" + query + ")::text").value<std::string>();
  }

 private:
  test::desk desk_;
  test::database database_;
};

}  // namespace

TEST_CASE("docs reach the database as they were written") {
  odd_names place;
  CHECK(place.ask("select obj_description('\"user\".order_message'::regclass)") ==
        "it's $$ \\ -- /* */ {{queue}} ?"
        "?/\n-- step: evil\npath C:\\\ntab\there \xe2\x80\xae bidi trailing\\");
  CHECK(place.ask("select obj_description('\"user\".time'::regtype)") ==
        "it's $$ \\ -- */ {{queue}} ?"
        "?/");
  CHECK(place.ask("select col_description('\"user\".order_message'::regclass, attnum) from pg_attribute "
                  "where attrelid = '\"user\".order_message'::regclass and attname = 'order'") ==
        "a \"quoted\" doc \\");
}

TEST_CASE("a JSON payload gets every default as it was written") {
  odd_names place;
  const std::string payload = R"({"order": 5, "end": "abc", "time": ["late"], "octets": "\\x00ff"})";
  place.ask("select \"user\".queue_enqueue('order', '" + payload + "')");
  const auto taken = [&](const std::string& field) {
    return place.ask("select " + field + " from \"user\".order_message");
  };
  CHECK(taken("\"loop\"") ==
        "it's $$ \\ -- */ {{queue}} ?"
        "?/ \n \"x\" \xe2\x80\xae");
  CHECK(taken("\"user\"") == "late");
  CHECK(taken("\"values\"") == "{}");
  CHECK(taken("small") == "-32768");
  CHECK(taken("big") == "-9223372036854775808");
  CHECK(taken("single") == "0.1");
  CHECK(taken("double_number") == "1e+300");
  CHECK(taken("exact") == "12.50");
  CHECK(taken("id") == "6f1c3d9e-0d4b-4a55-9d3f-2a8f3c1b7e10");
  CHECK(taken("at = '2026-11-21T10:30:00.5Z'") == "true");
  CHECK(taken("span = interval '1 month 2 days 3 hours'") == "true");
  CHECK(taken("octets = '\\x00ff'") == "true");
}

TEST_CASE("a payload of every type in every form goes in and comes out as JSON") {
  odd_names place;
  const std::string payload = place.ask(R"(
    select jsonb_object_agg(f.name, case
      when f.name ~ 'list|sparse' then case when f.sample is null then '[]'::jsonb else jsonb_build_array(f.sample) end
      else f.sample end)
    from (
      select a.attname as name, case split_part(a.attname, '_', 1)
        when 'f0' then 'true'::jsonb when 'f8' then '"a\\b"' when 'f9' then '"\\x00ff"'
        when 'f10' then '"6f1c3d9e-0d4b-4a55-9d3f-2a8f3c1b7e10"' when 'f11' then '"2026-11-21"'
        when 'f12' then '"2026-11-21T10:30:00+00:00"' when 'f13' then '"01:00:00"' when 'f14' then '{"a": [1, null]}'
        when 'f15' then '"late"' else '1' end as sample
      from pg_attribute as a
      where a.attrelid = '"user".kinds_message'::regclass and a.attname ~ '^f[0-9]'
    ) as f)");
  CHECK(payload.size() > 1000);
  place.ask("select \"user\".queue_enqueue('kinds', $json$" + payload + "$json$)");
  CHECK(place.ask("select payload @> $json$" + payload + "$json$ and payload <@ $json$" + payload +
                  "$json$ from \"user\".queue_dequeue('kinds')") == "true");
}

TEST_CASE("constraints refuse what the declaration refuses, by their names") {
  odd_names place;
  const auto refused = [&](const std::string& payload, const std::string& constraint) {
    CHECK_THROWS_WITH(place.ask("select \"user\".queue_enqueue('order', $json$" + payload + "$json$)"),
                      test::contains(constraint));
  };
  refused(R"({"order": -6, "end": "abc", "time": [], "octets": ""})", "order_order_min");
  refused(R"({"order": 1, "end": "abcdefghijk", "time": [], "octets": ""})", "order_end_max_length");
  refused(R"({"order": 1, "end": "ABC", "time": [], "octets": ""})", "order_end_pattern");
  refused(R"({"order": 1, "end": "a", "time": [null], "octets": ""})", "order_time_no_nulls");
  refused(R"({"order": 1, "end": "a", "time": [], "octets": "123456"})", "order_octets_max_length");
  refused(R"({"order": 1, "end": "a", "time": [], "octets": "", "values": ["a", "b", "c", "d"]})",
          "order_values_max_length");
  refused(R"({"order": 1, "end": "a", "time": [], "octets": "", "single": 0.05})", "order_single_min");
  refused(R"({"order": 1, "end": "a", "time": [], "octets": "", "span": "1 minute"})", "order_span_min");
  refused(R"({"order": 1, "end": "a", "time": [], "octets": "", "exact": 0})", "order_exact_min");
  // The smallest value is allowed, although 0.1 has no exact form.
  place.ask(
      R"(select "user".queue_enqueue('order', '{"order": -5, "end": "", "time": [], "octets": "", "single": 0.1}'))");
}
