#include "cli/difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.hpp"
#include "render/file_system.hpp"

namespace cli {
namespace {

using lines = std::vector<std::string_view>;

lines lines_of(std::string_view text) {
  lines result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    result.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

void say_lines(std::string_view mark, const lines& all, std::size_t begin, std::size_t end, bool is_new) {
  constexpr std::size_t most = 6;
  for (auto i = begin; i < std::min(end, begin + most); ++i) {
    const auto line = fmt::format("  {}{}", mark, all[i]);
    say(is_new ? green(line, stream::output) : red(line, stream::output));
  }
  if (end > begin + most) say(dim(fmt::format("  {}… {} lines more", mark, end - begin - most), stream::output));
}

/// The stretch between the first and the last line that differ.
void say_lines_between(const std::string& before, const std::string& after) {
  const auto old_lines = lines_of(before);
  const auto new_lines = lines_of(after);
  const auto least = std::min(old_lines.size(), new_lines.size());
  std::size_t head = 0;
  while (head < least && old_lines[head] == new_lines[head]) ++head;
  std::size_t tail = 0;
  while (tail < least - head && old_lines[old_lines.size() - 1 - tail] == new_lines[new_lines.size() - 1 - tail])
    ++tail;
  say(dim(fmt::format("  line {}:", head + 1), stream::output));
  say_lines("-", old_lines, head, old_lines.size() - tail, false);
  say_lines("+", new_lines, head, new_lines.size() - tail, true);
}

}  // namespace

void say_difference(const render::file_change& change) {
  switch (change.kind) {
    case render::change_kind::add:
      say(fmt::format("missing: {}", change.file.string()));
      break;
    case render::change_kind::remove:
      say(fmt::format("left over: {}", change.file.string()));
      break;
    case render::change_kind::change:
      say(fmt::format("differs: {}", change.file.string()));
      say_lines_between(render::file_system::read(change.file).value_or(""), *change.text);
      break;
  }
}

}  // namespace cli
