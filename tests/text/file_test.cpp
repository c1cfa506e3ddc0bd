#include "text/file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "support/catch.hpp"

namespace {

/// A directory that goes away with the test.
class scratch {
 public:
  scratch() {
    std::string form = (std::filesystem::temp_directory_path() / "quern text XXXXXX").string();
    REQUIRE(mkdtemp(form.data()) != nullptr);
    path_ = form;
  }

  ~scratch() { std::filesystem::remove_all(path_); }

  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string spelled(const text::file_result& result) {
  REQUIRE(result.problem);
  CHECK_FALSE(result.content);
  const auto spelled = text::spell(*result.problem, {result.name, ""});
  return spelled.substr(spelled.find(": error: ") + 2);
}

}  // namespace

TEST_CASE("a file is read with every byte and keeps the name that it was asked for by") {
  const scratch dir;
  const std::string content("a\r\n\0\xFF", 5);
  const auto path = dir.write("a file.toml", content);
  const auto result = text::read_source(path);
  REQUIRE(result.content);
  CHECK(result.content->content == content);
  CHECK(result.content->name == path.string());
}

TEST_CASE("an empty file is a source without content") {
  const scratch dir;
  CHECK(text::read_source(dir.write("empty", "")).content->content.empty());
}

TEST_CASE("a file that is not there is said to be missing") {
  const scratch dir;
  CHECK(spelled(text::read_source(dir / "none.toml")) == "error: there is no such file [file_not_found]\n");
  CHECK(spelled(text::read_source(dir.write("file", "") / "below")) ==
        "error: there is no such file [file_not_found]\n");
}

TEST_CASE("a directory is not read") {
  const scratch dir;
  CHECK(spelled(text::read_source(dir.path())) == "error: this is a directory, not a file [is_directory]\n");
}

TEST_CASE("a file that may not be read is said to be refused") {
  const scratch dir;
  const auto path = dir.write("secret", "x");
  std::filesystem::permissions(path, std::filesystem::perms::none);
  // Root may read every file: the test then looks at it as somebody else.
  constexpr uid_t nobody = 65534;
  const bool is_root = geteuid() == 0;
  if (is_root) REQUIRE(seteuid(nobody) == 0);
  const auto result = text::read_source(path);
  if (is_root) REQUIRE(seteuid(0) == 0);
  CHECK(spelled(result) == "error: the file may not be read: permission denied [permission_denied]\n");
}

TEST_CASE("a link that leads to itself is said to be unreadable") {
  const scratch dir;
  std::filesystem::create_symlink("loop", dir / "loop");
  CHECK(spelled(text::read_source(dir / "loop")) ==
        "error: the file cannot be read: Too many levels of symbolic links [unreadable_file]\n");
}

TEST_CASE("100 MB are refused before they are read") {
  const scratch dir;
  const auto path = dir.write("large", "");
  std::filesystem::resize_file(path, 100U << 20U);
  CHECK(spelled(text::read_source(path)) ==
        "error: the file is larger than 16 MB, the most that is read [file_too_large]\n");
}

TEST_CASE("a file of just the largest size is read, one byte more is not") {
  const scratch dir;
  const auto path = dir.write("large", "");
  std::filesystem::resize_file(path, text::largest_source);
  CHECK(text::read_source(path).content);
  std::filesystem::resize_file(path, text::largest_source + 1);
  CHECK(text::read_source(path).problem);
}

TEST_CASE("a device without end is refused when it has given too much") {
  CHECK(spelled(text::read_source("/dev/zero")) ==
        "error: the file is larger than 16 MB, the most that is read [file_too_large]\n");
}

TEST_CASE("a pipe is read to its end") {
  const scratch dir;
  const auto path = dir / "pipe";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(path) << "through a pipe"; });
  const auto result = text::read_source(path);
  writer.join();
  REQUIRE(result.content);
  CHECK(result.content->content == "through a pipe");
}
