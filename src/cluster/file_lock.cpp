#include "cluster/file_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cluster/error.hpp"

namespace cluster {

file_lock::file_lock(const std::filesystem::path& file)
    : file_{open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)} {
  if (file_ < 0) throw error{fmt::format("cannot open {}: {}", file.string(), std::strerror(errno))};
  while (flock(file_, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const int reason = errno;
    close(file_);
    throw error{fmt::format("cannot lock {}: {}", file.string(), std::strerror(reason))};
  }
}

file_lock::~file_lock() {
  close(file_);
}

}  // namespace cluster
