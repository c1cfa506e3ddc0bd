#include "text/file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>

namespace text {
namespace {

struct file_closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

using file_handle = std::unique_ptr<std::FILE, file_closer>;

diagnostic problem(std::string code, std::string message, std::string help = {}) {
  return {severity::error, std::move(code), std::move(message), {}, std::move(help), {}};
}

diagnostic problem_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return problem("file_not_found", "there is no such file");
    case EACCES:
    case EPERM:
      return problem("permission_denied", "the file may not be read: permission denied");
    case EISDIR:
      return problem("is_directory", "this is a directory, not a file");
    default:
      return problem("unreadable_file", fmt::format("the file cannot be read: {}", std::strerror(error)));
  }
}

diagnostic too_large() {
  return problem("file_too_large",
                 fmt::format("the file is larger than {} MB, the most that is read", largest_source / 1024 / 1024));
}

/// The size of a regular file is known before it is read; a pipe is read until it has given too much.
bool is_known_too_large(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) &&
         std::filesystem::file_size(path, ignored) > largest_source && !ignored;
}

}  // namespace

file_result read_source(const std::filesystem::path& path) {
  file_result result{{}, {}, path.string()};
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return result.problem = problem_of(EISDIR), result;
  if (is_known_too_large(path)) return result.problem = too_large(), result;
  const file_handle file(std::fopen(path.c_str(), "rb"));
  if (!file) return result.problem = problem_of(errno), result;

  std::string content;
  std::array<char, 65536> buffer{};
  while (const auto count = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    content.append(buffer.data(), count);
    if (content.size() > largest_source) return result.problem = too_large(), result;
  }
  if (std::ferror(file.get()) != 0) return result.problem = problem_of(errno), result;
  result.content = source{result.name, std::move(content)};
  return result;
}

}  // namespace text
