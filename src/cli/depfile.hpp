#pragma once

#include <filesystem>
#include <vector>

namespace cli {

/// Writes what was read as a rule of Make or Ninja, whose target is the file's own name without `.d`.
void write_depfile(const std::filesystem::path& file, const std::vector<std::filesystem::path>& inputs);

}  // namespace cli
