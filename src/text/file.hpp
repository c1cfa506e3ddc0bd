#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

#include "text/diagnostic.hpp"
#include "text/source.hpp"

namespace text {

/// A file that is larger is no declaration but a mistake.
inline constexpr std::size_t largest_source = std::size_t{16} * 1024 * 1024;

/// A file's content, or why there is none; exactly one of both.
struct file_result {
  std::optional<source> content;
  std::optional<diagnostic>
      problem;       // codes file_not_found, is_directory, permission_denied, file_too_large, unreadable_file
  std::string name;  // the file as the user named it, for spelling the problem
};

/// Reads a file, a pipe or a device, up to `largest_source` bytes; the content is not looked at.
file_result read_source(const std::filesystem::path& path);

}  // namespace text
