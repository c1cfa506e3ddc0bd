#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace render {

/// What Quern has written below generated/: path → SHA-256. Kept there in the form of `sha256sum`, so that a file is
/// known as ours only while nobody has changed it.
using manifest = std::map<std::string, std::string, std::less<>>;

/// Throws std::runtime_error, naming the file, for a line that is neither an entry nor the mark of a merge conflict
/// (both sides' entries are ours), and for a path that leads out of the directory.
manifest read_manifest(std::string_view content, const std::filesystem::path& file);

std::string write_manifest(const manifest& entries);

}  // namespace render
