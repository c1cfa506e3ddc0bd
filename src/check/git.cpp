#include "check/git.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "check/base.hpp"
#include "check/program.hpp"

namespace check {
namespace {

namespace fs = std::filesystem;

program_outcome git(const fs::path& directory, const std::vector<std::string>& arguments,
                    const std::string& input = {}) {
  std::vector<std::string> words{"git", "-C", directory.string(), "--no-optional-locks"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  try {
    return run_program(words, input);
  } catch (const std::system_error& failed) {
    if (failed.code().value() == ENOENT)
      throw base_error{
          "the program `git` is not installed: --against needs it for a commit; a lock file or a "
          "directory does without"};
    throw base_error{fmt::format("the program `git` cannot be started: {}", failed.code().message())};
  }
}

std::string without_line_end(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

/// git's own words, without its "fatal: ".
std::string words_of(const program_outcome& failed) {
  std::string_view words = failed.err;
  if (words.starts_with("fatal: ")) words.remove_prefix(7);
  return without_line_end(std::string{words});
}

/// The directory, or the nearest one above it that there is.
fs::path existing(fs::path directory) {
  directory = fs::absolute(directory).lexically_normal();
  while (!fs::is_directory(directory) && directory.has_relative_path()) directory = directory.parent_path();
  return directory;
}

fs::path root_of(const fs::path& directory) {
  const program_outcome asked = git(directory, {"rev-parse", "--show-toplevel"});
  if (asked.exit_code != 0)
    throw base_error{fmt::format("{} is in no git repository: {}", directory.string(), words_of(asked))};
  return without_line_end(asked.out);
}

std::string commit_of(const std::string& revision, const fs::path& root) {
  // git would take it for an option; no name of a commit begins like that.
  if (revision.starts_with('-')) throw base_error{fmt::format("`{}` is no commit", revision)};
  const program_outcome asked = git(root, {"rev-parse", "--verify", "--quiet", revision + "^{commit}"});
  if (asked.exit_code == 0) return without_line_end(asked.out);
  const bool is_shallow = git(root, {"rev-parse", "--is-shallow-repository"}).out == "true\n";
  const std::size_t slash = revision.find('/');
  const std::string fetch = slash == std::string::npos
                                ? fmt::format("git fetch origin {0}:{0}", revision)
                                : fmt::format("git fetch {} {}", revision.substr(0, slash), revision.substr(slash + 1));
  throw base_error{
      fmt::format("git knows no commit `{}` here{}; get it with `{}`, and in GitHub Actions with "
                  "`fetch-depth: 0` for actions/checkout",
                  revision, is_shallow ? ": this is a shallow clone" : "", fetch)};
}

struct blob {
  std::string path{};  // below the directory
  std::string id{};
};

/// `<mode> <type> <id>\t<path>`, each ended by a NUL.
std::vector<blob> blobs_of(std::string_view listed, std::string_view prefix) {
  std::vector<blob> blobs;
  while (!listed.empty()) {
    const std::size_t end = std::min(listed.find('\0'), listed.size());
    const std::string_view entry = listed.substr(0, end);
    listed.remove_prefix(std::min(end + 1, listed.size()));
    const std::size_t tab = entry.find('\t');
    if (tab == std::string_view::npos || !entry.substr(0, tab).starts_with("100")) continue;
    const std::string_view path = entry.substr(tab + 1);
    const std::string_view id = entry.substr(0, tab).substr(entry.substr(0, tab).rfind(' ') + 1);
    if (path.starts_with(prefix)) blobs.push_back({std::string{path.substr(prefix.size())}, std::string{id}});
  }
  return blobs;
}

/// `<id> blob <size>\n<content>\n`, one after another.
std::vector<std::string> contents_of(std::string_view batch) {
  std::vector<std::string> contents;
  while (!batch.empty()) {
    const std::size_t end = batch.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view head = batch.substr(0, end);
    const std::string_view digits = head.substr(std::min(head.rfind(' ') + 1, head.size()));
    std::size_t size = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), size);
    if (read.ec != std::errc{} || end + 1 + size > batch.size()) break;
    contents.emplace_back(batch.substr(end + 1, size));
    batch.remove_prefix(std::min(end + 2 + size, batch.size()));
  }
  return contents;
}

}  // namespace

git_tree open_git_tree(const std::string& revision, const fs::path& directory) {
  const fs::path root = root_of(existing(directory));
  git_tree made{root, commit_of(revision, root), {}};
  const fs::path below = fs::weakly_canonical(directory).lexically_relative(fs::canonical(root));
  if (below.empty() || *below.begin() == "..")
    throw base_error{fmt::format("{} lies outside of the git repository {}", directory.string(), root.string())};
  if (below != ".") made.path = below.generic_string();
  return made;
}

std::map<std::string, std::string> read_git_files(const git_tree& tree,
                                                  const std::function<bool(const std::string&)>& is_wanted) {
  const std::string prefix = tree.path.empty() ? "" : tree.path + "/";
  std::vector<std::string> arguments{"ls-tree", "-r", "-z", "--full-tree", tree.commit};
  if (!tree.path.empty()) arguments.insert(arguments.end(), {"--", prefix});
  const program_outcome listed = git(tree.root, arguments);
  if (listed.exit_code != 0)
    throw base_error{fmt::format("git cannot list the files of {}: {}", tree.commit, words_of(listed))};
  std::vector<blob> blobs = blobs_of(listed.out, prefix);
  std::erase_if(blobs, [&](const blob& one) { return !is_wanted(one.path); });
  if (blobs.empty()) return {};
  std::string ids;
  for (const blob& one : blobs) ids += one.id + "\n";
  const program_outcome read = git(tree.root, {"cat-file", "--batch"}, ids);
  std::vector<std::string> contents = contents_of(read.out);
  if (read.exit_code != 0 || contents.size() != blobs.size())
    throw base_error{fmt::format("git cannot read the files of {}: {}", tree.commit, words_of(read))};
  std::map<std::string, std::string> files;
  for (std::size_t i = 0; i < blobs.size(); ++i) files.emplace(blobs[i].path, std::move(contents[i]));
  return files;
}

bool is_merged(const git_tree& tree) {
  const auto contains = [&](const std::string& head) {
    return git(tree.root, {"merge-base", "--is-ancestor", tree.commit, head}).exit_code == 0;
  };
  return contains("HEAD") || contains("MERGE_HEAD");
}

}  // namespace check
