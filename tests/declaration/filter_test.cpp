#include "declaration/filter.hpp"

#include <string>

#include "support/catch.hpp"

namespace {

/// As it is spelled after reading; the first problem when it cannot be read.
std::string read(const std::string& written) {
  const auto [root, problems] = declaration::parse_filter(written);
  return root ? declaration::spell_filter(*root) : problems.front().message;
}

}  // namespace

TEST_CASE("a filter is spelled with the parentheses that it needs") {
  CHECK(read("((a)=(1))") == "a = 1");
  CHECK(read("(a or b) and c") == "(a or b) and c");
  CHECK(read("a or b and c") == "a or b and c");
  CHECK(read("not (a and b)") == "not (a and b)");
  CHECK(read("not a is null") == "not a is null");
  CHECK(read("(not a) is null") == "(not a) is null");
  CHECK(read("(a = b) = c") == "(a = b) = c");
  CHECK(read("a = b is true") == "a = b is true");
  CHECK(read("a = (b is true)") == "a = (b is true)");
  CHECK(read("a - (b - c)") == "a - (b - c)");
  CHECK(read("a - -1") == "a - -1");
  CHECK(read("- a::int64") == "- a::int64");
  CHECK(read("(- a)::int64") == "(- a)::int64");
  CHECK(read("(-1)::int64") == "(-1)::int64");
  CHECK(read("a between (b and c) and d") == "a between (b and c) and d");
  CHECK(read("(a between b and c) = d") == "(a between b and c) = d");
  CHECK(read("(a in (1, 2)) is distinct from (b is null)") == "a in (1, 2) is distinct from (b is null)");
  CHECK(read("a ->> 'x' like 'y'") == "a ->> 'x' like 'y'");
  CHECK(read("'a' = any (b) or 1 <> all (array[1, 2])") == "'a' = any (b) or 1 <> all (array[1, 2])");
}

TEST_CASE("what a filter is spelled like is read as the same filter") {
  for (const std::string written :
       {"a = 'it''s' or \"b\" <> U&'\\0041'", "not not (a and (b and (c or d)))", "(a = b) is not true is null",
        "(a is distinct from b) is unknown", "a -> 'x' -> 1 ->> 'y' ~* '^z' and a ? 'k'",
        "a::numeric(10,2) + 1.50 > - b % 2", "x::\"order\"[] && array['a', 'b']::\"order\"[]",
        "coalesce(a, lower(b), nullif(c, '')) not ilike '%x' and greatest(1, 2) >= least(a, 3)",
        "a not between symmetric -1 and 2 and b not in ('x', 'y')", "(a < b) = (c > d) and null::text is null",
        "- (- a) = + b", "(a between 1 and 2) between b and c", "1 = any (a) = true", "e'\\\\' = a and a = '\n'"}) {
    CAPTURE(written);
    const auto once = read(written);
    CHECK(read(once) == once);
  }
}

TEST_CASE("a field in quotes stays in quotes, and one without is in small letters") {
  CHECK(read("Kind = 1") == "kind = 1");
  CHECK(read("\"Kind\" = 1") == "\"Kind\" = 1");
  CHECK(read("\"a\"\"b\" = 1") == "\"a\"\"b\" = 1");
  CHECK(read("U&\"\\006frder\" = 1") == "\"order\" = 1");
}

TEST_CASE("nothing makes the reader of filters do more than read") {
  for (const std::string written :
       {"a); drop table x; select (1", "a = 1; select 1", "a from b", "a, b", "a as b", "*", "a = 1 order by 1",
        "a = 1 limit 1", "a into b", "a union select b", "distinct a", "all a", "1) union select (2", "a where b",
        "a for update", "; a", "a;", "a -- x\n;"}) {
    CAPTURE(written);
    CHECK_FALSE(declaration::parse_filter(written).root);
  }
  CHECK(read("a -- = b") == "a");
  CHECK(read("a /* or true */ = 1") == "a = 1");
}

TEST_CASE("a filter that is too long or too deep is refused before it could do harm") {
  CHECK(read(std::string(2001, 'a')) == "a filter has at most 2000 bytes; this one has 2001");
  const auto repeated = [](std::string_view text, int times) {
    std::string result;
    for (int i = 0; i < times; ++i) result += text;
    return result;
  };
  const std::string deep = "the filter is nested deeper than 50 levels";
  CHECK(read(repeated("not ", 490) + "a") == deep);
  CHECK(read(repeated("- ", 990) + "a") == deep);
  CHECK(read(repeated("a+", 990) + "a") == deep);
  CHECK(read(repeated("(a and (b or ", 90) + "c" + repeated("))", 90)) == deep);
  CHECK(read(repeated("(", 990) + "a" + repeated(")", 990)) == "a");
  CHECK(read(repeated("a::text", 1) + repeated("::text", 300)) == deep);
  CHECK(read(repeated("a or ", 390) + "a").size() == 390 * 5 + 1);
}

TEST_CASE("numbers are what was written, whatever stands before them") {
  CHECK(read("a = -1") == "a = -1");
  CHECK(read("a = - 12") == "a = -12");
  CHECK(read("a = -(-(-7))") == "a = -7");
  CHECK(read("a = -(-7)") == "a = 7");
  CHECK(read("a = -0") == "a = 0");
  CHECK(read("a = 00") == "a = 0");
  CHECK(read("a = -2147483648") == "a = -2147483648");
  CHECK(read("a = -2147483647") == "a = -2147483647");
  CHECK(read("a = - /* x */ 5") == "this number cannot be read");
  CHECK(read("a = -99999999999") == "a = -99999999999");
  CHECK(read("a = -1.5e3") == "a = -1.5e3");
  CHECK(read("a in (0, -1, 1)") == "a in (0, -1, 1)");
  CHECK(read("a::numeric(5,-2) = 1") == "'numeric(5,-2)' is not possible");
}
