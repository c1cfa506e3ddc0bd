#include "declaration/literals.hpp"

#include <compare>
#include <string>

#include "support/catch.hpp"

using declaration::compare;
using declaration::compare_numeric;
using declaration::interval_parts;
using declaration::read_date;
using declaration::read_interval;
using declaration::read_numeric;
using declaration::read_timestamp;
using declaration::read_uuid;
using declaration::spell_interval;
using declaration::spell_timestamp;

namespace {

/// -1, 0 or 1.
int sign(std::strong_ordering order) {
  return order < 0 ? -1 : static_cast<int>(order > 0);
}

int order(std::string_view a, std::string_view b) {
  return sign(compare(*read_interval(a), *read_interval(b)));
}

int numeric_order(std::string_view a, std::string_view b) {
  return sign(compare_numeric(a, b));
}

}  // namespace

TEST_CASE("a uuid has its one form, in either case") {
  CHECK(read_uuid("6F1c3d9e-0D4B-4a55-9d3f-2a8f3c1b7e10") == "6f1c3d9e-0d4b-4a55-9d3f-2a8f3c1b7e10");
  CHECK_FALSE(read_uuid("6f1c3d9e0d4b4a559d3f2a8f3c1b7e10"));
  CHECK_FALSE(read_uuid("{6f1c3d9e-0d4b-4a55-9d3f-2a8f3c1b7e10}"));
  CHECK_FALSE(read_uuid("6f1c3d9e-0d4b-4a55-9d3f-2a8f3c1b7e1g"));
  CHECK_FALSE(read_uuid(""));
}

TEST_CASE("a date exists in the calendar") {
  CHECK(read_date("2024-02-29"));
  CHECK(read_date("0001-01-01"));
  CHECK(read_date("9999-12-31"));
  for (const auto* none : {"2023-02-29", "2024-13-01", "2024-00-10", "2024-1-1", "0000-01-01", "10000-01-01",
                           "2024-01-01 ", "", "-001-01-01", "2024/01/01"}) {
    INFO(none);
    CHECK_FALSE(read_date(none));
  }
}

TEST_CASE("a timestamp has a zone and becomes one in UTC") {
  const auto spelled = [](std::string_view written) {
    const auto read = read_timestamp(written);
    return read ? spell_timestamp(*read) : std::string("none");
  };
  CHECK(spelled("2026-11-21T12:30:00Z") == "2026-11-21T12:30:00Z");
  CHECK(spelled("2026-11-21 12:30+02:00") == "2026-11-21T10:30:00Z");
  CHECK(spelled("2026-11-21T00:30:00.25-05") == "2026-11-21T05:30:00.25Z");
  CHECK(spelled("2026-12-31T23:59:59.999999-00:01") == "2027-01-01T00:00:59.999999Z");
  for (const auto* none :
       {"2026-11-21T12:30:00", "2026-11-21", "2026-11-21T24:00:00Z", "2026-11-21T12:60:00Z", "2026-11-21T12:30:60Z",
        "2026-11-21T12:30:00.Z", "2026-11-21T12:30:00.1234567Z", "2026-11-21T12:30:00+16:00", "now", "infinity",
        "2026-11-21T12:30:00Z'", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"}) {
    INFO(none);
    CHECK(spelled(none) == "none");
  }
}

TEST_CASE("an interval keeps months, days and microseconds apart") {
  CHECK(read_interval("P1Y2M3DT4H5M6.5S") == interval_parts{14, 3, 14'706'500'000});
  CHECK(read_interval("P2W") == interval_parts{0, 14, 0});
  CHECK(read_interval("PT-0.000001S") == interval_parts{0, 0, -1});
  CHECK(read_interval("P-1MT1S") == interval_parts{-1, 0, 1'000'000});
  CHECK(read_interval("1h30m") == interval_parts{0, 0, 5'400'000'000});
  CHECK(read_interval("36h") == interval_parts{0, 1, 43'200'000'000});
  for (const auto* none : {"", "P", "PT", "P1", "1", "P1H", "PT1D", "P1D1M", "P1Y1Y", "P1.5D", "P1DT", "PT1S1M",
                           "P10001Y", "PT99999999999999S", "1 day", "P1D'", "p1d", "PT1.1234567S", "P--1D"}) {
    INFO(none);
    CHECK_FALSE(read_interval(none));
  }
}

TEST_CASE("an interval is spelled so that it is read back the same") {
  for (const auto& each : {interval_parts{}, interval_parts{-14, 3, -1}, interval_parts{0, 0, 500'000},
                           interval_parts{120'000, -3'650'000, 86'400'000'000}}) {
    INFO(spell_interval(each));
    CHECK(read_interval(spell_interval(each)) == each);
  }
  CHECK(spell_interval({}) == "PT0S");
}

TEST_CASE("intervals are compared as PostgreSQL does, with months of 30 days") {
  CHECK(order("P1M", "P30D") == 0);
  CHECK(order("P1M", "P31D") == -1);
  CHECK(order("P1D", "PT24H") == 0);
  CHECK(order("P1D", "PT23H59M59.999999S") == 1);
  CHECK(order("P1DT-1S", "PT23H59M59S") == 0);
  CHECK(order("P10000Y", "P-10000Y") == 1);
  CHECK(order("PT-1S", "PT0S") == -1);
}

TEST_CASE("a number keeps its digits") {
  CHECK(read_numeric("-0012.500") == "-12.500");
  CHECK(read_numeric("+3") == "3");
  CHECK(read_numeric("-0.00") == "0.00");
  CHECK(read_numeric(std::string(1000, '9')) == std::string(1000, '9'));
  for (const auto* none : {"", "-", ".5", "5.", "1e5", "1_000", "NaN", "Infinity", "0x10", "1,5", "--1", " 1", "1 "}) {
    INFO(none);
    CHECK_FALSE(read_numeric(none));
  }
  CHECK_FALSE(read_numeric(std::string(1001, '9')));
}

TEST_CASE("numbers are compared by their value, however long they are") {
  CHECK(numeric_order("10", "9") == 1);
  CHECK(numeric_order("1.50", "1.5") == 0);
  CHECK(numeric_order("-1.51", "-1.5") == -1);
  CHECK(numeric_order("0.00", "0") == 0);
  CHECK(numeric_order("-1", "1") == -1);
  CHECK(numeric_order("0.1", "0.09") == 1);
  CHECK(numeric_order("99999999999999999999.1", "99999999999999999999.2") == -1);
}
