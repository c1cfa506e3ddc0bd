#include "cluster/scratch.hpp"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <quern/connection.hpp>

#include "cluster/postmaster.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace fs = std::filesystem;

TEST_CASE("a throw-away server takes connections and goes with its object") {
  fs::path directory;
  pid_t server = 0;
  {
    const cluster::scratch here;
    directory = here.directory();
    server = here.postmaster();
    CHECK(quern::connection{here.url()}.execute("select current_user::text").value<std::string>() == "postgres");
  }
  CHECK_FALSE(fs::exists(directory));
  CHECK_FALSE(cluster::is_alive(server));
}

TEST_CASE("each test has an empty database of its own") {
  const test::database one;
  const test::database other;
  CHECK(one.name() != other.name());
  quern::connection{one.url()}.execute("create table mine ()");
  CHECK(quern::connection{other.url()}.execute("select to_regclass('mine') is null").value<bool>());
}
