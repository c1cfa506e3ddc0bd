// quern dev: a private PostgreSQL server for this directory.

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/private_server.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal.hpp"
#include "cluster/binaries.hpp"
#include "cluster/error.hpp"
#include "cluster/server.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

// What the sub-commands share; parsing writes into it, so it lives as long as their callbacks.
struct dev_arguments {
  fs::path directory = private_directory;
  std::string programs{};
  bool is_json = false;
  bool is_agreed = false;
  std::vector<std::string> for_psql{};
};

using shared_arguments = std::shared_ptr<dev_arguments>;

cluster::options as_options(const dev_arguments& given) {
  cluster::options how{.directory = given.directory};
  if (!given.programs.empty()) how.programs = given.programs;
  how.progress = [](std::string_view words) { tell(words); };
  return how;
}

void tell_of_data(const cluster::state& server) {
  if (server.is_data_elsewhere)
    tell(fmt::format("the server's user cannot reach this directory: the data is in {}", server.data.string()));
}

cluster::state running(const dev_arguments& given) {
  cluster::state server = cluster::look(given.directory);
  if (!server.postmaster)
    throw failure{exit_code::unreachable,
                  fmt::format("no private server runs in {}: `quern dev start` starts one", given.directory.string())};
  return server;
}

exit_code start(const dev_arguments& given) {
  const cluster::state server = cluster::start(as_options(given));
  tell_of_data(server);
  tell(fmt::format("the server runs (process {}); its address is", server.postmaster.value_or(0)));
  say(server.url);
  return exit_code::done;
}

exit_code stop(const dev_arguments& given) {
  tell(cluster::stop(given.directory) ? "the server has ended" : "no server runs here");
  return exit_code::done;
}

nlohmann::ordered_json as_json(const cluster::state& server) {
  nlohmann::ordered_json state{{"is_running", server.postmaster.has_value()}, {"is_made", server.is_made}};
  if (server.postmaster) state.update({{"pid", *server.postmaster}, {"url", server.url}});
  if (server.is_made) state.update({{"data", server.data.string()}, {"log", server.log.string()}});
  if (server.major) state["postgres"] = *server.major;
  return state;
}

void say_state(const cluster::state& server) {
  if (!server.is_made) return say("no private server has been made here");
  say(fmt::format("{} PostgreSQL {}", server.postmaster ? "running:" : "stopped:", server.major.value_or(0)));
  if (server.postmaster) say(fmt::format("  address  {}\n  process  {}", server.url, *server.postmaster));
  say(fmt::format("  data     {}\n  log      {}", server.data.string(), server.log.string()));
}

exit_code status(const dev_arguments& given) {
  const cluster::state server = cluster::look(given.directory);
  if (given.is_json)
    say(as_json(server).dump(2));
  else
    say_state(server);
  return server.postmaster ? exit_code::done : exit_code::unreachable;
}

exit_code url(const dev_arguments& given) {
  say(running(given).url);
  return exit_code::done;
}

exit_code psql(const dev_arguments& given) {
  const cluster::state server = running(given);
  std::optional<fs::path> programs;
  if (!given.programs.empty()) programs = given.programs;
  const std::string program = cluster::find_psql(cluster::find_binaries(programs, server.major)).string();
  std::vector<const char*> words{program.c_str(), "--dbname", server.url.c_str()};
  for (const std::string& argument : given.for_psql) words.push_back(argument.c_str());
  words.push_back(nullptr);
  std::fflush(stdout);
  execv(program.c_str(), const_cast<char* const*>(words.data()));
  throw cluster::error{fmt::format("cannot run {}: {}", program, std::strerror(errno))};
}

bool agrees(const dev_arguments& given) {
  if (given.is_agreed) return true;
  if (isatty(STDIN_FILENO) != 1)
    throw failure{exit_code::usage, "`quern dev reset` destroys all data of the private server: say --yes"};
  write_error(
      fmt::format("All data of the private server in {} will be lost. Go on? [y/N] ", given.directory.string()));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

exit_code reset(const dev_arguments& given) {
  if (!agrees(given)) throw failure{exit_code::usage, "nothing was changed"};
  cluster::destroy(given.directory);
  tell("the old data is gone");
  return start(given);
}

command_line add(const command_line& dev, const char* name, const char* what, exit_code (*call)(const dev_arguments&),
                 const shared_arguments& given, exit_code& result) {
  const command_line command = dev.add_command(name, what);
  on_call(command, result, [call, given] { return call(*given); });
  return command;
}

}  // namespace

void add_dev(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<dev_arguments>();
  const command_line dev = program.add_command("dev", "A private PostgreSQL server for this directory");
  dev.needs_command();
  dev.add_option("--dir", given->directory, "Where the server and its data live").shows_default();
  dev.add_option("--pg-bin", given->programs, "The directory of postgres and initdb (default: the newest installed)");
  add(dev, "start", "Start it, making it first if needed; prints its URL", &start, given, result);
  add(dev, "stop", "Stop it; no failure when it does not run", &stop, given, result);
  add(dev, "status", "Say whether it runs (exit code 3: it does not)", &status, given, result)
      .add_flag("--json", given->is_json, "As JSON");
  add(dev, "url", "Print its URL", &url, given, result);
  add(dev, "reset", "Destroy its data and start afresh", &reset, given, result)
      .add_flag("--yes", given->is_agreed, "Do not ask");
  const command_line shell = dev.add_command("psql", "Run psql on it; further arguments go to psql");
  // All that follows is for psql, also what would be an option of `quern dev`.
  shell.takes_rest();
  on_call(shell, result, [shell, given] {
    given->for_psql = shell.rest();
    return psql(*given);
  });
}

}  // namespace cli
