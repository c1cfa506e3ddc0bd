#pragma once

#include <filesystem>
#include <optional>
#include <vector>

namespace cluster {

/// An installed server: the directory that holds postgres and initdb, and its major version.
struct binaries {
  std::filesystem::path directory;
  int major = 0;

  bool operator==(const binaries&) const = default;
};

/// The oldest server that the generated SQL runs on.
inline constexpr int oldest_major = 14;

/// What can be run on this machine, newest first: PATH, what pg_config on the PATH names, and where the packages of
/// the distributions, of the PostgreSQL project, Homebrew and MacPorts put it.
std::vector<binaries> installed_binaries();

/// The binaries to use: those in `given`, else the newest installed ones; of exactly the version `major` if there is
/// one. Throws error that names what was found instead.
binaries find_binaries(const std::optional<std::filesystem::path>& given, std::optional<int> major);

/// The program psql next to the server, else that of the PATH.
std::filesystem::path find_psql(const binaries& server);

}  // namespace cluster
