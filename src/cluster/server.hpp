#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cluster {

/// How a private server is made and started.
struct options {
  std::filesystem::path directory;                // holds everything; made when it is missing
  std::optional<std::filesystem::path> programs;  // the directory of postgres and initdb; nothing: the installed ones
  bool is_throw_away = false;                     // may lose its data when the machine fails, and is faster for it
  std::vector<std::pair<std::string, std::string>> settings{};  // further ones of postgresql.conf, for this run
  std::function<void(std::string_view)> progress{};             // is told, in words, what takes long
};

/// What there is in a directory.
struct state {
  bool is_made = false;               // there is a cluster
  std::optional<pid_t> postmaster{};  // the running server
  std::string url{};                  // a URI for libpq; valid while the server runs
  std::filesystem::path data{};
  std::filesystem::path log{};
  bool is_data_elsewhere = false;
  std::optional<int> major{};  // the version that made the cluster
};

/// Makes the cluster if there is none, starts its server if it does not run, and returns when it takes connections.
/// What a crash has left is cleared away. Callers at the same time wait for each other and see one server.
/// Throws error, with the end of the server's log where that says why.
state start(const options& how);

/// How the server ends: `fast` rolls open transactions back and writes everything out, `immediate` is as good as a
/// crash, from which the next start recovers.
enum class shutdown { fast, immediate };

/// Ends the server and returns when it is gone; false when it did not run.
bool stop(const std::filesystem::path& directory, shutdown how = shutdown::fast);

/// Looks without changing anything; the directory need not exist.
state look(const std::filesystem::path& directory);

/// Ends the server and removes the cluster with all its data. What else is in the directory stays.
void destroy(const std::filesystem::path& directory);

}  // namespace cluster
