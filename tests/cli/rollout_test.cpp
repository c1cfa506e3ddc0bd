// A roll-out as it happens: programs of the old and of the new release work side by side while the database changes.

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/files.hpp"
#include "support/places.hpp"

namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(steady::now().time_since_epoch()).count();
}

/// A producer or a consumer of tests/rollout, in a process of its own.
class party {
 public:
  party(const std::string& version, const std::string& does, const std::string& url, fs::path journal,
        const std::string& name)
      : journal_{std::move(journal)} {
    const auto program = test::program().parent_path() / "../../tests/rollout" / ("rollout_" + version);
    std::vector<std::string> words{program.string(), does, url, journal_.string(), name};
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    process_ = fork();
    if (process_ == 0) {
      execv(pointers.front(), pointers.data());
      _exit(127);
    }
  }

  party(const party&) = delete;
  party& operator=(const party&) = delete;

  ~party() {
    if (process_ == 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }

  /// Lets it end what it is doing; no call of it may have failed.
  void leave() {
    kill(process_, SIGTERM);
    int state = 0;
    waitpid(process_, &state, 0);
    process_ = 0;
    INFO(journal_.filename().string());
    REQUIRE(WIFEXITED(state));
    REQUIRE(WEXITSTATUS(state) == 0);
  }

  const fs::path& journal() const { return journal_; }

 private:
  fs::path journal_;
  pid_t process_ = 0;
};

/// The slowest call that began in a stretch of time, in microseconds.
struct slowest {
  std::int64_t taken = 0;
  std::string what{};
};

/// A company with its database, its repository and its programs.
class company {
 public:
  company() {
    quern::connection db{database_.url()};
    db.execute("create table produced (order_id bigint primary key)");
    db.execute("create table handled (order_id bigint primary key, consumer text)");
  }

  /// Gives the repository the declaration of that version, generates, releases and migrates.
  void deploy(const std::string& version) {
    desk_.write("quern.toml", test::content_of(test::source_dir() / "tests/rollout" / version / "quern.toml"));
    run({"generate"});
    run({"release"});
    run({"migrate"});
  }

  test::outcome quern(std::vector<std::string> arguments) const {
    return desk_.quern(arguments, {{"QUERN_DATABASE", database_.url()}});
  }

  void run(const std::vector<std::string>& arguments) const {
    const auto ended = quern(arguments);
    INFO(fmt::format("{}", arguments.front()));
    INFO(ended.out);
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
  }

  /// Two producers and two consumers of that release.
  void join(const std::string& version) {
    for (const auto* does : {"produce", "produce", "consume", "consume"}) {
      ++number_;
      const bool is_producer = std::string_view{does} == "produce";
      const auto name =
          is_producer ? fmt::format("{}", number_ * 1'000'000'000) : fmt::format("{}-{}", version, number_);
      parties_[version + (is_producer ? " producers" : " consumers")].push_back(std::make_unique<party>(
          version, does, database_.url(), desk_.root() / fmt::format("journal-{}", number_), name));
    }
  }

  void leave(const std::string& who) {
    for (auto& one : parties_.at(who)) {
      one->leave();
      journals_.push_back(one->journal());
    }
    parties_.erase(who);
  }

  /// Waits until that many more messages were handled by consumers of the release.
  void work(const std::string& version, int messages) const {
    quern::connection db{database_.url()};
    const auto by = fmt::format("from handled where consumer like '{}-%'", version);
    const auto before = db.execute("select count(*) " + by).value<std::int64_t>();
    test::wait_until(database_.url(), fmt::format("select count(*) >= {} {}", before + messages, by));
  }

  void wait_until(const std::string& query) const { test::wait_until(database_.url(), query); }

  /// Tries again until it is not refused any more.
  void run_when_unused(const std::vector<std::string>& arguments) const {
    const auto end = steady::now() + std::chrono::seconds{30};
    auto ended = quern(arguments);
    while (ended.exit_code == 9 && steady::now() < end) {
      usleep(50'000);
      ended = quern(arguments);
    }
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
  }

  void check_that_each_was_handled_once() const {
    quern::connection db{database_.url()};
    CHECK(db.execute("select count(*) from produced").value<std::int64_t>() > 500);
    CHECK(db.execute("select count(*) from produced as p left join handled as h using (order_id) where h.order_id is "
                     "null")
              .value<std::int64_t>() == 0);
    CHECK(db.execute("select count(*) from handled as h left join produced as p using (order_id) where p.order_id is "
                     "null")
              .value<std::int64_t>() == 0);
  }

  slowest slowest_between(std::int64_t begin, std::int64_t end) const {
    slowest result;
    for (const auto& file : journals_) {
      std::ifstream in{file};
      std::int64_t at = 0;
      std::string what;
      std::int64_t taken = 0;
      while (in >> at >> what >> taken) {
        if (at + taken >= begin && at < end && taken > result.taken) result = {taken, what};
      }
    }
    return result;
  }

  const std::string& url() const { return database_.url(); }

 private:
  test::desk desk_;
  test::database database_;
  std::int64_t number_ = 0;
  std::map<std::string, std::vector<std::unique_ptr<party>>> parties_;
  std::vector<fs::path> journals_;
};

/// The figure of the issue: how much longer the slowest call took while the database was changed.
void print_stall(const std::string& title, const company& shop, std::int64_t calm_from, std::int64_t calm_to,
                 const std::vector<std::pair<std::int64_t, std::int64_t>>& changes) {
  const auto calm = shop.slowest_between(calm_from, calm_to);
  slowest changing;
  for (const auto& [from, to] : changes) {
    auto one = shop.slowest_between(from, to);
    if (one.taken > changing.taken) changing = one;
  }
  fmt::print(
      "{}: slowest call {:.1f} ms ({}) without a migration, {:.1f} ms ({}) during one: {:.1f} ms beyond (target "
      "<= 50)\n",
      title, static_cast<double>(calm.taken) / 1000, calm.what, static_cast<double>(changing.taken) / 1000,
      changing.what, static_cast<double>(changing.taken - calm.taken) / 1000);
  std::fflush(stdout);
}

}  // namespace

TEST_CASE("a release is rolled out while programs of the old and the new one work, and the old contract is retired") {
  company shop;
  shop.deploy("v1");
  shop.join("v1");
  shop.work("v1", 300);
  const auto calm_from = now();
  shop.work("v1", 1500);
  const auto expand_from = now();
  shop.deploy("v2");
  const auto expand_to = now();
  shop.work("v1", 200);
  shop.join("v2");
  shop.work("v2", 300);
  shop.work("v1", 100);
  shop.leave("v1 producers");
  shop.leave("v1 consumers");
  shop.work("v2", 200);
  const auto retire_from = now();
  shop.run_when_unused({"retire", "email", "1"});
  shop.run_when_unused({"migrate"});
  const auto retire_to = now();
  shop.work("v2", 200);
  shop.leave("v2 producers");
  shop.wait_until("select count(*) = 0 from shop.email_message");
  shop.leave("v2 consumers");
  shop.check_that_each_was_handled_once();
  print_stall("roll-out", shop, calm_from, expand_from, {{expand_from, expand_to}, {retire_from, retire_to}});
}

TEST_CASE("a release is rolled back in the middle, and every message is handled by a program that can read it") {
  company shop;
  shop.deploy("v1");
  shop.join("v1");
  shop.work("v1", 300);
  const auto calm_from = now();
  shop.work("v1", 1000);
  const auto expand_from = now();
  shop.deploy("v2");
  const auto expand_to = now();
  shop.join("v2");
  shop.work("v2", 300);
  shop.leave("v2 producers");
  // What only the new release can read is handled by it before it leaves.
  shop.wait_until(
      "select count(*) = 0 from shop.email_message where contract_version = 2 and (channel = 'fax' or client_id > "
      "2147483647)");
  shop.leave("v2 consumers");
  const auto back_from = now();
  shop.run({"rollback", "email", "--wait", "30s"});
  const auto back_to = now();
  shop.work("v1", 300);
  // And once more.
  shop.run({"migrate"});
  shop.join("v2");
  shop.work("v2", 100);
  shop.leave("v1 producers");
  shop.leave("v2 producers");
  shop.wait_until("select count(*) = 0 from shop.email_message");
  shop.leave("v1 consumers");
  shop.leave("v2 consumers");
  shop.check_that_each_was_handled_once();
  print_stall("roll-back", shop, calm_from, expand_from, {{expand_from, expand_to}, {back_from, back_to}});
}
