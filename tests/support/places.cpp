#include "support/places.hpp"

namespace test {

std::filesystem::path source_dir() {
  return QUERN_SOURCE_DIR;
}

std::filesystem::path program() {
  return QUERN_PROGRAM;
}

std::filesystem::path cases(const std::filesystem::path& room) {
  return source_dir() / "tests" / room / "cases";
}

}  // namespace test
