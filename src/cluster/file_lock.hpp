#pragma once

#include <filesystem>

namespace cluster {

/// Holds a file against other processes that do the same until it goes out of scope; waits for its turn. The lock dies
/// with the process and does not pass to programs that it starts.
class file_lock {
 public:
  /// Creates the file if it is missing. Throws error when that is not permitted.
  explicit file_lock(const std::filesystem::path& file);
  ~file_lock();
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;

 private:
  int file_;
};

}  // namespace cluster
