#include "migrate/baseline.hpp"

#include <quern/connection.hpp>

#include "migrate/workspace.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

using migrate::reason;

namespace {

class shop {
 public:
  shop() {
    for (const char* const title :
         {"core/0001_create", "core/0002_more", "email/0001_create", "email/0002_add", "sms/0001_create"})
      space_.add(title, {{.name = "only", .sql = "select 1 / 0;"}, {.name = "next", .sql = "select 1 / 0;"}});
  }

  void run(const std::string& sql) const { quern::connection{db_.url()}.run_script(sql); }

  migrate::baseline_request how(std::vector<migrate::target> up_to = {}) const {
    return {.database = db_.url(), .schema = "shop", .up_to = std::move(up_to)};
  }

  migrate::directory files() const { return space_.read(); }

  std::vector<std::string> baseline(std::vector<migrate::target> up_to = {}) const {
    const migrate::directory read = files();
    std::vector<std::string> recorded;
    for (const migrate::migration* one : migrate::baseline(read, how(std::move(up_to))))
      recorded.push_back(title(*one));
    return recorded;
  }

  migrate::error refusal(std::vector<migrate::target> up_to = {}) const {
    try {
      baseline(std::move(up_to));
    } catch (const migrate::error& refused) {
      return refused;
    }
    throw std::runtime_error{"baseline() did not refuse"};
  }

  migrate::survey look(const migrate::directory& of) const { return migrate::look(of, db_.url(), "shop"); }

 private:
  test::database db_{};
  test::workspace space_{};
};

}  // namespace

TEST_CASE("a baseline records every step as applied and runs none") {
  const shop all;
  all.run("create schema shop");
  CHECK(all.baseline().size() == 5);
  const migrate::directory files = all.files();
  CHECK(all.look(files).compared == migrate::comparison{});
  CHECK(all.look(files).applied.size() == 10);
}

TEST_CASE("a baseline of some lines records these up to their numbers, and core") {
  const shop all;
  all.run("create schema shop");
  CHECK(all.baseline({{"email", 1}}) ==
        std::vector<std::string>{"core/0001_create", "core/0002_more", "email/0001_create"});
  // Core is known by then, and another line can follow.
  CHECK(all.baseline({{"sms", 1}}) == std::vector<std::string>{"sms/0001_create"});
  const migrate::directory files = all.files();
  REQUIRE(all.look(files).compared.pending.size() == 1);
  CHECK(title(*all.look(files).compared.pending[0].what) == "email/0002_add");
}

TEST_CASE("a baseline of core alone may stop early") {
  const shop all;
  all.run("create schema shop");
  CHECK(all.baseline({{"core", 1}}) == std::vector<std::string>{"core/0001_create"});
}

TEST_CASE("a baseline is refused for a line that the ledger knows") {
  const shop all;
  all.run("create schema shop");
  all.baseline({{"email", 1}});
  const migrate::error refused = all.refusal();
  CHECK(refused.why() == reason::wrong_input);
  CHECK_THAT(refused.what(),
             test::starts_with("the ledger already knows what was applied; a baseline is for lines without "
                               "a history; nothing was recorded\n  core: core/0001_create was applied at "));
  CHECK_THAT(refused.what(), test::contains("\n  email: email/0001_create was applied at "));
  CHECK(all.refusal({{"email", 2}}).why() == reason::wrong_input);
  const migrate::directory files = all.files();
  CHECK(all.look(files).applied.size() == 6);
}

TEST_CASE("a baseline is refused for a database without the schema, and for a migration that does not exist") {
  const shop all;
  CHECK(std::string{all.refusal().what()} ==
        "the database has no schema shop, so nothing of it can be there already: `quern migrate` makes it; nothing was "
        "recorded");
  CHECK_THAT(all.refusal({{"email", 3}}).what(), test::starts_with("there is no email/0003 in "));
}

TEST_CASE("what a dry run of a baseline prints does what the baseline would do") {
  const shop all;
  all.run("create schema shop");
  const migrate::directory files = all.files();
  const std::string sql = migrate::baseline_dry_run(files, all.how());
  CHECK(all.look(files).applied.empty());
  all.run(sql);
  CHECK(all.look(files).compared == migrate::comparison{});
}
