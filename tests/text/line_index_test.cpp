#include "support/catch.hpp"
#include "text/source.hpp"

TEST_CASE("a line is found by its number and has no line end") {
  const text::line_index lines("one\ntwo\r\n\nfour");
  CHECK(lines.line_count() == 4);
  CHECK(lines.line(1) == "one");
  CHECK(lines.line(2) == "two");
  CHECK(lines.line(3).empty());
  CHECK(lines.line(4) == "four");
  CHECK(lines.line(0).empty());
  CHECK(lines.line(5).empty());
}

TEST_CASE("an empty text has one empty line") {
  const text::line_index lines("");
  CHECK(lines.line_count() == 1);
  CHECK(lines.line(1).empty());
  CHECK(lines.position_of(0) == text::position{1, 1});
}

TEST_CASE("every byte has a position, and the position leads back to it") {
  const std::string content = "ab\n\nc\r\nd";
  const text::line_index lines(content);
  for (std::size_t offset = 0; offset <= content.size(); ++offset) {
    CHECK(lines.offset_of(lines.position_of(offset)) == offset);
  }
  CHECK(lines.position_of(4) == text::position{3, 1});
}

TEST_CASE("what lies outside of the text is moved to its end") {
  const text::line_index lines("ab\ncd");
  CHECK(lines.position_of(100) == text::position{2, 3});
  CHECK(lines.offset_of({9, 1}) == 5);
  CHECK(lines.offset_of({1, 100}) == 5);
  CHECK(lines.offset_of({0, 0}) == 0);
}
