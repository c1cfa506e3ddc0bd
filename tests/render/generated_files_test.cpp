// What can be generated again, on the disk.

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "render/workplace.hpp"
#include "support/catch.hpp"

namespace {

namespace fs = std::filesystem;
using test::email;
using test::names;
using test::webhooks;
using test::workplace;

}  // namespace

TEST_CASE("generated files come back byte for byte after they were deleted") {
  const workplace place;
  place.generate(email + webhooks);
  const auto before = place.tree();
  fs::remove_all(place / "generated");
  place.generate(email + webhooks);
  CHECK(place.tree() == before);
}

TEST_CASE("what belongs no more is removed, with the directories that become empty") {
  const workplace place;
  place.generate(email + webhooks);
  fs::remove_all(place / "migrations");
  place.write("generated/include/other/mine.hpp", "// mine\n");
  CHECK(place.generate("[queues.sms]\npayload = \"jsonb\"\n").size() == 3 + 3 + 4);
  const auto tree = place.tree();
  CHECK_FALSE(tree.contains("generated/include/shop/email.hpp"));
  CHECK_FALSE(tree.contains("generated/sql/webhooks.sql"));
  CHECK(tree.contains("generated/include/other/mine.hpp"));
}

TEST_CASE("an empty directory does not stay behind") {
  const workplace place;
  place.generate(email, render::parts::headers);
  CHECK(fs::exists(place / "generated/include/shop"));
  const auto output = place.open(render::parts::headers);
  auto made = place.generation(output, email, render::parts::headers);
  made.files[0].path = std::string{"include/store/email.hpp"};
  output.write(made, output.compare(made));
  CHECK_FALSE(fs::exists(place / "generated/include/shop"));
  CHECK(fs::exists(place / "generated/include/store/email.hpp"));
}

TEST_CASE("a file that quern did not write is neither overwritten nor removed") {
  const workplace place;
  place.write("generated/sql/email.sql", "select 1;\n");
  CHECK(place.problems(email) == names{"generated/sql/email.sql is in the way: quern did not write it; move it, or "
                                       "choose another directory with --out"});
  fs::remove(place / "generated/sql/email.sql");
  place.generate(email);
  place.write("generated/include/shop/email.hpp", "// mine now\n");
  CHECK(place.problems(email).size() == 1);
  CHECK(place.read("generated/include/shop/email.hpp") == "// mine now\n");
}

TEST_CASE("a file that someone put in the place of a removed one stays") {
  const workplace place;
  place.generate(email + webhooks, render::parts::headers);
  place.write("generated/include/shop/webhooks.hpp", "// mine\n");
  CHECK(place.generate(email, render::parts::headers).empty());
  CHECK(place.read("generated/include/shop/webhooks.hpp") == "// mine\n");
}

TEST_CASE("a generated file that was edited is generated again, and known as edited") {
  const workplace place;
  place.generate(email);
  const auto before = place.tree();
  place.write("generated/sql/email.sql", before.at("generated/sql/email.sql") + "-- edited\n");
  const auto output = place.open();
  const auto made = place.generation(output, email, render::parts::all);
  const auto differences = output.compare(made);
  REQUIRE(differences.generated.size() == 1);
  CHECK(differences.generated[0].is_edited);
  output.write(made, differences);
  CHECK(place.tree() == before);
}

TEST_CASE("only headers leave everything else of a full generation alone") {
  const workplace place;
  place.generate(email);
  const auto before = place.tree();
  CHECK(place.generate(email, render::parts::headers).empty());
  CHECK(place.tree() == before);
}

TEST_CASE("only headers need no migrations and make none") {
  const workplace place;
  CHECK(place.generate(email, render::parts::headers) == names{"generated/include/shop/email.hpp"});
  CHECK_FALSE(fs::exists(place / "migrations"));
}

TEST_CASE("a manifest with a path out of the directory is refused") {
  const workplace place;
  place.generate(email);
  place.write("precious.txt", "mine");
  const std::string checksum(64, 'a');
  for (const std::string path : {"../precious.txt", "/etc/passwd", "a/../../precious.txt", "a//b", ".hidden", ""}) {
    INFO(path);
    place.write("generated/.quern-files", checksum + "  " + path + "\n");
    CHECK_THROWS_WITH(place.generate(email),
                      test::contains("generated/.quern-files:1: this is no line that quern writes"));
  }
  CHECK(place.read("precious.txt") == "mine");
}

TEST_CASE("a merge conflict in the manifest costs nothing: both sides are ours") {
  const workplace place;
  place.generate(email + webhooks, render::parts::headers);
  const auto entries = place.read("generated/.quern-files");
  const auto cut = entries.find('\n') + 1;
  place.write("generated/.quern-files",
              "<<<<<<< ours\n" + entries.substr(0, cut) + "=======\n" + entries.substr(cut) + ">>>>>>> theirs\n");
  CHECK(place.generate(email, render::parts::headers) == names{"-generated/include/shop/webhooks.hpp"});
}
