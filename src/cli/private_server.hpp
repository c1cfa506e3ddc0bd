#pragma once

#include <optional>
#include <string>

#include "cluster/server.hpp"

namespace cli {

/// Where `quern dev` keeps the private server of the current directory.
inline constexpr const char* private_directory = ".quern";

/// Which database a command works on.
struct database {
  std::string url;                 // for libpq; empty: libpq's own environment
  bool is_private_server = false;  // of `quern dev`: what is missing on it may be made
};

/// `given` (--database) if it is there, else QUERN_DATABASE, else libpq's environment when it says anything of where
/// the database is, else the private server of the current directory if it runs, which is then said on standard error.
database choose_database(const std::optional<std::string>& given);

}  // namespace cli
