#include "history.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <system_error>

namespace torture {

micros now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return micros{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
}

history::history(const std::filesystem::path& file)
    : file_{open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)} {
  if (file_ < 0) throw std::system_error{errno, std::generic_category(), file.string()};
}

history::~history() {
  close(file_);
}

void history::flush() {
  // One call, so that a kill leaves whole lines.
  if (write(file_, lines_.data(), lines_.size()) != static_cast<ssize_t>(lines_.size()))
    throw std::system_error{errno, std::generic_category(), "a history cannot be written"};
  lines_.clear();
}

}  // namespace torture
