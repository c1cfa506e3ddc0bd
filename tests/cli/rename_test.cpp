// A queue that gets another name: from the edit to the retirement of the contracts that bear the old one.

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

namespace fs = std::filesystem;

/// Two queues, the first of which is called so, and was called otherwise before.
std::string declaration(const std::string& name, const std::string& former = {}) {
  std::string text = "[project]\nname = \"shop\"\n[queues." + name + "]\nsunset = \"1s\"\n";
  if (!former.empty()) text += "renamed_from = \"" + former + "\"\n";
  return text + "[queues." + name + ".payload]\norder_id = \"int64\"\n[queues.parcel.payload]\norder_id = \"int64\"\n";
}

class project {
 public:
  test::outcome quern(const std::vector<std::string>& words) const {
    return desk_.quern(words, {{"QUERN_DATABASE", database_.url()}});
  }

  std::string run(const std::vector<std::string>& words) const {
    auto ended = quern(words);
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
    return ended.out;
  }

  void generate(const std::string& name, const std::string& former = {}) const { declare(declaration(name, former)); }

  void declare(const std::string& text) const {
    desk_.write("quern.toml", text);
    run({"generate"});
  }

  bool has(const std::string& file) const { return !desk_.read(file).empty(); }

  std::string lock() const { return desk_.read("migrations/quern.lock"); }

  const std::string& url() const { return database_.url(); }

 private:
  test::desk desk_;
  test::database database_;
};

/// A stream that is called so, and was called otherwise before.
std::string stream(const std::string& name, const std::string& former = {}) {
  std::string text = "[project]\nname = \"shop\"\n[streams." + name + "]\nsunset = \"1s\"\n";
  if (!former.empty()) text += "renamed_from = \"" + former + "\"\n";
  return text + "[streams." + name + ".payload]\nkind = \"text\"\n[streams." + name +
         ".consumers.crew]\nworkers = \"cooperative\"\n";
}

}  // namespace

TEST_CASE("a rename is a draft until it is released, and can be taken back or changed") {
  const project shop;
  shop.generate("email");
  shop.run({"release"});
  const auto released = shop.lock();
  shop.generate("mail", "email");
  CHECK(shop.has("migrations/email/0002_expand_v2.sql"));
  CHECK_FALSE(shop.has("migrations/mail/0001_create.sql"));
  const auto drafted = shop.lock();
  shop.generate("post", "email");
  CHECK(shop.has("generated/include/shop/post.hpp"));
  CHECK_FALSE(shop.has("generated/include/shop/mail.hpp"));
  shop.generate("mail", "email");
  CHECK(shop.lock() == drafted);
  shop.generate("email");
  CHECK(shop.lock() == released);
  CHECK_FALSE(shop.has("migrations/email/0002_expand_v2.sql"));
}

TEST_CASE("what is generated bears the new name, and the old one as long as its contracts live") {
  const project shop;
  shop.generate("email");
  shop.run({"release"});
  shop.generate("mail", "email");
  CHECK(shop.has("generated/sql/mail.sql"));
  CHECK_FALSE(shop.has("generated/sql/email.sql"));
  CHECK(shop.has("generated/include/shop/mail.hpp"));
  CHECK(shop.has("generated/include/shop/email.hpp"));
  shop.run({"release"});
  shop.run({"retire", "mail", "1", "--offline"});
  CHECK(shop.has("generated/include/shop/mail.hpp"));
  CHECK_FALSE(shop.has("generated/include/shop/email.hpp"));
}

TEST_CASE("what was renamed is released with what all queues share, by whichever name it is called") {
  const project shop;
  shop.generate("email");
  shop.run({"release"});
  shop.generate("mail", "email");
  const std::string said =
      "released core/0002_change.sql\nreleased contract v2 of queue mail\nreleased email/0002_expand_v2.sql\n";
  CHECK(shop.quern({"release", "post"}).err == "quern: error: there is no queue or stream \"post\" in quern.lock\n");
  CHECK(shop.run({"release", "mail"}) == said);
  CHECK(shop.run({"release", "email"}) == "nothing to release\n");
}

TEST_CASE("contracts and retire know the queue by its present name, and say its line") {
  const project shop;
  shop.generate("email");
  shop.run({"release"});
  shop.generate("mail", "email");
  shop.run({"release"});
  shop.run({"migrate"});
  CHECK(shop.run({"contracts"}) ==
        "email v1 released, in the database live\n  last produced never, last consumed never, 0 messages\n"
        "mail v2 (line email) released, in the database live\n"
        "  last produced never, last consumed never, 0 messages\n"
        "parcel v1 released, in the database live\n  last produced never, last consumed never, 0 messages\n");
  const auto all = nlohmann::json::parse(shop.run({"contracts", "--json"}));
  CHECK(all[1]["queue"] == "mail");
  CHECK(all[1]["line"] == "email");
  CHECK(shop.quern({"retire", "email", "1"}).err ==
        "quern: error: there is no queue \"email\": it is called \"mail\" now\n");
  CHECK(shop.run({"retire", "mail", "1"}).find("migrations/email/0003_retire_v1.sql") != std::string::npos);
  shop.run({"migrate"});
  CHECK(
      shop.run({"contracts"}).starts_with("email v1 retired, in the database retired\nmail v2 (line email) released"));
  CHECK(shop.quern({"drift"}).exit_code == 0);
}

TEST_CASE("check tries a renamed queue out on a server, under each of its names") {
  const project shop;
  shop.generate("email");
  shop.run({"release"});
  shop.generate("mail", "email");
  shop.run({"release"});
  shop.generate("post", "mail");
  const auto checked = shop.quern({"check", "--scratch"});
  INFO(checked.out);
  INFO(checked.err);
  CHECK(checked.exit_code == 0);
}

TEST_CASE("a stream is operated by either of its names, shown by the present one, and loses the former") {
  const project shop;
  shop.declare(stream("activity"));
  CHECK(shop.run({"release"}).find("released contract v1 of stream activity\n") != std::string::npos);
  shop.run({"migrate"});
  shop.run({"publish", "activity", "--json", R"({"kind": "a"})"});
  shop.declare(stream("news", "activity"));
  CHECK(shop.has("generated/include/shop/news.hpp"));
  CHECK(shop.has("generated/include/shop/activity.hpp"));
  shop.run({"release"});
  shop.run({"migrate"});
  shop.run({"publish", "activity", "--json", R"({"kind": "b"})"});
  shop.run({"publish", "news", "--json", R"({"kind": "c"})"});
  shop.run({"work", "news/crew", "--drain", "--exec", "/bin/true"});
  const auto streams = nlohmann::json::parse(shop.run({"stats", "--json"}))["streams"];
  REQUIRE(streams.size() == 1);
  CHECK(streams[0]["stream"] == "news");
  CHECK(streams[0]["last_offset"] == 3);
  CHECK(streams[0]["consumers"][0]["behind"] == 0);
  for (const auto* name : {"activity", "news"}) {
    INFO(name);
    CHECK(nlohmann::json::parse(shop.run({"stats", name, "--json"}))["streams"][0]["last_offset"] == 3);
    CHECK(shop.run({"peek", name, "--json"}).find("\"kind\":\"b\"") != std::string::npos);
  }
  CHECK(shop.quern({"drift"}).exit_code == 0);
  CHECK(shop.run({"retire", "news", "1", "--offline"}).find("migrations/activity/0003_retire_v1.sql") !=
        std::string::npos);
  CHECK_FALSE(shop.has("generated/include/shop/activity.hpp"));
  const auto checked = shop.quern({"check", "--scratch"});
  INFO(checked.out);
  CHECK(checked.exit_code == 0);
}

TEST_CASE("a stream with its first name again is shown by that") {
  const project shop;
  shop.declare(stream("activity"));
  shop.run({"release"});
  shop.declare(stream("news", "activity"));
  shop.run({"release"});
  shop.declare(stream("activity", "news"));
  shop.run({"migrate"});
  const auto streams = nlohmann::json::parse(shop.run({"stats", "--json"}))["streams"];
  REQUIRE(streams.size() == 1);
  CHECK(streams[0]["stream"] == "activity");
}

TEST_CASE("what is refused to be dropped keeps its untyped doors") {
  const project shop;
  shop.declare(
      "[project]\nname = \"shop\"\n[queues.email]\npayload = \"jsonb\"\n[queues.parcel]\npayload = \"jsonb\"\n");
  shop.run({"release"});
  shop.run({"migrate"});
  shop.run({"enqueue", "email", "--json", "1"});
  shop.declare("[project]\nname = \"shop\"\n[removed_queues.email]\n[queues.parcel]\npayload = \"jsonb\"\n");
  shop.run({"release"});
  CHECK(shop.quern({"migrate"}).exit_code == 9);
  quern::connection db{shop.url()};
  CHECK(db.execute("select shop.queue_enqueue('email', '2') is not null").value<bool>());
  CHECK(db.execute("select count(*) from shop.queue_dequeue('email')").value<std::int64_t>() == 1);
}
