#include "text/utf8.hpp"

#include <string>

#include "support/catch.hpp"

TEST_CASE("well-formed UTF-8 of every length passes") {
  CHECK_FALSE(text::find_invalid_utf8(""));
  CHECK_FALSE(text::find_invalid_utf8("plain"));
  CHECK_FALSE(text::find_invalid_utf8("\xC2\x80 \xDF\xBF \xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF"));
  CHECK_FALSE(text::find_invalid_utf8("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"));
}

TEST_CASE("the first byte that is not UTF-8 is found") {
  CHECK(text::find_invalid_utf8("abc\xFF") == 3U);
  CHECK(text::find_invalid_utf8("0123456789abcdef\x80") == 16U);
  CHECK(text::find_invalid_utf8("\xC3") == 0U);              // cut off
  CHECK(text::find_invalid_utf8("a\xE2\x82") == 1U);         // cut off
  CHECK(text::find_invalid_utf8("a\xC3(") == 1U);            // no continuation
  CHECK(text::find_invalid_utf8("\xC0\xAF") == 0U);          // overlong
  CHECK(text::find_invalid_utf8("\xE0\x9F\xBF") == 0U);      // overlong
  CHECK(text::find_invalid_utf8("\xED\xA0\x80") == 0U);      // a surrogate
  CHECK(text::find_invalid_utf8("\xF4\x90\x80\x80") == 0U);  // beyond U+10FFFF
  CHECK(text::find_invalid_utf8("\xF5\x80\x80\x80") == 0U);
}

TEST_CASE("characters are counted, not bytes") {
  CHECK(text::count_characters("") == 0);
  CHECK(text::count_characters("a\xC3\xBC\xE7\x8C\xAB\xF0\x9F\x98\x80") == 4);
}

TEST_CASE("a terminal gives two columns to wide characters and none to combining ones") {
  CHECK(text::display_width(U'a') == 1);
  CHECK(text::display_width(U'\u00fc') == 1);
  CHECK(text::display_width(U'\u0301') == 0);
  CHECK(text::display_width(U'\u200d') == 0);
  CHECK(text::display_width(U'\u732b') == 2);
  CHECK(text::display_width(U'\uac00') == 2);
  CHECK(text::display_width(U'\U0001F600') == 2);
  CHECK(text::display_width(U'\u20ac') == 1);
}
