#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

/// The direction of the house, held against the lines of the sources: who may include whom and what.
namespace arrows {

/// A line that breaks a rule, as `src/render/x.cpp:3: why`.
using violation = std::string;

/// For each room the rooms below it, as src/CMakeLists.txt links them (and what those link in turn).
std::map<std::string, std::set<std::string>> read_rooms(const std::filesystem::path& cmake_file);

/// Every violation in `src`, a folder that has the rooms and their CMakeLists.txt, sorted by file and line.
std::vector<violation> check(const std::filesystem::path& src);

}  // namespace arrows
