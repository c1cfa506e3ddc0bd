#include "text/diagnostic.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "text/excerpt.hpp"

namespace {

text::diagnostic problem_at(std::size_t line, std::size_t begin, std::size_t end) {
  return {text::severity::error, "some_code", "something is wrong", {{line, begin}, {line, end}}, {}, {}};
}

}  // namespace

TEST_CASE("a diagnostic is spelled with its place, its line, a mark, help and notes") {
  auto problem = problem_at(2, 5, 8);
  problem.help = "do this:\n\n  that";
  problem.notes.push_back({"first declared here", {{1, 1}, {1, 2}}});
  CHECK(text::spell(problem, {"dir/quern.toml", "a = 1\nb = xyz\n"}) ==
        "dir/quern.toml:2:5: error: something is wrong [some_code]\n"
        "  b = xyz\n"
        "      ^~~\n"
        "  do this:\n"
        "\n"
        "    that\n"
        "dir/quern.toml:1:1: note: first declared here\n"
        "  a = 1\n"
        "  ^\n");
}

TEST_CASE("a diagnostic of the whole text has no line") {
  const text::diagnostic problem{text::severity::warning, "empty", "nothing here", {}, {}, {}};
  CHECK(text::spell(problem, {"a.toml", ""}) == "a.toml: warning: nothing here [empty]\n");
}

TEST_CASE("colours are added when they are asked for, and change nothing else") {
  const text::source source{"a.toml", "key = 1\n"};
  const auto plain = text::spell(problem_at(1, 1, 4), source);
  auto coloured = text::spell(problem_at(1, 1, 4), source, text::colouring::ansi);
  CHECK(coloured ==
        "\x1b[1ma.toml:1:1:\x1b[0m \x1b[1;31merror:\x1b[0m something is wrong [some_code]\n"
        "  key = 1\n"
        "  \x1b[1;32m^~~\x1b[0m\n");
  for (auto at = coloured.find('\x1b'); at != std::string::npos; at = coloured.find('\x1b')) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  CHECK(coloured == plain);
}

TEST_CASE("a mark that goes over several lines ends with the first") {
  const text::diagnostic problem{text::severity::error, "c", "m", {{1, 3}, {4, 1}}, {}, {}};
  CHECK(text::spell(problem, {"a", "ab[1,\n2,\n3\n]"}) == "a:1:3: error: m [c]\n  ab[1,\n    ^~~\n");
}

TEST_CASE("a mark behind the end of a line stands one column behind it") {
  CHECK(text::spell(problem_at(1, 4, 5), {"a", "key"}) ==
        "a:1:4: error: something is wrong [some_code]\n  key\n     ^\n");
}

TEST_CASE("a place outside of the source is spelled without its line") {
  CHECK(text::spell(problem_at(7, 1, 2), {"a", "key"}) == "a:7:1: error: something is wrong [some_code]\n");
}

TEST_CASE("diagnostics of one place keep their order when they are sorted") {
  std::vector<text::diagnostic> all{problem_at(2, 1, 2), problem_at(1, 5, 6), problem_at(1, 2, 3), problem_at(1, 5, 6)};
  all[1].message = "first";
  all[3].message = "second";
  text::sort_by_position(all);
  CHECK(all[0].where.begin == text::position{1, 2});
  CHECK(all[1].message == "first");
  CHECK(all[2].message == "second");
  CHECK(all[3].where.begin == text::position{2, 1});
}

TEST_CASE("tabs take four columns in the line and below it") {
  const auto shown = text::excerpt_of("\ta\tb", 4, 5);
  CHECK(shown.line == "    a    b");
  CHECK(shown.marks == "         ^");
}

TEST_CASE("wide, combining and multi-byte characters keep the mark below its place") {
  const std::string line =
      "\xE7\x8C\xAB\xC3\xBC"
      "e\xCC\x81=x";  // 猫üé=x
  const auto shown = text::excerpt_of(line, 10, 11);
  CHECK(shown.line == line);
  CHECK(shown.marks == "     ^");
  CHECK(text::excerpt_of(line, 1, 4).marks == "^~");
  CHECK(text::excerpt_of(line, 4, 6).marks == "  ^");
}

TEST_CASE("a character without width is marked where it stands") {
  CHECK(text::excerpt_of("e\xCC\x81=x", 2, 4).marks == " ^");
  CHECK(text::excerpt_of("\xEF\xBB\xBF[a]", 1, 2).marks == "^");
}

TEST_CASE("control characters, and those that turn the direction of writing, are never shown") {
  const auto shown = text::excerpt_of(
      "a\x1b[31mb\xE2\x80\xAE"
      "c\x7F\r",
      1, 2);
  CHECK(shown.line ==
        "a\xEF\xBF\xBD[31mb\xEF\xBF\xBD"
        "c\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(text::clipped("a\nb\x1b") ==
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD");
}

TEST_CASE("bytes that are not UTF-8 are shown as one replacement each") {
  CHECK(text::excerpt_of("a\xFF\xFE", 2, 3).line == "a\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(text::excerpt_of("a\xFF\xFE", 3, 4).marks == "  ^");
}

TEST_CASE("a very long line is cut around its mark") {
  const auto shown = text::excerpt_of(std::string(5000, 'a') + "HERE" + std::string(5000, 'b'), 5001, 5005);
  CHECK(shown.line.size() < 140);
  CHECK_THAT(shown.line, test::starts_with("...aaaa"));
  CHECK_THAT(shown.line, test::ends_with("bbbb..."));
  CHECK(shown.line.find("HERE") == shown.marks.find("^~~~"));
  CHECK(shown.marks.size() == shown.line.find("HERE") + 4);
}

TEST_CASE("a line of megabytes is cut without being walked through") {
  const std::string line(16U << 20U, 'x');
  std::size_t shown = 0;
  for (int i = 0; i < 1000; ++i) shown += text::excerpt_of(line, 8U << 20U, (8U << 20U) + 3).line.size();
  CHECK(shown < 140'000);
}

TEST_CASE("a text of the user is cut at the end of a character") {
  CHECK(text::clipped("abc", 3) == "abc");
  CHECK(text::clipped("abcd", 3) == "abc...");
  CHECK(text::clipped("ab\xC3\xBC"
                      "d",
                      3) == "ab\xC3\xBC...");
}
