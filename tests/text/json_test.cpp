#include "text/json.hpp"

#include <string>

#include "support/catch.hpp"
#include "text/visible.hpp"

TEST_CASE("a JSON text loses its blanks, and what stands in strings stays") {
  CHECK(text::compact_json(R"({"a b": [1, 2.50, "x, y: z"],
	"c": {}})") == R"({"a b":[1,2.50,"x, y: z"],"c":{}})");
  CHECK(text::compact_json(R"(["\" , ", "\\", " \\\" "])") == R"(["\" , ","\\"," \\\" "])");
  CHECK(text::compact_json("\"\\") == "\"\\");
  CHECK(text::compact_json("").empty());
}

TEST_CASE("control characters are written out, but for line ends and tabs") {
  CHECK(text::visible("a\tb\nc é") == "a\tb\nc é");
  CHECK(text::visible(std::string{"\x1b[2J\0\r", 6}) == "\\x1b[2J\\x00\\x0d");
  CHECK(text::visible("\x7f\xc2\x9b\xc2\xa0") == "\\u007f\\u009b\xc2\xa0");
  // A byte that is no UTF-8 stays what it is.
  CHECK(text::visible("\xff") == "\xff");
}
