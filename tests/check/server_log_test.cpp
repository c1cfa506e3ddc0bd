// What is tried out on a server of a queue with a log: its contracts against each other, kills, locks, rights.

#include <string>
#include <vector>

#include "check/made_project.hpp"
#include "check/tryout.hpp"
#include "support/catch.hpp"

TEST_CASE("a server finds nothing in a project whose queue with a log has grown") {
  const std::string letters_v1 = R"([project]
name = "shop"

[queues.letters]
storage = "log"
grants  = { produce = ["web"], consume = ["mailer"], operate = ["ops"] }
[queues.letters.payload]
subject = { type = "text", max_length = 8 }
number  = "int32"
)";
  const test::made_project project{letters_v1};
  std::string letters_v2 = letters_v1;
  letters_v2.replace(letters_v2.find("int32"), 5, "int64");
  letters_v2.replace(letters_v2.find("= 8"), 3, "= 80");
  project.generate(letters_v2 + "tags = \"text[]?\"\n");
  CHECK(test::try_out(project).findings == std::vector<std::string>{});
}
