#pragma once

#include <optional>
#include <quern/connection.hpp>
#include <string>

#include "cluster/keeper.hpp"

namespace cluster {

/// Whether the user of a connection may create databases there, and the server lets them be made: it may be read-only.
bool may_create_databases(quern::connection& db);

/// An empty database for a while, on a server that is there for other purposes too. It is dropped, with the sessions on
/// it, when this object ends or the process does, however that ends. What is left over when the machine fails is
/// removed by the next one that is made on the server: a name of this form, a comment that says so, and nobody who
/// holds its lock.
class scratch_database {
 public:
  /// `server` is any database of it, in any form that libpq takes; the new one has its encoding and locale.
  /// Throws quern::error, error.
  explicit scratch_database(const std::string& server);
  scratch_database(const scratch_database&) = delete;
  scratch_database& operator=(const scratch_database&) = delete;

  const std::string& name() const { return name_; }

  /// What libpq takes.
  const std::string& url() const { return url_; }

 private:
  std::string name_;
  std::string url_;
  std::optional<keeper> keeper_;              // behind the session in time: what that is doing ends first
  std::optional<quern::connection> session_;  // holds the lock that says that the database is in use
};

}  // namespace cluster
