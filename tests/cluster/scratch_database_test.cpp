#include "cluster/scratch_database.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <quern/connection.hpp>
#include <quern/error.hpp>

#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

bool exists(const std::string& name) {
  quern::connection db{test::server_url()};
  return db.execute("select exists (select from pg_database where datname = $1)", name).value<bool>();
}

// A process that makes a scratch database, says its name, and waits for its end.
struct maker {
  maker() {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    process = fork();
    if (process == 0) {
      for (const int deadly : {SIGINT, SIGTERM}) signal(deadly, SIG_DFL);
      const cluster::scratch_database made{test::server_url()};
      if (write(ends[1], made.name().data(), made.name().size()) < 0) _exit(1);
      close(ends[1]);
      for (;;) pause();
    }
    close(ends[1]);
    std::array<char, 64> text{};
    for (ssize_t count = 0; (count = read(ends[0], text.data(), text.size())) > 0;)
      name.append(text.data(), static_cast<std::size_t>(count));
    close(ends[0]);
  }

  void end_with(int signal) const {
    kill(process, signal);
    waitpid(process, nullptr, 0);
  }

  pid_t process = 0;
  std::string name;
};

}  // namespace

TEST_CASE("a scratch database is empty, and goes with its object") {
  test::server_url();
  std::string name;
  {
    const cluster::scratch_database made{test::server_url()};
    name = made.name();
    CHECK(exists(name));
    quern::connection db{made.url()};
    CHECK(db.execute("select current_database()::text").value<std::string>() == name);
    CHECK(db.execute("select count(*) = 0 from pg_class where relnamespace = 'public'::regnamespace").value<bool>());
    db.run_script("create table left_open (id integer)");
  }
  CHECK_FALSE(exists(name));
}

TEST_CASE("a scratch database goes when its process is interrupted, ended or killed") {
  test::server_url();
  for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
    const maker other;
    CHECK(exists(other.name));
    other.end_with(signal);
    test::wait_until(test::server_url(),
                     fmt::format("select not exists (select from pg_database where datname = '{}')", other.name));
  }
}

TEST_CASE("a scratch database that was left over is removed by the next one, one in use is not") {
  quern::connection db{test::server_url()};
  const std::string comment = "Scratch database of quern. It is dropped when the program that made it ends.";
  db.execute("drop database if exists quern_scratch_0000abcd");
  db.execute("create database quern_scratch_0000abcd");
  db.execute("drop database if exists quern_scratch_0000abce");
  db.execute("create database quern_scratch_0000abce");
  db.execute("drop database if exists quern_scratch_mine");
  db.execute("create database quern_scratch_mine");
  db.run_script(
      fmt::format("comment on database quern_scratch_0000abcd is '{0}';"
                  "comment on database quern_scratch_mine is '{0}'",
                  comment));
  const cluster::scratch_database used{test::server_url()};
  {
    const cluster::scratch_database next{test::server_url()};
    CHECK_FALSE(exists("quern_scratch_0000abcd"));
    CHECK(exists("quern_scratch_0000abce"));  // without the comment it is somebody's
    CHECK(exists("quern_scratch_mine"));
    CHECK(exists(used.name()));
  }
  db.execute("drop database quern_scratch_0000abce");
  db.execute("drop database quern_scratch_mine");
}

TEST_CASE("who may not create databases is told so by the server") {
  test::ensure_role("quern_visitor");
  const std::string url = test::with_user(test::server_url(), "quern_visitor");
  quern::connection db{url};
  CHECK_FALSE(cluster::may_create_databases(db));
  try {
    const cluster::scratch_database made{url};
    FAIL("it was made");
  } catch (const quern::error& refused) {
    CHECK(refused.sqlstate() == "42501");
  }
}
