#include "cli/standard_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <initializer_list>

namespace cli {

void occupy_standard_files() noexcept {
  // In their order: what is opened gets the lowest number that is free. It is opened for what nobody does with it.
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(file, F_GETFD) < 0) open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

}  // namespace cli
