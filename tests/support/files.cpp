#include "support/files.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace test {

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string expected(const std::filesystem::path& file, const std::string& made) {
  if (std::getenv("QUERN_WRITE_EXPECTED") != nullptr && content_of(file) != made) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file, std::ios::binary} << made;
  }
  return content_of(file);
}

}  // namespace test
