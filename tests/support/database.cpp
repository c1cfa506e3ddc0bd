#include "support/database.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <quern/sqlstate.hpp>
#include <stdexcept>
#include <thread>

#include "cluster/scratch.hpp"

namespace test {
namespace {

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text)
    encoded += std::isalnum(static_cast<unsigned char>(c)) != 0 ? std::string{c}
                                                                : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return encoded;
}

using keywords = std::map<std::string, std::string, std::less<>>;

keywords parsed(std::string_view url) {
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
      PQconninfoParse(std::string{url}.c_str(), &problem), &PQconninfoFree};
  if (!options) {
    const std::unique_ptr<char, decltype(&PQfreemem)> words{problem, &PQfreemem};
    throw std::invalid_argument{fmt::format("not a connection string: {}", problem == nullptr ? "" : problem)};
  }
  keywords found;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr) found[option->keyword] = option->val;
  return found;
}

std::string with(std::string_view url, std::string_view keyword, std::string_view value) {
  keywords all = parsed(url);
  all[std::string{keyword}] = value;
  std::string made = "postgresql:///?";
  for (const auto& [name, text] : all) made += fmt::format("{}={}&", name, percent_encoded(text));
  made.pop_back();
  return made;
}

}  // namespace

const std::string& server_url() {
  static const std::string url = [] {
    if (const char* const given = std::getenv("QUERN_TEST_DATABASE"); given != nullptr && *given != '\0')
      return std::string{given};
    static const cluster::scratch server;
    return server.url();
  }();
  return url;
}

std::string with_database(std::string_view url, std::string_view name) {
  return with(url, "dbname", name);
}

std::string with_user(std::string_view url, std::string_view name) {
  return with(url, "user", name);
}

std::string with_application(std::string_view url, std::string_view name) {
  return with(url, "application_name", name);
}

std::string with_setting(std::string_view url, std::string_view name, std::string_view value) {
  return with(url, "options", fmt::format("-c {}={}", name, value));
}

database::database() : database{std::string_view{"template0"}} {}

database::database(const database& like) : database{std::string_view{like.name_}} {}

database::database(std::string_view like) {
  static std::atomic<int> count = 0;
  name_ = fmt::format("test_{}_{}", getpid(), ++count);
  url_ = with_database(server_url(), name_);
  quern::connection server{server_url()};
  // A process id comes again: what a killed test has left goes first.
  server.execute(fmt::format("drop database if exists {} with (force)", name_));
  server.execute(fmt::format("create database {} template {}", name_, like));
}

database::~database() {
  try {
    quern::connection{server_url()}.execute(fmt::format("drop database if exists {} with (force)", name_));
  } catch (const quern::error&) {
    // A test that stops the server has no database to drop.
  }
}

void ensure_role(std::string_view name) {
  try {
    quern::connection{server_url()}.execute(fmt::format("create role {} login", quern::quoted_identifier(name)));
  } catch (const quern::database_error& refused) {
    // duplicate_object; unique_violation when another test makes it at the same moment.
    if (refused.sqlstate() != "42710" && refused.sqlstate() != "23505") throw;
  }
}

void wait_until(std::string_view url, std::string_view query) {
  quern::connection watcher{url};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!watcher.execute(query).value<bool>()) {
    if (std::chrono::steady_clock::now() >= end)
      throw std::runtime_error{fmt::format("did not come true within 30 s: {}", query)};
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

}  // namespace test
