#include "migrate/history.hpp"

#include "migrate/workspace.hpp"
#include "support/catch.hpp"

namespace {

migrate::migration file(const std::string& line, int number, std::size_t steps = 1) {
  migrate::migration made{.line = line, .number = number, .name = "change", .checksum = line + std::to_string(number)};
  made.steps.resize(steps);
  return made;
}

// The first `steps` steps of a migration, as the ledger has them.
std::vector<migrate::applied_step> applied(const migrate::migration& one, int steps = 1) {
  std::vector<migrate::applied_step> rows;
  for (int step = 1; step <= steps; ++step)
    rows.push_back({one.line, one.number, step, static_cast<int>(one.steps.size()), one.name, one.checksum,
                    "2026-01-31T12:00:00.000000Z", "dba", 5});
  return rows;
}

std::vector<migrate::applied_step> operator+(std::vector<migrate::applied_step> left,
                                             const std::vector<migrate::applied_step>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

using words = std::vector<std::string>;

}  // namespace

TEST_CASE("what the ledger does not have is pending, from the first step that it lacks") {
  const migrate::directory files{"m", {file("core", 1), file("core", 2, 3), file("email", 1)}};
  const auto made = migrate::compare(files, applied(files.migrations[0]) + applied(files.migrations[1], 2));
  CHECK(made.mismatches.empty());
  CHECK(made.unknown.empty());
  CHECK(made.pending == std::vector<migrate::pending_migration>{{&files.migrations[1], 2}, {&files.migrations[2], 0}});
}

TEST_CASE("an edited or renamed migration is a mismatch, also when it is only partly applied") {
  migrate::directory files{"m", {file("core", 1), file("email", 1, 2)}};
  const auto before = applied(files.migrations[0]) + applied(files.migrations[1]);
  files.migrations[0].name = "other";
  files.migrations[1].checksum = "new";
  CHECK(
      migrate::compare(files, before).mismatches ==
      words{"core/0001_other.sql was applied as core/0001_change: it was renamed",
            "email/0001_change.sql was edited after it was applied at 2026-01-31T12:00:00.000000Z: the file's checksum "
            "is new, the database's is email1"});
}

TEST_CASE("a migration whose number comes before an applied one is out of order") {
  const migrate::directory files{"m", {file("email", 1), file("email", 2)}};
  CHECK(migrate::compare(files, applied(files.migrations[1])).mismatches ==
        words{"email/0001_change.sql is not applied, but the later email/0002 is: their order was changed"});
}

TEST_CASE("a migration that is half applied under a later one is out of order") {
  const migrate::directory files{"m", {file("email", 1, 2), file("email", 2)}};
  CHECK(migrate::compare(files, applied(files.migrations[0]) + applied(files.migrations[1])).mismatches ==
        words{"email/0001_change.sql is not applied, but the later email/0002 is: their order was changed"});
}

TEST_CASE("an applied migration without a file is missing below the newest file and ahead above it") {
  const migrate::directory files{"m", {file("email", 2)}};
  const auto made = migrate::compare(files, applied(file("email", 1)) + applied(file("email", 2)) +
                                                applied(file("email", 3)) + applied(file("sms", 1)));
  CHECK(
      made.mismatches ==
      words{"email/0001_change was applied at 2026-01-31T12:00:00.000000Z (checksum email1), but its file is missing"});
  CHECK(made.unknown == words{"email/0003_change", "sms/0001_change"});
}
