#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "support/catch.hpp"

namespace {

namespace fs = std::filesystem;

const std::string email = "[project]\nname = \"shop\"\n[queues.email]\npayload = { order_id = \"int64\" }\n";

std::vector<fs::path> files_below(const fs::path& root) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator{root}) {
    const auto path = entry.path().lexically_relative(root);
    if (entry.is_regular_file() && path != ".out" && path != ".err") files.push_back(path);
  }
  return files;
}

}  // namespace

TEST_CASE("generate says what it wrote, and that nothing has changed") {
  const test::desk desk;
  desk.write("quern.toml", email);
  const auto first = desk.quern({"generate"});
  CHECK(first.exit_code == 0);
  CHECK(first.err.empty());
  CHECK(first.out ==
        "wrote migrations/core/0001_create.sql\nwrote migrations/email/0001_create.sql\nwrote migrations/quern.lock\n"
        "wrote generated/include/shop/email.hpp\nwrote generated/sql/core.sql\nwrote generated/sql/email.sql\n");
  CHECK(desk.quern({"generate"}).out == "nothing has changed\n");
}

TEST_CASE("a dry run says what would be written, and writes nothing") {
  const test::desk desk;
  desk.write("quern.toml", email);
  const auto run = desk.quern({"generate", "--dry-run"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.out, test::starts_with("would write migrations/core/0001_create.sql\n"));
  CHECK(files_below(desk.root()) == std::vector<fs::path>{"quern.toml"});
  CHECK_FALSE(fs::exists(desk.root() / "generated"));
}

TEST_CASE("a check ends with 1 when a file is missing, differs or is left over, and shows which and how") {
  const test::desk desk;
  desk.write("quern.toml", email + "[queues.sms]\npayload = \"jsonb\"\n");
  REQUIRE(desk.quern({"generate", "--only", "headers"}).exit_code == 0);
  const auto header = desk.read("generated/include/shop/email.hpp");
  desk.write("quern.toml", email);
  desk.write("generated/include/shop/email.hpp", header + "// edited\n// twice\n");
  auto run = desk.quern({"generate", "--check", "--only", "headers"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.out, test::starts_with("differs: generated/include/shop/email.hpp\n  line "));
  CHECK_THAT(run.out, test::contains("\n  -// edited\n  -// twice\nleft over: generated/include/shop/sms.hpp\n"));
  CHECK(run.err == "quern: error: 2 files are not what the declaration gives; run `quern generate`\n");
  CHECK(desk.read("generated/include/shop/email.hpp") == header + "// edited\n// twice\n");

  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  run = desk.quern({"generate", "--check"});
  CHECK(run.exit_code == 0);
  CHECK(run.out.empty());
  CHECK(run.err.empty());

  fs::remove(desk.root() / "generated/sql/core.sql");
  run = desk.quern({"generate", "--check"});
  CHECK(run.exit_code == 1);
  CHECK(run.out == "missing: generated/sql/core.sql\n");
}

TEST_CASE("a file that was changed by hand is told before it is written anew") {
  const test::desk desk;
  desk.write("quern.toml", email);
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  desk.write("generated/sql/email.sql", desk.read("generated/sql/email.sql") + "-- mine\n");
  const auto run = desk.quern({"generate"});
  CHECK(run.exit_code == 0);
  CHECK(run.err == "quern: generated/sql/email.sql was changed by hand; that is lost\n");
  CHECK(run.out == "wrote generated/sql/email.sql\n");
}

TEST_CASE("nothing is written when the declaration is wrong") {
  const test::desk desk;
  desk.write("quern.toml", email + "colour = \"red\"\n");
  const auto run = desk.quern({"generate"});
  CHECK(run.exit_code == 1);
  CHECK(run.out.empty());
  CHECK_THAT(run.err, test::starts_with("quern.toml:5:1: error: "));
  CHECK(desk.quern({"generate", "--file", "none.toml"}).exit_code == 1);
  CHECK_THAT(desk.quern({"generate", "--file", "none.toml"}).err,
             test::contains("none.toml: error: there is no such file"));
}

TEST_CASE("a changed payload is a draft of a new contract until it is released") {
  const test::desk desk;
  desk.write("quern.toml", email);
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  desk.release();
  desk.write("quern.toml",
             "[project]\nname = \"shop\"\n[queues.email]\npayload = { order_id = \"int64\", note = \"text?\" }\n");
  const auto run = desk.quern({"generate"});
  CHECK(run.exit_code == 0);
  CHECK(run.out ==
        "wrote migrations/email/0002_expand_v2.sql\nwrote migrations/quern.lock\n"
        "wrote generated/include/shop/email.hpp\nwrote generated/sql/email.sql\n");
  desk.write("quern.toml",
             "[project]\nname = \"shop\"\n[queues.email]\npayload = { order_id = \"int64\", hint = \"text?\" }\n");
  CHECK(desk.quern({"generate"}).out == run.out);
  CHECK_THAT(desk.read("migrations/email/0002_expand_v2.sql"), test::contains("adds the field \"hint\"."));
  desk.write("quern.toml", email);
  CHECK(desk.quern({"generate"}).out ==
        "removed migrations/email/0002_expand_v2.sql\nwrote migrations/quern.lock\n"
        "wrote generated/include/shop/email.hpp\nwrote generated/sql/email.sql\n");
}

TEST_CASE("a change that would hurt programs is refused at its place, and nothing is written") {
  const test::desk desk;
  desk.write("quern.toml", email);
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  desk.release();
  const auto lock = desk.read("migrations/quern.lock");
  desk.write("quern.toml",
             "[project]\nname = \"shop\"\n[queues.email]\npayload = { order_id = \"int64\", note = \"text\" }\n");
  const auto run = desk.quern({"generate"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, test::starts_with(
                          "quern.toml:4:33: error: the new field \"note\" of queue \"email\" is missing in messages "
                          "of contract v1 [field_needs_default]\n"));
  CHECK_THAT(run.err, test::contains("its programs run on. Three ways out:\n"));
  CHECK(desk.read("migrations/quern.lock") == lock);
}

TEST_CASE("a history that does not match ends with 6, all of it told, and nothing is written") {
  const test::desk desk;
  desk.write("quern.toml", email);
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  desk.release();
  desk.write("migrations/core/0001_create.sql", "select 1;\n");
  fs::remove(desk.root() / "migrations/email/0001_create.sql");
  fs::remove_all(desk.root() / "generated");
  for (const std::string how : {"--dry-run", "--check"}) CHECK(desk.quern({"generate", how}).exit_code == 6);
  const auto run = desk.quern({"generate"});
  CHECK(run.exit_code == 6);
  CHECK_THAT(run.err,
             test::starts_with("quern: error: nothing was written\nmigrations/core/0001_create.sql was edited;"));
  CHECK_THAT(run.err, test::contains("\nmigrations/email/0001_create.sql is missing;"));
  CHECK_FALSE(fs::exists(desk.root() / "generated/sql"));
}

TEST_CASE("a lock that cannot be read is told at its line") {
  const test::desk desk;
  desk.write("quern.toml", email);
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  desk.write("migrations/quern.lock", "<<<<<<< ours\n{}\n");
  const auto run = desk.quern({"generate"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, test::starts_with("migrations/quern.lock:1:1: error: the lock holds a merge conflict"));
}

TEST_CASE("a file of someone else is in the way") {
  const test::desk desk;
  desk.write("quern.toml", email);
  desk.write("generated/sql/email.sql", "mine\n");
  const auto run = desk.quern({"generate"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, test::contains("generated/sql/email.sql is in the way: quern did not write it"));
  CHECK(desk.read("generated/sql/email.sql") == "mine\n");
  CHECK_FALSE(fs::exists(desk.root() / "migrations/quern.lock"));
}

TEST_CASE("everything can be elsewhere, also below names with spaces") {
  const test::desk desk;
  desk.write("a place/quern.toml", email);
  REQUIRE(desk.quern({"generate", "--file", "a place/quern.toml"}).exit_code == 0);
  CHECK(fs::exists(desk.root() / "a place/generated/sql/email.sql"));
  CHECK(fs::exists(desk.root() / "a place/migrations/quern.lock"));
  REQUIRE(
      desk.quern({"generate", "--file", "a place/quern.toml", "--out", "o u t", "--migrations", "m/i/g"}).exit_code ==
      0);
  CHECK(fs::exists(desk.root() / "o u t/sql/email.sql"));
  CHECK(fs::exists(desk.root() / "m/i/g/quern.lock"));
}

TEST_CASE("the output does not depend on where it is made") {
  const test::desk desk;
  const test::desk other;
  desk.write("quern.toml", email);
  other.write("deep/er/quern.toml", email);
  REQUIRE(desk.quern({"generate"}).exit_code == 0);
  REQUIRE(other.quern({"generate", "--file", "deep/er/quern.toml"}).exit_code == 0);
  for (const auto& file : files_below(desk.root())) {
    INFO(file.string());
    CHECK(desk.read(file) == other.read("deep/er" / file));
  }
}

TEST_CASE("the depfile names what was read, as Make and Ninja read it") {
  const test::desk desk;
  const auto root = desk.root().string();
  desk.write("a b/quern.toml", email);
  desk.write("tem#plates/cpp/enum.hpp.mustache", "// {{enum}}\n");
  const std::vector<std::string> call{"generate",    "--file",     "a b/quern.toml", "--only",  "headers",
                                      "--templates", "tem#plates", "--depfile",      "stamp$.d"};
  REQUIRE(desk.quern(call).exit_code == 0);
  CHECK(desk.read("stamp$.d") ==
        "stamp$$: \\\n  " + root + "/a\\ b/quern.toml \\\n  " + root + "/tem\\#plates/cpp/enum.hpp.mustache\n");
  REQUIRE(desk.quern({"generate", "--file", "a b/quern.toml"}).exit_code == 0);
  REQUIRE(desk.quern(call).exit_code == 0);
  CHECK_THAT(desk.read("stamp$.d"), test::contains(" \\\n  " + root + "/a\\ b/migrations/quern.lock"));
}

TEST_CASE("templates of the user take the place of the program's, and are checked as strictly") {
  const test::desk desk;
  desk.write("quern.toml", email);
  desk.write("templates/cpp/queue.hpp.mustache", "// {{queue}} of {{project}}\n");
  REQUIRE(desk.quern({"generate", "--templates", "templates"}).exit_code == 0);
  CHECK(desk.read("generated/include/shop/email.hpp") == "// email of shop\n");
  CHECK_THAT(desk.read("generated/sql/email.sql"), test::contains("create table shop.email_message ("));

  desk.write("templates/cpp/queue.hpp.mustache", "// mine\n// {{queu}}\n");
  auto run = desk.quern({"generate", "--templates", "templates"});
  CHECK(run.exit_code == 1);
  CHECK(run.err ==
        "templates/cpp/queue.hpp.mustache:2:4: error: there is no value \"queu\" here [unknown_value]\n"
        "  // {{queu}}\n     ^~~~~~~~\n  did you mean \"queue\"?\n");

  desk.write("templates/cpp/queues.hpp.mustache", "");
  run = desk.quern({"generate", "--templates", "templates"});
  CHECK(run.exit_code == 1);
  CHECK(run.err ==
        "quern: error: templates/cpp/queues.hpp.mustache is no template of Quern; did you mean "
        "cpp/queue.hpp.mustache?\n");

  run = desk.quern({"generate", "--templates", "nowhere"});
  CHECK(run.exit_code == 1);
  CHECK(run.err == "quern: error: the directory of templates nowhere does not exist\n");
}

TEST_CASE("a directory that cannot be made is named, with what to do") {
  const test::desk desk;
  desk.write("quern.toml", email);
  desk.write("file", "");
  const auto run = desk.quern({"generate", "--out", "file/generated"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, test::starts_with("quern: error: cannot make the directory file/generated: "));
  const auto elsewhere = desk.quern({"generate", "--out", "/proc/quern"});
  CHECK(elsewhere.exit_code == 1);
  CHECK_THAT(elsewhere.err, test::starts_with("quern: error: cannot make the directory /proc/quern: "));
}

TEST_CASE("a file that cannot be written is named, and the next run goes on") {
  const test::desk desk;
  desk.write("quern.toml", email);
  // Where a link waits for the unfinished file, someone else would be written to.
  fs::create_directories(desk.root() / "generated/sql");
  fs::create_symlink(desk.root() / "elsewhere", desk.root() / "generated/sql/.core.sql.quern-new");
  const auto run = desk.quern({"generate"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, test::starts_with("quern: error: cannot write generated/sql/core.sql: "));
  CHECK_FALSE(fs::exists(desk.root() / "elsewhere"));
  CHECK_FALSE(fs::exists(desk.root() / "migrations/quern.lock"));
  CHECK(desk.quern({"generate"}).exit_code == 0);
  CHECK(desk.quern({"generate", "--check"}).exit_code == 0);
}

TEST_CASE("the command line is checked") {
  const test::desk desk;
  desk.write("quern.toml", email);
  CHECK(desk.quern({"generate", "--only", "sql"}).exit_code == 2);
  CHECK(desk.quern({"generate", "--check", "--dry-run"}).exit_code == 2);
  CHECK(desk.quern({"generate", "--check", "--depfile", "d"}).exit_code == 2);
  CHECK(desk.quern({"generate", "more"}).exit_code == 2);
  const auto help = desk.quern({"generate", "--help"});
  CHECK(help.exit_code == 0);
  CHECK_THAT(help.out, test::contains("--templates"));
}
