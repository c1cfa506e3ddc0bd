#include "disk.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <system_error>
#include <thread>

namespace torture {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

void write_line(const char* file, std::string_view line) {
  std::ofstream{file} << line << std::flush;
}

/// Mounts that nobody else sees. Who is not root becomes the only user of a namespace, under the same number.
void leave_mounts() {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) fail("a namespace of its own");
  if (user != 0) {
    write_line("/proc/self/setgroups", "deny");
    write_line("/proc/self/uid_map", fmt::format("{0} {0} 1", user));
    write_line("/proc/self/gid_map", fmt::format("{0} {0} 1", group));
  }
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("mounts of its own");
}

void resize(const fs::path& directory, const std::string& size) {
  if (mount(nullptr, directory.c_str(), nullptr, MS_REMOUNT, ("size=" + size).c_str()) != 0)
    fail("another size of the disk");
}

/// Whoever has files there removes them at the same time.
void take_away(const fs::path& directory) {
  for (int i = 0; i < 600 && !fs::is_empty(directory); ++i) std::this_thread::sleep_for(std::chrono::milliseconds{100});
  umount2(directory.c_str(), MNT_DETACH);
  rmdir(directory.c_str());
}

// Of the machine's memory: it is used only where something is written.
constexpr const char* most = "50%";

}  // namespace

disk::disk(bool is_wanted) {
  try {
    if (is_wanted)
      make();
    else
      reason_ = "the queues are too deep for one in memory";
  } catch (const std::system_error& problem) {
    reason_ = problem.what();
  }
}

void disk::make() {
  leave_mounts();
  std::string name = "/tmp/quern-disk-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) fail("a directory");
  if (mount("tmpfs", name.c_str(), "tmpfs", 0, fmt::format("size={},mode=0711", most).c_str()) != 0) {
    rmdir(name.c_str());
    fail("a disk in memory");
  }
  directory_ = name;
  keeper_.emplace([directory = directory_] { take_away(directory); });
}

void disk::fill(std::uint64_t left) const {
  struct statvfs state {};
  if (statvfs(directory_.c_str(), &state) != 0) fail("the disk");
  // It must not shrink below what is there by then.
  for (std::uint64_t more = left;; more += 65'536) {
    const auto size = (state.f_blocks - state.f_bfree) * state.f_frsize + more;
    try {
      return resize(directory_, std::to_string(size));
    } catch (const std::system_error& problem) {
      if (problem.code().value() != EINVAL || more > left + (std::uint64_t{1} << 30)) throw;
    }
  }
}

void disk::make_room() const {
  resize(directory_, most);
}

}  // namespace torture
