// Databases keep what an engine has made. So whoever changes that has to say so: by the next number in
// templates/engine.txt, or, while no release of Quern has the engine, by its digest alone.

#include <fmt/format.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "contract/sha256.hpp"
#include "recipes/recipe.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/places.hpp"

namespace {

constexpr auto how_to_write = "QUERN_WRITE_ENGINE_DIGEST=1 build/release/tests/test_recipes \"what an engine makes*\"";

struct digest {
  int engine = 0;
  std::string release;  // `none`: no database but those of developers has it
  std::string value;
};

std::filesystem::path file() {
  return test::source_dir() / "tests/recipes/engine/digests.txt";
}

std::string comments() {
  const auto text = test::content_of(file());
  return text.substr(0, text.find("\n1 ") + 1);
}

std::vector<digest> known_digests() {
  std::istringstream lines{test::content_of(file()).substr(comments().size())};
  std::vector<digest> all;
  for (digest one; lines >> one.engine >> one.release >> one.value;) all.push_back(one);
  return all;
}

void write(const std::vector<digest>& all) {
  auto text = comments();
  for (const auto& [engine, release, value] : all) text += fmt::format("{}  {}  {}\n", engine, release, value);
  std::ofstream{file(), std::ios::binary} << text;
}

/// Without comments between the objects, which are in no database.
std::string without_comments(const std::string& sql) {
  std::istringstream lines{sql};
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && !line.starts_with("--")) result += line + "\n";
  }
  return result;
}

std::string digest_of(const render::template_set& templates) {
  const auto played = test::play({"engine", file().parent_path()}, templates);
  std::string all;
  for (const auto& [path, text] : played.wanted.files) {
    if (path.starts_with("sql/")) all += without_comments(text);
  }
  return contract::sha256(all);
}

std::string what_to_do(const digest& last) {
  if (last.release == "none") {
    return fmt::format(
        "What engine {} makes in a database has changed, and no release of Quern has that engine yet. Write its digest "
        "anew, and commit that:\n  {}",
        last.engine, how_to_write);
  }
  return fmt::format(
      "What engine {0} makes in a database has changed, and Quern {1} has released it: queues that are released would "
      "never get the change. Add the line `{2} …` to templates/engine.txt, which says what an engine may change and "
      "when "
      "it needs steps of its own in templates/sql/engine; then run\n  {3}",
      last.engine, last.release, last.engine + 1, how_to_write);
}

}  // namespace

TEST_CASE("what an engine makes changes by the next number only, once it is released") {
  const auto templates = test::templates();
  auto all = known_digests();
  const auto now = digest_of(templates);
  const bool is_writing = ::getenv("QUERN_WRITE_ENGINE_DIGEST") != nullptr;
  if (is_writing && static_cast<int>(all.size()) + 1 == templates.engine())
    all.push_back({templates.engine(), "none", now});
  REQUIRE_FALSE(all.empty());
  if (is_writing && all.back().release == "none") all.back().value = now;
  if (is_writing) write(all);
  INFO((all.back().engine == templates.engine()
            ? what_to_do(all.back())
            : fmt::format("Engine {} of templates/engine.txt has no digest yet. Write it, and commit that:\n  {}",
                          templates.engine(), how_to_write)));
  CHECK(all.back().engine == templates.engine());
  CHECK(all.back().value == now);
}

TEST_CASE("a comment beside an object changes no engine, one inside of a function does") {
  CHECK(without_comments("-- why\n\ncreate view a;\n  -- here\n") == "create view a;\n  -- here\n");
}
