// quern release, and drafts in databases.

#include <map>
#include <quern/connection.hpp>
#include <string>

#include "cli/program.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/places.hpp"

namespace {

const std::string two_queues = R"([project]
name = "shop"
[queues.email.payload]
order_id = "int64"
[queues.parcel.payload]
order_id = "int64"
)";

const std::string email_with_note = R"([project]
name = "shop"
[queues.email.payload]
order_id = "int64"
note = "text?"
[queues.parcel.payload]
order_id = "int64"
)";

const std::string both_with_note = email_with_note + "note = \"text?\"\n";

void generate(const test::desk& desk, const std::string& declaration) {
  desk.write("quern.toml", declaration);
  const auto made = desk.quern({"generate"});
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
}

/// A project of which all is released.
void make_released(const test::desk& desk) {
  generate(desk, two_queues);
  REQUIRE(desk.quern({"release"}).exit_code == 0);
}

}  // namespace

TEST_CASE("release makes drafts history and says which, once") {
  const test::desk desk;
  generate(desk, two_queues);
  auto run = desk.quern({"release"});
  CHECK(run.exit_code == 0);
  CHECK(run.out ==
        "released core/0001_create.sql\nreleased contract v1 of queue email\nreleased email/0001_create.sql\n"
        "released contract v1 of queue parcel\nreleased parcel/0001_create.sql\n");
  CHECK(run.err.empty());
  run = desk.quern({"release"});
  CHECK(run.exit_code == 0);
  CHECK(run.out == "nothing to release\n");
  CHECK(desk.quern({"generate", "--check"}).exit_code == 0);
}

TEST_CASE("an edit after a release makes a new migration, one before it rewrites the draft") {
  const test::desk desk;
  make_released(desk);
  const auto first = desk.read("migrations/email/0001_create.sql");
  generate(desk, email_with_note);
  const auto draft = desk.read("migrations/email/0002_expand_v2.sql");
  CHECK_FALSE(draft.empty());
  generate(desk, both_with_note);
  CHECK(desk.read("migrations/email/0002_expand_v2.sql") == draft);
  generate(desk, two_queues);
  CHECK(desk.read("migrations/email/0002_expand_v2.sql").empty());
  CHECK(desk.read("migrations/email/0001_create.sql") == first);
}

TEST_CASE("one queue can be released alone; the others stay drafts") {
  const test::desk desk;
  make_released(desk);
  generate(desk, both_with_note);
  CHECK(desk.quern({"release", "email"}).out ==
        "released contract v2 of queue email\nreleased email/0002_expand_v2.sql\n");
  CHECK(desk.quern({"release", "email"}).out == "nothing to release\n");
  CHECK(desk.quern({"generate", "--check"}).exit_code == 0);
  CHECK(desk.quern({"release", "parcel"}).out ==
        "released contract v2 of queue parcel\nreleased parcel/0002_expand_v2.sql\n");
}

TEST_CASE("queues that are new with what all share are released together") {
  const test::desk desk;
  generate(desk, two_queues);
  CHECK(desk.quern({"release", "email"}).out ==
        "released core/0001_create.sql\nreleased contract v1 of queue email\nreleased email/0001_create.sql\n"
        "released contract v1 of queue parcel\nreleased parcel/0001_create.sql\n");
  CHECK(desk.quern({"release"}).out == "nothing to release\n");
  CHECK(desk.quern({"generate", "--check"}).exit_code == 0);
  CHECK(desk.quern({"check"}).exit_code == 0);
}

TEST_CASE("release refuses a queue that it does not know, and files that are not generated") {
  const test::desk desk;
  generate(desk, two_queues);
  for (const auto* name : {"nothing", "core"}) {
    const auto run = desk.quern({"release", name});
    CHECK(run.exit_code == 1);
    CHECK(run.err == "quern: error: there is no queue or stream \"" + std::string{name} + "\" in quern.lock\n");
  }
  desk.write("quern.toml", email_with_note);
  auto run = desk.quern({"release"});
  CHECK(run.exit_code == 1);
  CHECK(run.err == "quern: error: the files are not what the declaration gives: run `quern generate` first\n");
  desk.write("quern.toml", two_queues);
  desk.write("migrations/email/0001_create.sql", "-- mine\n");
  run = desk.quern({"release"});
  CHECK(run.exit_code == 6);
  CHECK_THAT(run.err, test::contains("email/0001_create.sql is a draft that was edited by hand"));
}

TEST_CASE("a database with a draft that was edited says so, and gets the new one without losing messages") {
  const test::desk desk;
  const test::database database;
  const std::map<std::string, std::string> at{{"QUERN_DATABASE", database.url()}};
  make_released(desk);
  generate(desk, email_with_note);
  REQUIRE(desk.quern({"migrate"}, at).exit_code == 0);
  generate(desk, R"([project]
name = "shop"
[queues.email.payload]
order_id = "int64"
remark = { type = "text", default = "-" }
[queues.parcel.payload]
order_id = "int64"
)");
  auto run = desk.quern({"migrate"}, at);
  CHECK(run.exit_code == 6);
  CHECK_THAT(run.err, test::contains("email/0002_expand_v2"));
  CHECK_THAT(run.err, test::contains("--replace-drafts"));
  quern::connection db{database.url()};
  db.execute("select shop.email_enqueue_v1(7)");
  run = desk.quern({"migrate", "--replace-drafts"}, at);
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(db.execute("select order_id::text || remark from shop.email_take_v2()").value<std::string>() == "7-");
  CHECK(desk.quern({"drift"}, at).exit_code == 0);
}

TEST_CASE("a draft of which messages remain is not replaced, and loses none") {
  const test::desk desk;
  const test::database database;
  const std::map<std::string, std::string> at{{"QUERN_DATABASE", database.url()}};
  make_released(desk);
  generate(desk, email_with_note);
  REQUIRE(desk.quern({"migrate"}, at).exit_code == 0);
  quern::connection db{database.url()};
  db.execute("select shop.email_enqueue_v2(7, 'kept')");
  generate(desk, both_with_note + "tag = \"text?\"\n");
  REQUIRE(desk.quern({"migrate", "--replace-drafts"}, at).exit_code == 0);
  desk.write("quern.toml", R"([project]
name = "shop"
[queues.email.payload]
order_id = "int64"
note = "int64?"
[queues.parcel.payload]
order_id = "int64"
)");
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  const auto run = desk.quern({"migrate", "--replace-drafts"}, at);
  CHECK(run.exit_code == 9);
  CHECK_THAT(run.err, test::contains("queue \"email\""));
  CHECK_THAT(run.err, test::contains("contract v2"));
  CHECK(db.execute("select note from shop.email_message").value<std::string>() == "kept");
  CHECK(db.execute("select order_id from shop.email_take_v1()").value<std::int64_t>() == 7);
  REQUIRE(desk.quern({"migrate", "--replace-drafts"}, at).exit_code == 0);
}

TEST_CASE("release speaks of nothing that it could not write") {
  const test::desk desk;
  desk.write("quern.toml", "[project]\nname = \"shop\"\n[queues.email]\npayload = { order_id = \"int64\" }\n");
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  // A reader that has gone cannot keep the release from being written.
  const test::outcome ended =
      desk.run({"sh", "-c", "exec $quern release > /dev/full"}, {{"quern", test::program().string()}});
  CHECK(ended.exit_code == 1);
  CHECK(desk.quern({"release"}).out == "nothing to release\n");
}
