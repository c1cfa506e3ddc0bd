#include "declaration/pattern.hpp"

#include <string>

#include "support/catch.hpp"

using declaration::find_pattern_problem;
using declaration::match;
using declaration::match_result;

TEST_CASE("patterns that PostgreSQL takes are taken") {
  for (const auto* pattern : {"",
                              "abc",
                              "^a.c$",
                              "a|b|",
                              "(a)(b)?",
                              "(?:a)+?",
                              "a{3}",
                              "a{3,}",
                              "a{3,5}?",
                              "a{,3}",
                              "{x",
                              "a]",
                              "a}",
                              "[]a]",
                              "[^]a]",
                              "[a-]",
                              "[-a]",
                              "[[:alpha:]_]+",
                              "\\d+\\.\\d{2}",
                              "[\\w.]+@[\\w.]+",
                              "\\u00e9",
                              "(?i)abc",
                              "a(?=b)",
                              "a(?!b)",
                              "(?<=a)b",
                              "(?<!a)b",
                              "(a)\\1",
                              "[[.a.]]",
                              "[[=a=]]",
                              "[[:<:]]a",
                              "\\ma\\M",
                              "\\Aa\\Z",
                              "()",
                              "\\x41",
                              "a(?#comment)b",
                              "\\$\\^\\\\",
                              "\xC3\xBC+"}) {
    INFO(pattern);
    CHECK(find_pattern_problem(pattern).empty());
  }
}

TEST_CASE("patterns that PostgreSQL refuses are refused") {
  for (const auto* pattern :
       {"(",   ")",     "a)",   "(a",     "[",     "[a",      "[]",         "[^]",           "*",      "a**",
        "a+*", "a|*",   "(*a)", "^*",     "$+",    "a{2,1}",  "a{256}",     "a{1",           "a{1,x}", "\\",
        "a\\", "\\q",   "\\1",  "(a\\1)", "[z-a]", "[a-b-c]", "[[:nope:]]", "[a-[:alpha:]]", "[\\q]",  "(?<x>a)",
        "(?",  "\\u12", "\\x",  "(?=a)*", "\\m+",  "(?z)a"}) {
    INFO(pattern);
    CHECK_FALSE(find_pattern_problem(pattern).empty());
  }
}

TEST_CASE("a pattern that is too large is refused, not tried") {
  CHECK_FALSE(find_pattern_problem("((((a{200}){200}){200}){200})").empty());
  CHECK_FALSE(find_pattern_problem(std::string(5000, 'a')).empty());
  CHECK_FALSE(find_pattern_problem(std::string(100, '(') + std::string(100, ')')).empty());
}

TEST_CASE("a pattern is searched for anywhere in the text unless it is anchored") {
  CHECK(match("b", "abc") == match_result::yes);
  CHECK(match("^b", "abc") == match_result::no);
  CHECK(match("^abc$", "abc") == match_result::yes);
  CHECK(match("^abc$", "abcd") == match_result::no);
  CHECK(match("", "") == match_result::yes);
  CHECK(match("^$", "") == match_result::yes);
  CHECK(match("^$", "\n") == match_result::no);
  CHECK(match("a$", "a\n") == match_result::no);
}

TEST_CASE("repetitions, choices and classes match what they say") {
  CHECK(match("^[a-z0-9]+(-[a-z0-9]+)*$", "a-slug-2") == match_result::yes);
  CHECK(match("^[a-z0-9]+(-[a-z0-9]+)*$", "a--slug") == match_result::no);
  CHECK(match("^\\d{4}$", "2026") == match_result::yes);
  CHECK(match("^\\d{4}$", "20266") == match_result::no);
  CHECK(match("^\\d{2,}$", "2") == match_result::no);
  CHECK(match("^(a|bc)?$", "bc") == match_result::yes);
  CHECK(match("^(a|bc)?$", "b") == match_result::no);
  CHECK(match("^[^a-c]$", "d") == match_result::yes);
  CHECK(match("^[^a-c]$", "b") == match_result::no);
  CHECK(match("^.$", "\n") == match_result::yes);
  CHECK(match("^[[:upper:]][[:lower:]]*\\.$", "Hello.") == match_result::yes);
  CHECK(match("^\\S+\\s\\S+$", "two words") == match_result::yes);
  CHECK(match("^a{0}b$", "b") == match_result::yes);
  CHECK(match("^\xC3\xBC+$", "\xC3\xBC\xC3\xBC") == match_result::yes);
}

TEST_CASE("what would take a backtracking search for ever is answered at once") {
  CHECK(match("^(a+)+$", std::string(5000, 'a') + "b") == match_result::no);
  CHECK(match("^(a*)*b$", std::string(5000, 'a')) == match_result::no);
}

TEST_CASE("what depends on the database is unknown") {
  CHECK(match("a(?=b)", "ab") == match_result::unknown);
  CHECK(match("(a)\\1", "aa") == match_result::unknown);
  CHECK(match("(?i)A", "a") == match_result::unknown);
  CHECK(match("\\ma", "a") == match_result::unknown);
  CHECK(match("^\\w+$",
              "stra\xC3\x9F"
              "e") == match_result::unknown);
  CHECK(match("(", "a") == match_result::unknown);
}
