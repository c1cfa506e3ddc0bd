#include "render/file_system.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace render::file_system {

namespace {

constexpr std::string_view unfinished_suffix = ".quern-new";

std::string_view advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; make room and run the command again: it goes on where it stopped";
    case EACCES:
    case EPERM:
      return "; who runs the command needs the right to write there";
    case EROFS:
      return "; choose another directory with --out or --migrations";
    default:
      return "";
  }
}

[[noreturn]] void fail(std::string_view what, const fs::path& path, int error) {
  throw std::runtime_error{fmt::format("cannot {} {}: {}{}", what, path.string(), std::strerror(error), advice(error))};
}

/// A file descriptor that closes itself.
class descriptor {
 public:
  explicit descriptor(int number) : number_{number} {}

  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int get() const { return number_; }

  /// Errors of a write may come as late as here.
  bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

fs::path unfinished(const fs::path& path) {
  return path.parent_path() / fmt::format(".{}{}", path.filename().string(), unfinished_suffix);
}

/// Gives 0 or the number of the error.
int write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const auto count = ::write(file, content.data(), content.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace

kind kind_of(const fs::path& path) {
  struct stat status {};

  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return kind::missing;
    fail("look at", path, errno);
  }
  if (S_ISREG(status.st_mode)) return kind::regular;
  return S_ISDIR(status.st_mode) ? kind::directory : kind::other;
}

std::optional<std::string> read(const fs::path& path) {
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    fail("read", path, errno);
  }

  struct stat status {};

  if (::fstat(file.get(), &status) != 0) fail("read", path, errno);
  if (S_ISDIR(status.st_mode)) fail("read", path, EISDIR);
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const auto count = ::read(file.get(), content.data() + size, content.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path, errno);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  content.resize(size);
  return content;
}

void write(const fs::path& path, std::string_view content) {
  const auto temporary = unfinished(path);
  descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666)};
  if (file.get() < 0) fail("write", path, errno);
  auto error = write_all(file.get(), content);
  if (!file.close() && error == 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    fail("write", path, error);
  }
}

void remove_unfinished(const fs::path& path) {
  ::unlink(unfinished(path).c_str());
}

bool is_unfinished(const fs::path& name) {
  const auto text = name.filename().string();
  return text.starts_with('.') && text.ends_with(unfinished_suffix);
}

void remove(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail("remove", path, errno);
}

void remove_if_empty(const fs::path& directory) {
  ::rmdir(directory.c_str());
}

void make_directory(const fs::path& directory) {
  if (::mkdir(directory.c_str(), 0777) == 0) return;
  if (errno == ENOENT && directory.has_parent_path() && directory.parent_path() != directory) {
    make_directory(directory.parent_path());
    if (::mkdir(directory.c_str(), 0777) == 0) return;
  }
  const auto error = errno;
  if (error != EEXIST || !fs::is_directory(directory)) {
    fail("make the directory", directory, error == EEXIST ? ENOTDIR : error);
  }
}

directory_lock::directory_lock(const fs::path& directory)
    : descriptor_{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)} {
  if (descriptor_ < 0) fail("open the directory", directory, errno);
  // Network file systems may not lock directories. Then two runs at once are not kept apart; that is no reason to
  // refuse one.
  while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

directory_lock::directory_lock(directory_lock&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}

directory_lock::~directory_lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace render::file_system
