#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>

#include "arrows/rules.hpp"
#include "support/catch.hpp"
#include "support/places.hpp"

namespace {

namespace fs = std::filesystem;

/// A house of its own with the project's rooms, in which a test writes the one line that it is about.
class made_house {
 public:
  made_house() : root_{fs::temp_directory_path() / ("quern-arrows-" + std::to_string(::getpid()))} {
    fs::remove_all(root_);
    fs::create_directories(root_);
    fs::copy_file(test::source_dir() / "src" / "CMakeLists.txt", root_ / "CMakeLists.txt");
  }

  ~made_house() { fs::remove_all(root_); }

  made_house(const made_house&) = delete;
  made_house& operator=(const made_house&) = delete;

  void write(const fs::path& file, std::string_view content) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream{root_ / file} << content;
  }

  std::vector<std::string> violations() const { return arrows::check(root_); }

 private:
  fs::path root_;
};

std::vector<std::string> verdict_on(const fs::path& file, std::string_view content) {
  const made_house house;
  house.write(file, content);
  return house.violations();
}

using verdict = std::vector<std::string>;

}  // namespace

TEST_CASE("in the sources every arrow points downwards and every library stays in its room") {
  for (const auto& each : arrows::check(test::source_dir() / "src")) FAIL_CHECK(each);
  SUCCEED();
}

TEST_CASE("the rooms and what lies below them are read from the list that links them") {
  const auto rooms = arrows::read_rooms(test::source_dir() / "src" / "CMakeLists.txt");
  CHECK(rooms.at("text").empty());
  CHECK(rooms.at("render") == std::set<std::string>{"contract", "declaration", "text"});
  CHECK(rooms.at("migrate").contains("quern"));
  CHECK_FALSE(rooms.at("migrate").contains("declaration"));
  CHECK(rooms.at("quern").empty());
}

TEST_CASE("a downward arrow is allowed") {
  CHECK(
      verdict_on("render/a.cpp", "#include \"contract/b.hpp\"\n#include <fmt/format.h>\n#include <vector>\n").empty());
  CHECK(verdict_on("migrate/a.cpp", "#include <quern/connection.hpp>\n#include <sys/stat.h>\n").empty());
}

TEST_CASE("an upward arrow is found") {
  CHECK(verdict_on("text/a.cpp", "\n#include \"render/b.hpp\"\n") ==
        verdict{"src/text/a.cpp:2: text must not see render"});
  CHECK(verdict_on("declaration/a.cpp", "#include <quern/json.hpp>\n") ==
        verdict{"src/declaration/a.cpp:1: declaration must not see quern"});
  CHECK(verdict_on("migrate/a.cpp", "#include \"contract/b.hpp\"\n") ==
        verdict{"src/migrate/a.cpp:1: migrate must not see contract"});
}

TEST_CASE("an include that does not begin with a room is found") {
  CHECK(verdict_on("text/a.cpp", "#include \"b.hpp\"\n") ==
        verdict{"src/text/a.cpp:1: \"b.hpp\" does not begin with a room"});
  CHECK(verdict_on("migrate/a.cpp", "#include \"quern/error.hpp\"\n") ==
        verdict{"src/migrate/a.cpp:1: the run-time library is included as <quern/…>"});
  CHECK(verdict_on("attic/a.cpp", "") == verdict{"src/attic/a.cpp:1: `attic` is no room of src/CMakeLists.txt"});
}

TEST_CASE("a library outside its room is found") {
  CHECK(verdict_on("cli/a.cpp", "#include <toml++/toml.h>\n") == verdict{"src/cli/a.cpp:1: cli must not see toml++"});
  CHECK(verdict_on("cli/a.cpp", "#include <libpq-fe.h>\n") == verdict{"src/cli/a.cpp:1: cli must not see libpq"});
  CHECK(verdict_on("contract/a.cpp", "#include <kainjow/mustache.hpp>\n") ==
        verdict{"src/contract/a.cpp:1: contract must not see Mustache"});
  CHECK(verdict_on("migrate/a.cpp", "#include <CLI/CLI.hpp>\n") ==
        verdict{"src/migrate/a.cpp:1: migrate must not see CLI11"});
  CHECK(verdict_on("quern/a.cpp", "#include <fmt/format.h>\n#include <nlohmann/json.hpp>\n") ==
        verdict{"src/quern/a.cpp:1: quern must not see {fmt}", "src/quern/a.cpp:2: quern must not see nlohmann-json"});
  CHECK(verdict_on("text/a.cpp", "#include <boost/any.hpp>\n") ==
        verdict{"src/text/a.cpp:1: <boost/any.hpp> belongs to no library that the project uses"});
}

TEST_CASE("a second file of a room that sees toml++, Mustache, libpq or CLI11 is found") {
  const made_house house;
  house.write("declaration/a.cpp", "#include <toml++/toml.h>\n#include <toml++/toml.h>\n");
  CHECK(house.violations().empty());
  house.write("declaration/b.cpp", "#include <toml++/toml.h>\n");
  house.write("migrate/a.cpp", "#include <libpq-fe.h>\n");
  house.write("cluster/a.cpp", "#include <libpq-fe.h>\n");
  house.write("cluster/b.cpp", "#include <libpq-fe.h>\n");
  house.write("cli/a.cpp", "#include <CLI/CLI.hpp>\n");
  house.write("cli/b.cpp", "#include <CLI/CLI.hpp>\n");
  house.write("render/a.cpp", "#include <kainjow/mustache.hpp>\n");
  house.write("render/b.hpp", "#pragma once\n#include <kainjow/mustache.hpp>\n");
  CHECK(house.violations() == verdict{"src/cli/b.cpp:1: CLI11 is seen by one file of cli only",
                                      "src/cluster/b.cpp:1: libpq is seen by one file of cluster only",
                                      "src/declaration/b.cpp:1: toml++ is seen by one file of declaration only",
                                      "src/render/b.hpp:2: Mustache is seen by one file of render only"});
}

TEST_CASE("a source that does not include its own header first is found") {
  const made_house house;
  house.write("text/a.hpp", "#pragma once\n");
  house.write("text/a.cpp", "#include \"text/a.hpp\"\n\n#include <string>\n");
  CHECK(house.violations().empty());
  house.write("text/a.cpp", "#include <string>\n#include \"text/a.hpp\"\n");
  CHECK(house.violations() == verdict{"src/text/a.cpp:1: the first include is the file's own header, text/a.hpp"});
}

TEST_CASE("a line that the style forbids is found, in a comment it is not") {
  CHECK(verdict_on("cli/a.cpp", "void f() { std::system(\"ls\"); }\n") ==
        verdict{"src/cli/a.cpp:1: a shell is never started: use a list of arguments"});
  CHECK(verdict_on("cli/a.cpp", "#define X 1\nusing namespace std;\n") ==
        verdict{"src/cli/a.cpp:1: no macros", "src/cli/a.cpp:2: no `using namespace`, but for literals"});
  CHECK(verdict_on("cli/a.hpp", "int f();\n") == verdict{"src/cli/a.hpp:1: a header says `#pragma once`"});
  CHECK(verdict_on("cli/a.cpp", "// system(\"ls\")\nvoid f() { db.system(1); file_system(2); }\n").empty());
  CHECK(verdict_on("cli/a.cpp", "using namespace std::string_view_literals;\n").empty());
}
