#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

/// A project of its own with so many queues, in a directory that is made afresh.
class many_queues {
 public:
  many_queues(const std::filesystem::path& directory, int count);

  /// Removes everything that was generated.
  void clear() const;

  /// What `quern generate` is called with, and what stands behind it.
  std::vector<std::string> generate(const std::vector<std::string>& more = {}) const;

  std::filesystem::path migrations() const { return directory_ / "migrations"; }

  /// How many files were generated.
  std::size_t file_count() const;

 private:
  std::filesystem::path directory_;
};

}  // namespace bench
