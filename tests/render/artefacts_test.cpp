#include "render/artefacts.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "declaration/read.hpp"
#include "render/workplace.hpp"
#include "support/catch.hpp"

namespace {

namespace fs = std::filesystem;
using test::email;
using test::names;
using test::webhooks;
using test::workplace;

bool has_unfinished(const std::map<std::string, std::string>& tree) {
  return std::any_of(tree.begin(), tree.end(), [](const auto& file) { return file.first.ends_with(".quern-new"); });
}

}  // namespace

TEST_CASE("the first generation writes everything, the second one nothing") {
  const workplace place;
  CHECK(place.generate(email) == names{"migrations/core/0001_create.sql", "migrations/email/0001_create.sql",
                                       "migrations/quern.lock", "generated/include/shop/email.hpp",
                                       "generated/sql/core.sql", "generated/sql/email.sql"});
  const auto written = fs::last_write_time(place / "generated/sql/email.sql");
  const auto before = place.tree();
  CHECK(place.generate(email).empty());
  CHECK(place.tree() == before);
  CHECK(fs::last_write_time(place / "generated/sql/email.sql") == written);
}

TEST_CASE("only what has changed is written") {
  const workplace place;
  place.generate(email);
  place.release();
  CHECK(place.generate(email + webhooks) ==
        names{"migrations/core/0002_add_webhooks.sql", "migrations/webhooks/0001_create.sql", "migrations/quern.lock",
              "generated/include/shop/webhooks.hpp", "generated/sql/core.sql", "generated/sql/webhooks.sql"});
}

TEST_CASE("a queue that was added later generates the same present files as one that was there from the start") {
  const workplace grown;
  grown.generate(email);
  grown.release();
  grown.generate(email + webhooks);
  const workplace whole;
  whole.generate(email + webhooks);
  const auto first = grown.tree();
  for (const auto& [path, content] : whole.tree()) {
    INFO(path);
    if (path.starts_with("generated/")) CHECK(first.at(path) == content);
  }
}

TEST_CASE("a run that was interrupted before its declaration changed leaves nothing in the way") {
  const workplace place;
  place.generate(email + webhooks, render::parts::headers);
  // The manifest is the last to be written: only the journal knows of the files.
  fs::rename(place / "generated/.quern-files", place / "generated/.quern-pending");
  CHECK(place.generate(email, render::parts::headers) == names{"-generated/include/shop/webhooks.hpp"});
  CHECK_FALSE(fs::exists(place / "generated/.quern-pending"));
}

TEST_CASE("symbolic links lead nowhere") {
  const workplace place;
  place.generate(email);
  fs::create_directory(place / "elsewhere");
  place.write("elsewhere/email.sql", place.read("generated/sql/email.sql"));
  fs::remove(place / "generated/sql/email.sql");
  fs::create_symlink(place / "elsewhere/email.sql", place / "generated/sql/email.sql");
  CHECK(place.problems(email) == names{"generated/sql/email.sql is in the way: it is a symbolic link or special file"});

  fs::remove_all(place / "generated/sql");
  fs::create_directory_symlink(place / "elsewhere", place / "generated/sql");
  CHECK(place.problems(email).at(0) == "generated/sql is in the way: it is no directory");

  fs::remove_all(place / "migrations/email");
  fs::remove(place / "migrations/quern.lock");
  fs::create_directory_symlink(place / "elsewhere", place / "migrations/email");
  CHECK_THAT(place.problems(email).at(0), test::contains("migrations/email is in the way: it is no directory"));
}

TEST_CASE("a directory in the place of a file is told") {
  const workplace place;
  fs::create_directories(place / "generated/sql/email.sql");
  CHECK(place.problems(email) == names{"generated/sql/email.sql is in the way: it is a directory"});
}

TEST_CASE("two runs at once leave what one leaves") {
  const workplace place;
  {
    std::vector<std::jthread> runs;
    for (int i = 0; i < 4; ++i) {
      runs.emplace_back([&] {
        const auto output = place.open();
        const auto source = output.read_lock();
        const auto lock = source.content.empty() ? contract::lock{} : contract::read_lock(source).value;
        const auto read = declaration::read({"quern.toml", "[project]\nname = \"shop\"\n" + email + webhooks});
        const auto made = render::generate(*read.declared, lock, workplace::templates(), render::parts::all);
        output.write(made, output.compare(made));
      });
    }
  }
  const workplace alone;
  alone.generate(email + webhooks);
  CHECK(place.tree() == alone.tree());
  CHECK_FALSE(has_unfinished(place.tree()));
}

TEST_CASE("a file that cannot be written is named, and nothing is left half-written") {
  const workplace place;
  place.generate(email);
  // Nobody, not even root, can replace a file with one that has no name left.
  const auto output = place.open();
  auto made = place.generation(output, email, render::parts::all);
  made.files[0].path = "sql/" + std::string(250, 'x') + ".sql";
  CHECK_THROWS_WITH(output.write(made, output.compare(made)),
                    test::contains("cannot look at") || test::contains("cannot write"));
  CHECK_FALSE(has_unfinished(place.tree()));
}

TEST_CASE("permissions are those of the umask") {
  const workplace place;
  const auto before = ::umask(0027);
  place.generate(email);
  ::umask(before);
  CHECK((fs::status(place / "generated/sql/email.sql").permissions() & fs::perms::mask) == fs::perms{0640});
  CHECK((fs::status(place / "migrations/email").permissions() & fs::perms::mask) == fs::perms{0750});
}
