#include "cluster/binaries.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cluster/account.hpp"
#include "cluster/error.hpp"
#include "cluster/process.hpp"

namespace cluster {
namespace {

namespace fs = std::filesystem;

bool is_program(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) && access(file.c_str(), X_OK) == 0;
}

std::vector<fs::path> path_directories() {
  std::vector<fs::path> directories;
  const char* const variable = std::getenv("PATH");
  std::string_view rest = variable != nullptr ? variable : "";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    // A relative entry would let the current directory decide what runs.
    if (fs::path entry{rest.substr(0, end)}; entry.is_absolute()) directories.push_back(std::move(entry));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return directories;
}

std::optional<fs::path> on_path(const char* program) {
  for (const fs::path& directory : path_directories())
    if (is_program(directory / program)) return directory / program;
  return std::nullopt;
}

// `postgres (PostgreSQL) 15.4 (Debian …)`, `postgres (PostgreSQL) 17beta2`.
std::optional<int> major_version(const fs::path& server) {
  constexpr std::string_view opening = "postgres (PostgreSQL) ";
  const outcome answer = run(server_account(), {server, {"--version"}});
  if (answer.exit_code != 0 || !answer.output.starts_with(opening)) return std::nullopt;
  int major = 0;
  const char* const begin = answer.output.data() + opening.size();
  const auto [end, problem] = std::from_chars(begin, answer.output.data() + answer.output.size(), major);
  return problem == std::errc{} ? std::optional{major} : std::nullopt;
}

std::optional<binaries> look_into(const fs::path& directory) {
  if (!is_program(directory / "postgres") || !is_program(directory / "initdb")) return std::nullopt;
  const std::optional<int> major = major_version(directory / "postgres");
  if (!major) return std::nullopt;
  return binaries{fs::canonical(directory), *major};
}

void add_versions(std::vector<fs::path>& places, const fs::path& parent, std::string_view prefix) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator{parent, ignored})
    if (entry.path().filename().string().starts_with(prefix)) places.push_back(entry.path() / "bin");
}

std::vector<fs::path> usual_places() {
  std::vector<fs::path> places;
  // A link on the PATH may point into a directory that holds everything.
  if (const auto server = on_path("postgres")) places.push_back(fs::canonical(*server).parent_path());
  if (const auto tool = on_path("pg_config")) {
    const outcome answer = run(server_account(), {*tool, {"--bindir"}});
    if (answer.exit_code == 0) places.emplace_back(answer.output.substr(0, answer.output.find('\n')));
  }
  add_versions(places, "/usr/lib/postgresql", "");
  add_versions(places, "/usr/lib64/postgresql", "");
  add_versions(places, "/usr", "pgsql-");
  add_versions(places, "/opt/homebrew/opt", "postgresql");
  add_versions(places, "/usr/local/opt", "postgresql");
  add_versions(places, "/home/linuxbrew/.linuxbrew/opt", "postgresql");
  add_versions(places, "/opt/local/lib", "postgresql");
  places.emplace_back("/usr/local/pgsql/bin");
  places.emplace_back("/usr/bin");
  return places;
}

binaries from_given(const fs::path& given) {
  for (const fs::path& directory : {given, given / "bin"})
    if (const auto found = look_into(directory)) return *found;
  throw error{fmt::format("{} holds no PostgreSQL server (the programs postgres and initdb)", given.string())};
}

std::string as_list(const std::vector<binaries>& found) {
  std::vector<std::string> lines;
  lines.reserve(found.size());
  for (const binaries& one : found) lines.push_back(fmt::format("{} in {}", one.major, one.directory.string()));
  return fmt::format("{}", fmt::join(lines, ", "));
}

binaries newest(const std::vector<binaries>& found) {
  if (found.empty())
    throw error{
        "no PostgreSQL server is installed in the usual places; install one (Debian: apt-get install postgresql) or "
        "say with --pg-bin where its programs are"};
  return found.front();
}

}  // namespace

std::vector<binaries> installed_binaries() {
  std::vector<binaries> found;
  for (const fs::path& place : usual_places())
    if (const auto one = look_into(place); one && std::ranges::find(found, *one) == found.end()) found.push_back(*one);
  std::ranges::stable_sort(found, std::ranges::greater{}, &binaries::major);
  return found;
}

binaries find_binaries(const std::optional<fs::path>& given, std::optional<int> major) {
  const std::vector<binaries> found = given ? std::vector{from_given(*given)} : installed_binaries();
  binaries best = newest(found);
  if (major) {
    const auto fitting = std::ranges::find(found, *major, &binaries::major);
    if (fitting != found.end()) return *fitting;
    throw error{
        fmt::format("the cluster was made by PostgreSQL {}, but what can be run is {}; install {} or say with --pg-bin "
                    "where it is, "
                    "or give the cluster's data up with `quern dev reset`",
                    *major, as_list(found), *major)};
  }
  if (best.major >= oldest_major) return best;
  throw error{fmt::format("PostgreSQL {} or newer is needed, found {}", oldest_major, as_list(found))};
}

fs::path find_psql(const binaries& server) {
  if (is_program(server.directory / "psql")) return server.directory / "psql";
  if (const auto found = on_path("psql")) return *found;
  throw error{"psql is not installed (Debian: apt-get install postgresql-client)"};
}

}  // namespace cluster
