#include "cluster/server.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <thread>

#include "cluster/account.hpp"
#include "cluster/binaries.hpp"
#include "cluster/error.hpp"
#include "cluster/place.hpp"
#include "cluster/postmaster.hpp"
#include "cluster/scratch.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace fs = std::filesystem;

namespace {

// A directory that goes with everything in it, the server first.
class private_directory {
 public:
  explicit private_directory(const std::string& name = ".quern") {
    std::string made = "/tmp/quern-test-XXXXXX";
    REQUIRE(mkdtemp(made.data()) != nullptr);
    REQUIRE(chmod(made.c_str(), 0755) == 0);
    root_ = made;
    path_ = root_ / name;
  }

  ~private_directory() {
    chmod(root_.c_str(), 0755);
    try {
      cluster::destroy(path_);
    } catch (const cluster::error&) {
      // What a test has put in the way.
    }
    fs::remove_all(root_);
  }

  private_directory(const private_directory&) = delete;
  private_directory& operator=(const private_directory&) = delete;

  const fs::path& path() const { return path_; }

  const fs::path& root() const { return root_; }

  cluster::options options() const {
    cluster::options how;
    how.directory = path_;
    how.is_throw_away = true;
    return how;
  }

 private:
  fs::path root_;
  fs::path path_;
};

std::int64_t count_of_kept(const std::string& url) {
  return quern::connection{url}.execute("select count(*) from kept").value<std::int64_t>();
}

void keep_a_row(const std::string& url) {
  quern::connection{url}.run_script("create table if not exists kept (n int); insert into kept values (1)");
}

// What start() threw.
std::string refusal(const cluster::options& how) {
  try {
    cluster::start(how);
  } catch (const cluster::error& refused) {
    return refused.what();
  }
  return "it started";
}

// Runs in a process of its own; its exit code.
template <class Action>
pid_t in_child(Action action) {
  const pid_t child = fork();
  if (child != 0) return child;
  try {
    action();
    _exit(0);
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "%s\n", failed.what());
  }
  _exit(1);
}

int exit_code_of(pid_t child) {
  int state = 0;
  waitpid(child, &state, 0);
  return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

// Whether somebody wants to be served who is not yet: beside the socket that listens stands one that is connected.
bool has_caller(const fs::path& directory) {
  const std::string socket = (cluster::locate(cluster::server_account(), directory).socket / ".s.PGSQL.5432").string();
  std::ifstream sockets{"/proc/net/unix"};
  int count = 0;
  for (std::string line; std::getline(sockets, line);) count += line.ends_with(' ' + socket) ? 1 : 0;
  return count > 1;
}

}  // namespace

TEST_CASE("a private server is made, keeps its data, and is open to nobody else") {
  const private_directory here;
  cluster::options how;
  how.directory = here.path();
  std::string told;
  how.progress = [&](std::string_view words) { told += fmt::format("{}\n", words); };
  CHECK_FALSE(cluster::look(here.path()).is_made);
  const cluster::state server = cluster::start(how);
  CHECK_THAT(told, test::contains("making a cluster with PostgreSQL "));
  CHECK(server.is_made);
  CHECK(cluster::look(here.path()).postmaster == server.postmaster);
  {
    quern::connection db{server.url};
    CHECK(db.execute("show fsync").value<std::string>() == "on");
    CHECK(db.execute("show listen_addresses").value<std::string>().empty());
    CHECK(db.execute("show server_encoding").value<std::string>() == "UTF8");
    CHECK(db.execute("select 'Z' < 'a'").value<bool>());
  }
  keep_a_row(server.url);

  struct stat socket {};

  REQUIRE(stat((here.path() / "socket").c_str(), &socket) == 0);
  CHECK((socket.st_mode & 07777) == 0700);
  CHECK(socket.st_uid == cluster::server_account().user);
  CHECK(fs::exists(here.path() / ".gitignore"));

  CHECK(cluster::stop(here.path()));
  CHECK_FALSE(cluster::stop(here.path()));
  CHECK(cluster::look(here.path()).is_made);
  CHECK_FALSE(cluster::look(here.path()).postmaster);
  CHECK(count_of_kept(cluster::start(how).url) == 1);
  cluster::destroy(here.path());
  CHECK_FALSE(cluster::look(here.path()).is_made);
  CHECK_FALSE(fs::exists(here.path() / "data"));
}

TEST_CASE("two that start it at once see one server") {
  const private_directory here;
  const auto start = [&] { cluster::start(here.options()); };
  const pid_t one = in_child(start);
  const pid_t other = in_child(start);
  CHECK(exit_code_of(one) == 0);
  CHECK(exit_code_of(other) == 0);
  const cluster::state server = cluster::look(here.path());
  REQUIRE(server.postmaster);
  CHECK(cluster::start(here.options()).postmaster == server.postmaster);
  keep_a_row(server.url);
}

TEST_CASE("a server that was killed is started again with what was committed") {
  const private_directory here;
  const cluster::state before = cluster::start(here.options());
  keep_a_row(before.url);
  // A backend inside of a long computation does not notice the death of its postmaster, and holds its memory.
  const pid_t computing = in_child([&] {
    try {
      quern::connection{test::with_application(before.url, "computing")}.execute(
          "select count(*) from generate_series(1, 100000000000)");
    } catch (const quern::error&) {
      // Ended together with its server.
    }
  });
  test::wait_until(before.url,
                   "select count(*) > 0 from pg_stat_activity where application_name = 'computing' and state "
                   "= 'active'");
  kill(*before.postmaster, SIGKILL);
  // The signal is only sent: on a busy machine the server still answers for a while.
  while (cluster::is_alive(*before.postmaster)) usleep(1000);
  const cluster::state after = cluster::start(here.options());
  CHECK(after.postmaster != before.postmaster);
  CHECK(count_of_kept(after.url) == 1);
  kill(computing, SIGKILL);
  exit_code_of(computing);
}

TEST_CASE("a server that is killed while somebody waits for it to answer is started again") {
  const private_directory here;
  const cluster::state before = cluster::start(here.options());
  // It holds still: there, but it answers nobody.
  kill(*before.postmaster, SIGSTOP);
  std::optional<cluster::state> after;
  std::thread waiting{[&] { after = cluster::start(here.options()); }};
  while (!has_caller(here.path())) usleep(1000);
  kill(*before.postmaster, SIGKILL);
  waiting.join();
  REQUIRE(after);
  CHECK(after->postmaster != before.postmaster);
  CHECK(quern::connection{after->url}.execute("select 1").value<std::int32_t>() == 1);
}

TEST_CASE("a postmaster.pid whose number belongs to another process by now is taken for what it is") {
  const private_directory here;
  const cluster::state before = cluster::start(here.options());
  keep_a_row(before.url);
  const fs::path file = before.data / "postmaster.pid";
  fs::copy_file(file, here.root() / "copy");
  kill(*before.postmaster, SIGKILL);
  while (cluster::is_alive(*before.postmaster)) usleep(1000);
  // A process of the server's user: PostgreSQL itself would take it for the server.
  const pid_t other = in_child([] {
    if (cluster::become(cluster::server_account())) pause();
  });
  {
    std::ifstream copy{here.root() / "copy"};
    std::ofstream changed{file};
    std::string line;
    std::getline(copy, line);
    changed << other << '\n' << copy.rdbuf();
  }
  CHECK_FALSE(cluster::look(here.path()).postmaster);
  CHECK(count_of_kept(cluster::start(here.options()).url) == 1);
  CHECK(cluster::is_alive(other));
  kill(other, SIGKILL);
  exit_code_of(other);
}

TEST_CASE("what a kill during the making has left is not taken for a cluster") {
  const private_directory here;
  fs::create_directories(here.path() / "data.new.1/base");
  CHECK_FALSE(cluster::look(here.path()).is_made);
  keep_a_row(cluster::start(here.options()).url);
  CHECK_FALSE(fs::exists(here.path() / "data.new.1"));
}

TEST_CASE("spaces, quotes, commas and other characters in the path do no harm") {
  const private_directory here{"a b, \"c\" d'e $HOME %41 & ü"};
  const cluster::state server = cluster::start(here.options());
  CHECK(server.data == here.path() / "data");
  keep_a_row(server.url);
  CHECK(cluster::stop(here.path()));
}

TEST_CASE("the socket of a directory with a long path stands in a short one") {
  const private_directory here{std::string(120, 'x') + "/" + std::string(120, 'y')};
  const cluster::state server = cluster::start(here.options());
  CHECK(server.data == here.path() / "data");
  CHECK_THAT(server.url, test::contains("host=/tmp/quern-"));
  keep_a_row(server.url);

  struct stat socket {};

  const fs::path place = cluster::locate(cluster::server_account(), here.path()).socket;
  REQUIRE(stat(place.c_str(), &socket) == 0);
  CHECK((socket.st_mode & 07777) == 0700);
  cluster::destroy(here.path());
  CHECK_FALSE(fs::exists(place));
}

TEST_CASE("a short socket directory that belongs to somebody else is not used") {
  const private_directory here{std::string(120, 'x')};
  fs::create_directories(here.path());
  const fs::path place = cluster::locate(cluster::server_account(), here.path()).socket;
  fs::create_directory_symlink("/tmp", place);
  CHECK_THAT(refusal(here.options()),
             test::starts_with(place.string() + " is in the way: it should be a directory of "));
  fs::remove(place);
}

TEST_CASE("the data goes where the server's user can reach it") {
  if (geteuid() != 0) return;  // Otherwise the server's user is the caller, who reaches his own directories.
  const private_directory here;
  REQUIRE(chmod(here.root().c_str(), 0700) == 0);
  const cluster::state server = cluster::start(here.options());
  CHECK(server.is_data_elsewhere);
  CHECK_THAT(server.data.string(), test::starts_with("/var/tmp/quern-"));
  keep_a_row(server.url);
  CHECK(cluster::stop(here.path()));
  CHECK(count_of_kept(cluster::start(here.options()).url) == 1);
  cluster::destroy(here.path());
  CHECK_FALSE(fs::exists(server.data.parent_path()));
}

TEST_CASE("libpq's environment does not change the server") {
  const private_directory here;
  setenv("PGPORT", "1", 1);
  setenv("PGDATA", "/nowhere", 1);
  setenv("PGHOST", "nowhere.invalid", 1);
  setenv("PGUSER", "nobody", 1);
  keep_a_row(cluster::start(here.options()).url);
  for (const char* const variable : {"PGPORT", "PGDATA", "PGHOST", "PGUSER"}) unsetenv(variable);
}

TEST_CASE("a server that does not start shows the end of its log") {
  const private_directory here;
  cluster::options how = here.options();
  how.settings = {{"no_such_setting", "1"}};
  CHECK_THAT(refusal(how), test::starts_with(fmt::format("the server did not start; the end of its log {}:\n",
                                                         (here.path() / "log").string())));
  CHECK_THAT(refusal(how), test::contains("unrecognized configuration parameter \"no_such_setting\""));
  keep_a_row(cluster::start(here.options()).url);
}

TEST_CASE("what cannot be is told in words") {
  const private_directory here;
  cluster::options how = here.options();
  how.programs = "/nowhere";
  CHECK(refusal(how) == "/nowhere holds no PostgreSQL server (the programs postgres and initdb)");
  std::ofstream{here.root() / "file"} << "";
  how.directory = here.root() / "file";
  CHECK_THAT(refusal(how), test::starts_with(fmt::format("cannot create {}", how.directory.string())));
  CHECK_FALSE(cluster::stop("/nowhere"));
}

TEST_CASE("the programs are those of the version that made the cluster") {
  const std::vector<cluster::binaries> installed = cluster::installed_binaries();
  REQUIRE_FALSE(installed.empty());
  CHECK(cluster::find_binaries({}, {}) == installed.front());
  CHECK(cluster::find_binaries(installed.front().directory, installed.front().major) == installed.front());
  CHECK(cluster::find_binaries(installed.front().directory.parent_path(), {}) == installed.front());
  CHECK_THROWS_WITH(cluster::find_binaries({}, 9),
                    test::starts_with("the cluster was made by PostgreSQL 9, but what can "
                                      "be run is "));
}

TEST_CASE("a throw-away server goes when its process is killed") {
  int report[2];
  REQUIRE(pipe(report) == 0);
  const pid_t child = in_child([&] {
    const cluster::scratch server;
    const std::string directory = server.directory().string();
    const pid_t postmaster = server.postmaster();
    if (write(report[1], &postmaster, sizeof postmaster) < 0 ||
        write(report[1], directory.c_str(), directory.size()) < 0)
      _exit(1);
    close(report[1]);
    pause();
  });
  close(report[1]);
  pid_t postmaster = 0;
  char directory[200] = {};
  REQUIRE(read(report[0], &postmaster, sizeof postmaster) == sizeof postmaster);
  REQUIRE(read(report[0], directory, sizeof directory - 1) > 0);
  close(report[0]);
  REQUIRE(cluster::is_alive(postmaster));
  kill(child, SIGKILL);
  exit_code_of(child);
  for (int i = 0; i < 3000 && fs::exists(directory); ++i) usleep(10'000);
  CHECK_FALSE(fs::exists(directory));
  CHECK_FALSE(cluster::is_alive(postmaster));
}
