#pragma once

#include <filesystem>
#include <string>

#include "cluster/account.hpp"

namespace cluster {

/// Where the parts of a private server stand.
struct place {
  std::filesystem::path directory;  // what the user named, absolute: .quern
  std::filesystem::path data;       // the cluster itself
  std::filesystem::path socket;     // the directory of the Unix socket, 0700
  std::filesystem::path log;
  bool is_data_elsewhere = false;  // the server's user cannot reach `directory`

  bool operator==(const place&) const = default;
};

/// The place that belongs to a directory, which has to exist. The socket stands elsewhere when its path were too long
/// for the system or unspeakable for libpq, the data when `owner` cannot pass to `directory`; both then under a name
/// made from the directory's.
place locate(const account& owner, const std::filesystem::path& directory);

/// A connection string (URI) of the server in `where`: database and user postgres.
std::string url_of(const place& where);

}  // namespace cluster
