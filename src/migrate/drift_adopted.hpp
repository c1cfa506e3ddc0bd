#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "migrate/drift.hpp"

namespace migrate {

/// Differences that somebody has called intended: by object, the digest of its definition when that was said, or
/// `absent`. Kept as migrations/adopted.json.
using adoptions = std::map<std::string, std::string>;

inline constexpr const char* adoptions_file = "adopted.json";

/// What is to be remembered of a difference's object.
std::string digest_of(const difference& one);

/// The one spelling of the file: sorted, an object a line.
std::string spell(const adoptions& adopted);

/// Empty when the file does not exist. Throws error for what is no such file.
adoptions read_adoptions(const std::filesystem::path& file);

/// Writes the file, or removes it when nothing is adopted; the old one stays whole when that fails. Throws error.
void write_adoptions(const std::filesystem::path& file, const adoptions& adopted);

/// Differences in the light of what was adopted.
struct judgement {
  std::vector<difference> open;       // those that nobody has adopted
  std::vector<std::string> honoured;  // objects whose differences are adopted
  std::vector<std::string> outdated;  // objects in `open` that were adopted at another definition
  std::vector<std::string> idle;      // adopted objects that do not differ any more
  bool operator==(const judgement&) const = default;
};

judgement judge(const std::vector<difference>& differences, const adoptions& adopted);

}  // namespace migrate
