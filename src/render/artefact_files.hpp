#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "render/artefacts.hpp"
#include "render/file_system.hpp"

/// What generated files and migrations have in common on the disk.
namespace render {

/// `a directory` and so on, for what stands where a file belongs.
std::string_view name_of(file_system::kind is);

/// The directories between a root and the files below it, which must be real ones: a link would lead out of the root.
class inner_directories {
 public:
  explicit inner_directories(std::filesystem::path root);

  /// The first directory on the way to the file that is none.
  std::optional<std::filesystem::path> obstacle(const std::filesystem::path& relative);

 private:
  std::filesystem::path root_;
  std::unordered_map<std::string, file_system::kind> known_;
};

/// Writes what is added or changed.
void write_texts(const std::vector<file_change>& changes);

/// Removes files, and the directories that they leave empty.
void remove_files(const std::vector<file_change>& changes, const std::filesystem::path& root);

}  // namespace render
