#include "render/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

namespace render {

namespace {

constexpr std::size_t checksum_size = 64;

bool is_conflict_mark(std::string_view line) {
  constexpr std::array<std::string_view, 4> marks{"<<<<<<<", "|||||||", "=======", ">>>>>>>"};
  return std::any_of(marks.begin(), marks.end(), [&](std::string_view mark) { return line.starts_with(mark); });
}

/// A relative path of plain names; `..` and hidden files are none.
bool is_inside(std::string_view path) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '/';
  };
  return !path.empty() && path.front() != '/' && path.front() != '.' && path.back() != '/' &&
         path.find("/.") == std::string_view::npos && path.find("//") == std::string_view::npos &&
         std::all_of(path.begin(), path.end(), is_plain);
}

std::optional<std::pair<std::string, std::string>> read_entry(std::string_view line) {
  if (line.size() < checksum_size + 3 || line.substr(checksum_size, 2) != "  ") return std::nullopt;
  const auto checksum = line.substr(0, checksum_size);
  const auto path = line.substr(checksum_size + 2);
  if (checksum.find_first_not_of("0123456789abcdef") != std::string_view::npos || !is_inside(path)) return std::nullopt;
  return std::pair{std::string{path}, std::string{checksum}};
}

}  // namespace

manifest read_manifest(std::string_view content, const std::filesystem::path& file) {
  manifest result;
  for (std::size_t number = 1; !content.empty(); ++number) {
    const auto end = std::min(content.find('\n'), content.size());
    auto line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || is_conflict_mark(line)) continue;
    auto entry = read_entry(line);
    if (!entry) {
      throw std::runtime_error{
          fmt::format("{}:{}: this is no line that quern writes; delete the directory and generate it again",
                      file.string(), number)};
    }
    result.insert_or_assign(std::move(entry->first), std::move(entry->second));
  }
  return result;
}

std::string write_manifest(const manifest& entries) {
  // Version control merges changes of neighbours only when a line stands between them.
  std::string result;
  for (const auto& [path, checksum] : entries)
    fmt::format_to(std::back_inserter(result), "{}{}  {}\n", result.empty() ? "" : "\n", checksum, path);
  return result;
}

}  // namespace render
