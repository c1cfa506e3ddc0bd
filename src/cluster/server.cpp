#include "cluster/server.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "cluster/account.hpp"
#include "cluster/binaries.hpp"
#include "cluster/error.hpp"
#include "cluster/file_lock.hpp"
#include "cluster/initialise.hpp"
#include "cluster/place.hpp"
#include "cluster/postmaster.hpp"
#include "cluster/process.hpp"

namespace cluster {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto glance = 20ms;

template <class Condition>
bool wait_until(std::chrono::milliseconds patience, Condition is_met) {
  const auto end = steady_clock::now() + patience;
  while (!is_met()) {
    if (steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(glance);
  }
  return true;
}

std::string last_lines(const fs::path& file) {
  constexpr std::streamoff wanted = 2000;
  std::ifstream log{file, std::ios::binary | std::ios::ate};
  if (!log) return {};
  log.seekg(std::max<std::streamoff>(0, log.tellg() - wanted));
  return {std::istreambuf_iterator<char>{log}, {}};
}

void tell(const options& how, const std::string& words) {
  if (how.progress) how.progress(words);
}

// A list of directories whose names may hold commas and spaces: each stands in double quotes.
std::string quoted_directory(const fs::path& directory) {
  std::string quoted{'"'};
  for (const char c : directory.string()) quoted += c == '"' ? std::string{"\"\""} : std::string{c};
  return quoted + '"';
}

command server_command(const binaries& programs, const place& where, const options& how) {
  command server{programs.directory / "postgres", {"-D", where.data.string()}};
  const auto set = [&](std::string_view name, std::string_view value) {
    server.arguments.insert(server.arguments.end(), {"-c", fmt::format("{}={}", name, value)});
  };
  set("listen_addresses", "");
  set("port", "5432");
  set("unix_socket_directories", quoted_directory(where.socket));
  set("unix_socket_permissions", "0700");
  if (how.is_throw_away) {
    for (const char* const durable : {"fsync", "full_page_writes"}) set(durable, "off");
    set("shared_buffers", "32MB");
  }
  for (const auto& [name, value] : how.settings) set(name, value);
  return server;
}

// Backends of a postmaster that was killed notice it within moments; one inside a long computation does not, and its
// shared memory keeps the next server from starting.
void end_orphans(const place& where) {
  if (wait_until(500ms, [&] { return processes_in(where.data).empty(); })) return;
  for (const int signal_number : {SIGQUIT, SIGKILL}) {
    for (const pid_t orphan : processes_in(where.data)) kill(orphan, signal_number);
    if (wait_until(5s, [&] { return processes_in(where.data).empty(); })) return;
  }
}

// The server believes a postmaster.pid, and the lock of its socket, whose number belongs to any process of its user, as
// after a restart of the machine, or to a killed one that nobody has waited for yet. Here it is known that no server of
// this directory runs.
void clear_crash(const place& where) {
  if (!fs::exists(where.data / "postmaster.pid")) return;
  end_orphans(where);
  std::error_code ignored;
  for (const fs::directory_entry& left : fs::directory_iterator{where.socket, ignored})
    fs::remove(left.path(), ignored);
  fs::remove(where.data / "postmaster.pid");
}

// Recovery after a crash may take minutes: as long as the server says that it is starting, it is waited for. False when
// it has ended instead.
bool becomes_ready(const place& where, pid_t server, const options& how) {
  const std::string url = url_of(where);
  auto next_word = steady_clock::now() + 3s;
  auto last_sign = steady_clock::now();
  for (PGPing answer = PQping(url.c_str()); answer != PQPING_OK; answer = PQping(url.c_str())) {
    if (!is_alive(server)) return false;
    if (answer == PQPING_REJECT) last_sign = steady_clock::now();
    if (steady_clock::now() - last_sign > 60s)
      throw error{fmt::format("the server runs (process {}), but does not answer at {}", server, url)};
    if (steady_clock::now() >= next_word) {
      tell(how, "still waiting for the server to take connections");
      next_word += 10s;
    }
    std::this_thread::sleep_for(glance);
  }
  return true;
}

std::optional<int> version_of(const place& where) {
  std::ifstream file{where.data / "PG_VERSION"};
  int major = 0;
  return file >> major ? std::optional{major} : std::nullopt;
}

void launch(const place& where, const binaries& programs, const account& owner, const options& how) {
  clear_crash(where);
  make_private_directory(owner, where.socket);
  std::error_code ignored;
  fs::rename(where.log, where.log.string() + ".1", ignored);
  if (!becomes_ready(where, spawn(owner, server_command(programs, where, how), where.log), how))
    throw error{
        fmt::format("the server did not start; the end of its log {}:\n{}", where.log.string(), last_lines(where.log))};
}

void prepare_directory(const fs::path& directory) {
  std::error_code problem;
  fs::create_directories(directory, problem);
  if (problem) throw error{fmt::format("cannot create {}: {}", directory.string(), problem.message())};
  if (!fs::is_directory(directory)) throw error{fmt::format("{} is not a directory", directory.string())};
  // What is in here belongs to this machine, not to the repository around it.
  if (!fs::exists(directory / ".gitignore")) std::ofstream{directory / ".gitignore"} << "*\n";
}

state look_at(const place& where) {
  state found{.url = url_of(where), .data = where.data, .log = where.log, .is_data_elsewhere = where.is_data_elsewhere};
  if (!fs::exists(where.data)) return found;
  found.postmaster = running_postmaster(where.data);
  found.major = version_of(where);
  found.is_made = found.major.has_value();
  return found;
}

void end_server(const place& where, pid_t server, shutdown how) {
  kill(server, how == shutdown::fast ? SIGINT : SIGQUIT);
  const auto is_gone = [&] { return !is_alive(server); };
  if (wait_until(60s, is_gone)) return;
  kill(server, SIGQUIT);
  if (!wait_until(30s, is_gone))
    throw error{fmt::format("the server (process {}) does not stop; its log is {}", server, where.log.string())};
}

bool stop_at(const place& where, shutdown how) {
  if (!fs::exists(where.data)) return false;
  const std::optional<pid_t> server = running_postmaster(where.data);
  if (server) end_server(where, *server, how);
  return server.has_value();
}

}  // namespace

state start(const options& how) {
  prepare_directory(how.directory);
  const account owner = server_account();
  const place where = locate(owner, how.directory);
  const file_lock alone{where.directory / "lock"};
  state found = look_at(where);
  // One that is being killed is there for a moment yet: then it is as if there had been none.
  if (found.postmaster && becomes_ready(where, *found.postmaster, how)) return found;
  const binaries programs = find_binaries(how.programs, found.major);
  if (!found.is_made) {
    tell(how, fmt::format("making a cluster with PostgreSQL {} ({})", programs.major, programs.directory.string()));
    initialise(where, programs, owner, how.is_throw_away);
  }
  tell(how,
       owner.user == geteuid() ? "starting the server" : fmt::format("starting the server as the user {}", owner.name));
  launch(where, programs, owner, how);
  return look_at(where);
}

bool stop(const fs::path& directory, shutdown how) {
  if (!fs::is_directory(directory)) return false;
  const place where = locate(server_account(), directory);
  const file_lock alone{where.directory / "lock"};
  return stop_at(where, how);
}

state look(const fs::path& directory) {
  if (!fs::is_directory(directory)) return {};
  return look_at(locate(server_account(), directory));
}

void destroy(const fs::path& directory) {
  if (!fs::is_directory(directory)) return;
  const place where = locate(server_account(), directory);
  const file_lock alone{where.directory / "lock"};
  stop_at(where, shutdown::immediate);
  fs::remove_all(where.data);
  fs::remove_all(where.socket);
  if (where.is_data_elsewhere) fs::remove(where.data.parent_path());
}

}  // namespace cluster
