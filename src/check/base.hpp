#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include "contract/lock.hpp"
#include "text/source.hpp"

namespace check {

/// What a change is compared with: nothing of it may be changed any more.
struct base {
  std::string name{};          // as the caller knows it: origin/main
  text::source lock_source{};  // named `origin/main:migrations/quern.lock`
  contract::lock lock{};       // one without lines where the base has none
  bool has_lock = false;
  std::optional<std::map<std::string, std::string>> hooks{};  // name → text; nothing when only a lock is known
};

/// Why there is no base to compare with, in words for the caller.
class base_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads a base: a lock file, a directory of a project or of its migrations, or a commit of the git repository in which
/// the migrations lie; what exists as a file or directory with a lock is taken as such. Throws base_error.
base read_base(const std::string& against, const std::filesystem::path& migrations);

/// The same of a commit, whatever else has that name.
base read_commit(const std::string& name, const std::filesystem::path& migrations);

/// The hooks below a directory of migrations: name → text.
std::map<std::string, std::string> hooks_below(const std::filesystem::path& migrations);

}  // namespace check
