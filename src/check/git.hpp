#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace check {

/// A directory as it was in a commit.
struct git_tree {
  std::filesystem::path root{};  // of the work tree
  std::string commit{};          // its whole hash
  std::string path{};            // of the directory in it; empty for the root
};

/// Finds the commit in the repository that the directory lies in, through the program `git`. The directory need not
/// exist. Throws base_error: git is missing, there is no repository, or no such commit.
git_tree open_git_tree(const std::string& revision, const std::filesystem::path& directory);

/// The contents of the files whose path below the directory is wanted. Throws base_error.
std::map<std::string, std::string> read_git_files(const git_tree& tree,
                                                  const std::function<bool(const std::string&)>& is_wanted);

/// Whether what is checked out contains the commit, or is being merged with one that does. Throws base_error.
bool is_merged(const git_tree& tree);

}  // namespace check
