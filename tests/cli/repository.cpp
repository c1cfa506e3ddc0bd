#include "cli/repository.hpp"

#include "support/catch.hpp"

namespace test {

repository::repository() {
  must_git({"init", "-q", "-b", "main"});
  // The desk's own.
  desk_.write(".git/info/exclude", "/.out\n/.err\n/.quern/\n");
}

repository::repository(const repository& origin) : repository{} {
  must_git({"remote", "add", "origin", origin.desk_.root().string()});
  must_git({"fetch", "-q", "origin"});
  must_git({"reset", "-q", "--hard", "origin/main"});
}

std::map<std::string, std::string> repository::environment() {
  return {{"GIT_CONFIG_GLOBAL", "/dev/null"},
          {"GIT_CONFIG_NOSYSTEM", "1"},
          {"GIT_EDITOR", "true"},
          {"GIT_AUTHOR_NAME", "Ada"},
          {"GIT_AUTHOR_EMAIL", "ada@example.org"},
          {"GIT_COMMITTER_NAME", "Ada"},
          {"GIT_COMMITTER_EMAIL", "ada@example.org"}};
}

outcome repository::git(const std::vector<std::string>& arguments) const {
  std::vector<std::string> words{"git"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return desk_.run(words, environment());
}

std::string repository::must_git(const std::vector<std::string>& arguments) const {
  auto ended = git(arguments);
  INFO(arguments.front());
  INFO(ended.out);
  INFO(ended.err);
  REQUIRE(ended.exit_code == 0);
  if (ended.out.ends_with('\n')) ended.out.pop_back();
  return ended.out;
}

outcome repository::must_quern(const std::vector<std::string>& arguments) const {
  auto ended = quern(arguments);
  INFO(arguments.front());
  INFO(ended.out);
  INFO(ended.err);
  REQUIRE(ended.exit_code == 0);
  return ended;
}

void repository::commit(const std::string& subject) const {
  must_git({"add", "-A"});
  must_git({"commit", "-q", "-m", subject});
}

void repository::edit(const std::string& file, const std::string& before, const std::string& after) const {
  auto text = desk_.read(file);
  INFO(text);
  const auto place = text.find(before);
  REQUIRE(place != std::string::npos);
  REQUIRE(text.find(before, place + 1) == std::string::npos);
  desk_.write(file, text.replace(place, before.size(), after));
}

}  // namespace test
