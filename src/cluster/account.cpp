#include "cluster/account.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "cluster/error.hpp"

namespace cluster {
namespace {

account from_entry(const passwd& entry) {
  return {entry.pw_uid, entry.pw_gid, entry.pw_name};
}

}  // namespace

account server_account() {
  const uid_t caller = geteuid();
  if (caller != 0) {
    const passwd* const entry = getpwuid(caller);
    return entry != nullptr ? from_entry(*entry) : account{caller, getegid(), fmt::format("user {}", caller)};
  }
  for (const char* const name : {"postgres", "nobody"})
    if (const passwd* const entry = getpwnam(name); entry != nullptr && entry->pw_uid != 0) return from_entry(*entry);
  throw error{"PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as"};
}

bool become(const account& owner) noexcept {
  if (geteuid() == owner.user) return true;
  // The groups go first: afterwards there is no right to change them.
  return initgroups(owner.name.c_str(), owner.group) == 0 && setgid(owner.group) == 0 && setuid(owner.user) == 0;
}

bool can_enter(const account& owner, const std::filesystem::path& directory) {
  const pid_t child = fork();
  if (child < 0) throw error{fmt::format("cannot start a process: {}", std::strerror(errno))};
  if (child == 0) _exit(become(owner) && chdir(directory.c_str()) == 0 ? 0 : 1);
  int state = 0;
  while (waitpid(child, &state, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

void make_private_directory(const account& owner, const std::filesystem::path& directory) {
  if (mkdir(directory.c_str(), 0700) == 0) {
    if (chown(directory.c_str(), owner.user, owner.group) == 0) return;
    const std::string reason = std::strerror(errno);
    rmdir(directory.c_str());
    throw error{fmt::format("cannot give {} to {}: {}", directory.string(), owner.name, reason)};
  }
  if (errno != EEXIST) throw error{fmt::format("cannot create {}: {}", directory.string(), std::strerror(errno))};

  struct stat found {};

  if (lstat(directory.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != owner.user)
    throw error{
        fmt::format("{} is in the way: it should be a directory of {}; remove it", directory.string(), owner.name)};
  if ((found.st_mode & 07777) != 0700 && chmod(directory.c_str(), 0700) != 0)
    throw error{fmt::format("cannot close {} to others: {}", directory.string(), std::strerror(errno))};
}

}  // namespace cluster
