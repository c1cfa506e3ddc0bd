#pragma once

#include <filesystem>
#include <string>

#include "scene.hpp"

namespace bench {

/// A private server that keeps what it is given as one in production does (fsync, synchronous_commit and
/// full_page_writes are on), with room for a million messages. It ends, and its directory goes, with this object.
class private_server {
 public:
  /// What a killed run has left in the directory goes first. Throws cluster::error.
  explicit private_server(const std::filesystem::path& directory);
  private_server(const private_server&) = delete;
  private_server& operator=(const private_server&) = delete;
  ~private_server();

  const std::string& url() const { return url_; }

 private:
  std::filesystem::path directory_;
  std::string url_;
};

/// `url` with another database.
std::string with_database(const std::string& url, const std::string& name);

/// Generates the migrations of bench/quern.toml, applies them and makes the table that is the limit.
void prepare_database(const scene& where);

}  // namespace bench
