#include "cli/private_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <quern/connection.hpp>

#include "cli/terminal.hpp"
#include "cluster/error.hpp"

namespace cli {
namespace {

bool is_set(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool libpq_is_told() {
  constexpr std::array variables{"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE"};
  return std::ranges::any_of(variables, is_set);
}

// A server that may not be looked at is another user's: not the one that is meant.
std::optional<std::string> running_here() try {
  const cluster::state server = cluster::look(private_directory);
  return server.postmaster ? std::optional{server.url} : std::nullopt;

} catch (const cluster::error&) {
  return std::nullopt;
}

// Also when it was named by its URL, as `quern dev url` prints it.
bool is_private(const std::string& url) {
  return !url.empty() && running_here() == url;
}

}  // namespace

database choose_database(const std::optional<std::string>& given) {
  if (given) return {*given, is_private(*given)};
  if (const std::string named = quern::from_environment(); !named.empty()) return {named, is_private(named)};
  if (libpq_is_told()) return {};
  const std::optional<std::string> here = running_here();
  if (!here) return {};
  tell(fmt::format("using the private server in {}", private_directory));
  return {*here, true};
}

}  // namespace cli
