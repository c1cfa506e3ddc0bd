// Migrations on the disk: drafts, and what is history.

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
using test::with_note;
using test::workplace;

}  // namespace

TEST_CASE("a draft is written anew, and is what it would be at once") {
  const workplace place;
  place.generate(email);
  CHECK(place.generate(email + webhooks) ==
        names{"migrations/core/0001_create.sql", "migrations/webhooks/0001_create.sql", "migrations/quern.lock",
              "generated/include/shop/webhooks.hpp", "generated/sql/core.sql", "generated/sql/webhooks.sql"});
  const workplace at_once;
  at_once.generate(email + webhooks);
  CHECK(place.tree() == at_once.tree());
}

TEST_CASE("a draft that is not needed any more is removed, with the lock's knowledge of it") {
  const workplace place;
  place.generate(email);
  place.release();
  const auto before = place.tree();
  place.generate(with_note + webhooks);
  CHECK(place.tree().contains("migrations/email/0002_expand_v2.sql"));
  CHECK(place.tree().contains("migrations/core/0002_add_webhooks.sql"));
  CHECK(place.generate(email) == names{"-migrations/core/0002_add_webhooks.sql", "-migrations/email/0002_expand_v2.sql",
                                       "-migrations/webhooks/0001_create.sql", "migrations/quern.lock",
                                       "generated/include/shop/email.hpp", "generated/sql/core.sql",
                                       "generated/sql/email.sql", "-generated/include/shop/webhooks.hpp",
                                       "-generated/sql/webhooks.sql"});
  CHECK(place.tree() == before);
  CHECK_FALSE(fs::exists(place / "migrations/webhooks"));
}

TEST_CASE("a draft whose name changes leaves no other behind") {
  const workplace place;
  place.generate(email);
  place.release();
  place.generate(with_note);
  place.generate("[queues.email]\nlease = \"1m\"\npayload = { order_id = \"int64\" }\n");
  CHECK(place.tree().contains("migrations/email/0002_change_options.sql"));
  CHECK_FALSE(place.tree().contains("migrations/email/0002_expand_v2.sql"));
}

TEST_CASE("a draft that was edited by hand is neither overwritten nor removed") {
  const workplace place;
  place.generate(email);
  place.release();
  place.generate(with_note);
  place.write("migrations/email/0002_expand_v2.sql", "select 1;\n");
  const names edited{
      "migrations/email/0002_expand_v2.sql is a draft that was edited by hand; SQL of your own belongs into hooks/ "
      "beside it: remove the file, and it is generated again"};
  CHECK(place.problems(with_note) == edited);
  CHECK(place.problems(email) == edited);
  fs::remove(place / "migrations/email/0002_expand_v2.sql");
  CHECK(place.generate(with_note) == names{"migrations/email/0002_expand_v2.sql"});
}

TEST_CASE("a released migration is not a draft, whatever the declaration says") {
  const workplace place;
  place.generate(email);
  place.release();
  const auto before = place.read("migrations/email/0001_create.sql");
  place.generate(with_note);
  CHECK(place.read("migrations/email/0001_create.sql") == before);
  place.release();
  CHECK(place.generate(with_note).empty());
}

TEST_CASE("an edited, missing or unknown migration is told, all of them at once") {
  const workplace place;
  place.generate(email + webhooks);
  place.release();
  place.write("migrations/core/0001_create.sql", "select 1;\n");
  fs::remove(place / "migrations/email/0001_create.sql");
  place.write("migrations/email/0002_mine.sql", "select 1;\n");
  CHECK(
      place.problems(email + webhooks) ==
      names{"migrations/core/0001_create.sql was edited; it may have been applied as it was: take it from version "
            "control again",
            "migrations/email/0001_create.sql is missing; the lock says that it was generated: take it from version "
            "control again",
            "migrations/email/0002_mine.sql is not in the lock; after a merge, take the lock of the side that has it; "
            "if it was never applied, remove it"});
}

TEST_CASE("a migration in a checkout with Windows' line ends is not edited") {
  const workplace place;
  place.generate(email);
  auto text = place.read("migrations/email/0001_create.sql");
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) text.insert(at, 1, '\r');
  place.write("migrations/email/0001_create.sql", text);
  CHECK(place.generate(email).empty());
}

TEST_CASE("a run that ended before the lock was written is completed by the next one") {
  const workplace place;
  place.generate(email);
  const auto complete = place.tree();
  fs::remove(place / "migrations/quern.lock");
  fs::remove(place / "generated/.quern-files");
  fs::remove(place / "generated/sql/email.sql");
  place.write("migrations/email/.0001_create.sql.quern-new", "half");
  place.write("generated/sql/.email.sql.quern-new", "half");
  place.write("generated/.quern-pending", complete.at("generated/.quern-files"));
  CHECK(place.generate(email) == names{"migrations/quern.lock", "generated/sql/email.sql"});
  CHECK(place.tree() == complete);
}

TEST_CASE("a new migration that was left with another content is not overwritten") {
  const workplace place;
  place.write("migrations/email/0001_create.sql", "select 1;\n");
  const auto problems = place.problems(email);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0] ==
        "migrations/quern.lock is missing, and email/0001_create.sql is not what a new project begins with: take the "
        "lock "
        "from version control again; if none of the migrations was ever applied, remove them");
  place.write("migrations/email/0002_more.sql", "select 1;\n");
  CHECK(
      place.problems(email) ==
      names{"migrations/quern.lock is missing, and email/0001_create.sql and 1 more are not what a new project begins "
            "with: take the lock from version control again; if none of the migrations was ever applied, remove them"});
}
