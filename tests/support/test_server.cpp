// The one PostgreSQL server that all tests of a CTest run share: each file of tests is a process of its own, and would
// otherwise start its own server.
//
//   test_server start DIR   makes a server in DIR and writes its URL to DIR.url
//   test_server stop DIR    ends it and removes DIR

#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>

#include "cluster/error.hpp"
#include "cluster/server.hpp"

namespace {

namespace fs = std::filesystem;

fs::path url_file(const fs::path& directory) {
  return directory.string() + ".url";
}

void stop(const fs::path& directory) {
  fs::remove(url_file(directory));
  cluster::destroy(directory);
  fs::remove_all(directory);
}

void start(const fs::path& directory) {
  stop(directory);  // what a run that was killed has left
  cluster::options how;
  how.directory = directory;
  how.is_throw_away = true;
  how.settings = {{"max_connections", "200"}};
  const auto server = cluster::start(how);
  std::ofstream file{url_file(directory)};
  file << server.url << '\n';
  if (!file.flush()) throw cluster::error{"cannot write " + url_file(directory).string()};
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view verb{count == 3 ? arguments[1] : ""};
  try {
    if (verb == "start")
      start(arguments[2]);
    else if (verb == "stop")
      stop(arguments[2]);
    else {
      std::cerr << "usage: test_server start|stop DIR\n";
      return 2;
    }
  } catch (const std::exception& error) {
    std::cerr << "test_server: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
