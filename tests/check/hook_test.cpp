#include "check/hook.hpp"

#include <string>

#include "check/made_project.hpp"
#include "support/catch.hpp"

namespace {

std::vector<std::string> codes_of(const std::string& sql) {
  std::vector<std::string> codes;
  for (const auto& one : check::check_hook({"hook.sql", sql}, {"shop", {}, {}, {}})) codes.push_back(one.code);
  return codes;
}

using codes = std::vector<std::string>;

std::string repeated(const std::string& part, std::size_t count) {
  std::string made;
  for (std::size_t i = 0; i < count; ++i) made += part;
  return made;
}

}  // namespace

TEST_CASE("a hook of 100 MB is not read, and a statement of more than 256 KB not parsed") {
  const test::made_project project;
  project.write("migrations/email/hooks/0001_after.sql", "");
  std::filesystem::resize_file(project.root() / "migrations/email/hooks/0001_after.sql", 100'000'000);
  const auto found = project.check();
  REQUIRE(found.findings.size() == 1);
  CHECK(found.findings[0].what.code == "hook_too_large");
  CHECK(found.findings[0].what.message == "the hook has more than 1 MB, the most that is looked at");
  CHECK(codes_of("select '" + std::string(300 * 1024, 'x') + "';\nlock table shop.customer;\n") ==
        codes{"hook_too_large", "hook_lock_table"});
}

TEST_CASE("expressions that nest as deep as a statement can hold are looked at") {
  CHECK(codes_of("select 1" + repeated("+1", 120'000) + ";\nlock table shop.customer;\n") == codes{"hook_lock_table"});
  CHECK(codes_of("select " + repeated("(", 5'000) + "1" + repeated(")", 5'000) + ";\n").size() <= 1);
  CHECK(codes_of("select 1" + repeated("::int", 50'000) + ";\n").empty());
  CHECK(codes_of("select " + repeated("not ", 60'000) + "true;\n").size() <= 1);
}

TEST_CASE("a thousand statements and allows are looked at in linear time") {
  const auto many = repeated("-- quern:allow hook_lock_table why\nlock table shop.customer;\n", 10'000);
  CHECK(codes_of(many).empty());
}

TEST_CASE("an empty hook, and one of comments only, hold no SQL") {
  CHECK(codes_of("") == codes{"hook_malformed"});
  CHECK(codes_of("-- nothing\n") == codes{"hook_malformed"});
}
