#include "render/artefacts.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "declaration/read.hpp"
#include "render/generate.hpp"
#include "render/templates.hpp"
#include "support/catch.hpp"

namespace {

namespace fs = std::filesystem;

const std::string email = "[queues.email]\npayload = { order_id = \"int64\" }\n";
const std::string with_note = "[queues.email]\npayload = { order_id = \"int64\", note = \"text?\" }\n";
const std::string webhooks = "[queues.webhooks]\npayload = \"jsonb\"\n";

/// A directory of a test's own, with a project in it.
class workplace {
 public:
  workplace() {
    auto name = (fs::temp_directory_path() / "quern test XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root_ = name;
  }

  ~workplace() {
    fs::permissions(root_, fs::perms::owner_all);
    fs::remove_all(root_);
  }

  workplace(const workplace&) = delete;
  workplace& operator=(const workplace&) = delete;

  fs::path operator/(const fs::path& path) const { return root_ / path; }

  std::string read(const fs::path& path) const {
    std::ifstream in{root_ / path, std::ios::binary};
    INFO(path.string());
    REQUIRE(in);
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  void write(const fs::path& path, const std::string& content) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream{root_ / path, std::ios::binary} << content;
  }

  render::output open(render::parts wanted = render::parts::all) const {
    return {{root_ / "generated", root_ / "migrations"}, wanted, render::output::access::write};
  }

  render::generation generation(const render::output& output, const std::string& queues, render::parts wanted) const {
    const auto read = declaration::read({"quern.toml", "[project]\nname = \"shop\"\n" + queues});
    REQUIRE(read.problems.empty());
    const auto source = output.read_lock();
    contract::lock lock;
    if (!source.content.empty()) {
      auto known = contract::read_lock(source);
      REQUIRE(known.diagnostics.empty());
      lock = known.value;
    }
    return render::generate(*read.declared, lock, templates(), wanted);
  }

  /// Generates; gives what was written and removed, below the workplace.
  std::vector<std::string> generate(const std::string& queues, render::parts wanted = render::parts::all) const {
    const auto output = open(wanted);
    const auto made = generation(output, queues, wanted);
    REQUIRE(made.diagnostics.empty());
    const auto differences = output.compare(made);
    for (const auto& problem : differences.problems) FAIL(problem.words);
    output.write(made, differences);
    std::vector<std::string> changed;
    for (const auto* changes : {&differences.migrations, &differences.generated}) {
      for (const auto& change : *changes) {
        changed.push_back(
            fmt::format("{}{}", change.text == nullptr ? "-" : "", change.file.lexically_relative(root_).string()));
      }
    }
    return changed;
  }

  /// Nothing that was generated is a draft any more.
  void release() const {
    const auto read = contract::read_lock({"quern.lock", this->read("migrations/quern.lock")});
    REQUIRE(read.diagnostics.empty());
    write("migrations/quern.lock", contract::write_lock(contract::with_drafts_released(read.value)));
  }

  /// What stands in the way of generating.
  std::vector<std::string> problems(const std::string& queues, render::parts wanted = render::parts::all) const {
    const auto output = open(wanted);
    const auto made = generation(output, queues, wanted);
    std::vector<std::string> words;
    for (const auto& problem : output.compare(made).problems) {
      words.push_back(problem.words.substr(root_.string().size() + 1));
    }
    return words;
  }

  /// Every file with its content.
  std::map<std::string, std::string> tree() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator{root_}) {
      if (entry.is_regular_file()) files[entry.path().lexically_relative(root_).string()] = read(entry.path());
    }
    return files;
  }

  static const render::template_set& templates() {
    static const auto checked = render::check_templates(render::load_templates({}));
    return checked;
  }

 private:
  fs::path root_;
};

using names = std::vector<std::string>;

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

TEST_CASE("a run that was interrupted before its declaration changed leaves nothing in the way") {
  const workplace place;
  place.generate(email + webhooks, render::parts::headers);
  // The manifest is the last to be written: only the journal knows of the files.
  fs::rename(place / "generated/.quern-files", place / "generated/.quern-pending");
  CHECK(place.generate(email, render::parts::headers) == names{"-generated/include/shop/webhooks.hpp"});
  CHECK_FALSE(fs::exists(place / "generated/.quern-pending"));
}

TEST_CASE("a new migration that was left with another content is not overwritten") {
  const workplace place;
  place.write("migrations/email/0001_create.sql", "select 1;\n");
  const auto problems = place.problems(email);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0] ==
        "migrations/email/0001_create.sql exists, is not in the lock, and differs from what would be "
        "written there; if it was never applied, remove it");
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
