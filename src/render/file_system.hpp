#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// The few things that are done to files. Failures are std::runtime_error with words that name the file and say what
/// can be done.
namespace render::file_system {

namespace fs = std::filesystem;

enum class kind { missing, regular, directory, other };

/// What stands at the path; a symbolic link is `other`.
kind kind_of(const fs::path& path);

/// The content of a regular file; nothing when there is none.
std::optional<std::string> read(const fs::path& path);

/// Makes the file appear with that content, whole or not at all. Its directory must exist.
void write(const fs::path& path, std::string_view content);

/// Removes what an interrupted `write` of the path has left.
void remove_unfinished(const fs::path& path);

/// Is that the name of a file that an interrupted `write` has left?
bool is_unfinished(const fs::path& name);

void remove(const fs::path& path);

/// Removes the directory if it is empty.
void remove_if_empty(const fs::path& directory);

/// Makes the directory and those above it.
void make_directory(const fs::path& directory);

/// Keeps other processes that lock the same directory out, until it is destroyed. Waits for them.
class directory_lock {
 public:
  /// The directory must exist.
  explicit directory_lock(const fs::path& directory);
  directory_lock(directory_lock&& other) noexcept;
  directory_lock& operator=(directory_lock&&) = delete;
  ~directory_lock();

 private:
  int descriptor_;
};

}  // namespace render::file_system
