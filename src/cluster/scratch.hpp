#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/keeper.hpp"
#include "cluster/server.hpp"

namespace cluster {

/// A throw-away server in a directory of its own, under /tmp unless it is told otherwise. It ends, and the directory
/// goes, with this object or with the process, however that ends: a keeper process waits for it.
class scratch {
 public:
  using setting_list = std::vector<std::pair<std::string, std::string>>;

  /// Makes the cluster and starts its server, with further settings of postgresql.conf. Throws error.
  explicit scratch(setting_list settings = {}, const std::filesystem::path& parent = "/tmp");
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  /// A URI for libpq; stays the same when the server is started again.
  const std::string& url() const { return state_.url; }

  /// Where the cluster is: a test may put files there while the server is stopped.
  const std::filesystem::path& data() const { return state_.data; }

  /// The directory that the server was made in, to be looked at by other means.
  const std::filesystem::path& directory() const { return options_.directory; }

  /// The server process, 0 while it is stopped.
  pid_t postmaster() const { return state_.postmaster.value_or(0); }

  void stop(shutdown how = shutdown::fast);

  /// Starts the server again after stop() or after it was killed; with other settings than before.
  void start(setting_list settings = {});

 private:
  options options_;
  state state_;
  std::optional<keeper> keeper_;
};

}  // namespace cluster
