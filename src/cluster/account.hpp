#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace cluster {

/// The operating system's user that a server runs as. PostgreSQL refuses to be run by root.
struct account {
  uid_t user = 0;
  gid_t group = 0;
  std::string name;

  bool operator==(const account&) const = default;
};

/// The caller; when that is root, the user `postgres`, or `nobody` where there is none. Throws error when neither
/// exists.
account server_account();

/// For a child process only: takes over the account for good. False when the system does not permit it.
bool become(const account& owner) noexcept;

/// Whether the account may pass through every directory down to this existing one.
bool can_enter(const account& owner, const std::filesystem::path& directory);

/// Makes the directory if it is missing, with mode 0700 and the account as its owner. Throws error when something else
/// stands there: a link, a file, a directory of somebody else.
void make_private_directory(const account& owner, const std::filesystem::path& directory);

}  // namespace cluster
