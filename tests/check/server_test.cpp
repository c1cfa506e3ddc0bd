// What a server says of a project: nothing of a good one, and exactly the planted defect of another.

#include <string>

#include "check/made_project.hpp"
#include "check/tryout.hpp"
#include "support/catch.hpp"

namespace {

using words = std::vector<std::string>;

const std::string head = "[project]\nname = \"shop\"\n\n[enums.channel]\nvalues = [\"email\", \"sms\"]\n";

const std::string email_v1 = head + R"(
[queues.email]
grants = { produce = ["web"], consume = ["mailer"], operate = ["ops"] }
[queues.email.payload]
order_id = "int64"
channel = { type = "channel", default = "email" }
note = "text?"
)";

const std::string email_v2 = email_v1 + "tags = \"text[]?\"\n";

/// A hook of the newest migration.
const std::string hook = "migrations/email/hooks/0001_after.sql";

words findings_with(const std::string& sql) {
  const test::made_project project{email_v1};
  project.write(hook, sql);
  return test::try_out(project).findings;
}

}  // namespace

TEST_CASE("a server finds nothing in a project whose contract has grown") {
  const test::made_project project{email_v1};
  project.generate(email_v2);
  const auto made = test::try_out(project);
  CHECK(made.findings == words{});
  CHECK(made.checks == std::vector<std::string_view>{"server_install", "server_locks", "server_grants",
                                                     "server_upgrade", "server_rollback", "server_kill",
                                                     "server_runners", "server_contracts"});
  CHECK(made.notes == words{"core/0001_create cannot be taken back: step create has no reverse"});
}

TEST_CASE("a step that fails on an empty database is named, and nothing else is tried") {
  CHECK(findings_with("update shop.customer set name = '' where name is null;\n") ==
        words{"migrations/email/hooks/0001_after.sql: email/0001_create, step after: does not apply to an empty "
              "database: relation \"shop.customer\" does not exist [server_install_fails]"});
}
