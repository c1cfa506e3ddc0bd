#include "cli/depfile.hpp"

#include <fmt/format.h>

#include <string>

#include "render/file_system.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

// A name as Make and Ninja read it.
std::string escaped(const fs::path& file) {
  std::string result;
  for (const char c : file.string()) {
    if (c == ' ' || c == '#') result += '\\';
    if (c == '$') result += '$';
    result += c;
  }
  return result;
}

}  // namespace

void write_depfile(const fs::path& file, const std::vector<fs::path>& inputs) {
  fs::path target = file;
  if (target.extension() == ".d") target.replace_extension();
  std::string text = escaped(target) + ":";
  for (const fs::path& input : inputs) text += fmt::format(" \\\n  {}", escaped(fs::absolute(input)));
  render::file_system::write(file, text + "\n");
}

}  // namespace cli
