#include "text/source.hpp"

#include <algorithm>

namespace text {

line_index::line_index(std::string_view content) : content_(content), starts_{0} {
  for (auto end = content.find('\n'); end != std::string_view::npos; end = content.find('\n', end + 1)) {
    starts_.push_back(end + 1);
  }
}

std::string_view line_index::line(std::size_t number) const {
  if (number == 0 || number > starts_.size()) return {};
  const auto begin = starts_[number - 1];
  const auto end = number < starts_.size() ? starts_[number] - 1 : content_.size();
  auto found = content_.substr(begin, end - begin);
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found;
}

std::size_t line_index::offset_of(position where) const {
  if (where.line == 0) return 0;
  if (where.line > starts_.size()) return content_.size();
  const auto column = where.column == 0 ? 0 : where.column - 1;
  return std::min(starts_[where.line - 1] + column, content_.size());
}

position line_index::position_of(std::size_t offset) const {
  offset = std::min(offset, content_.size());
  const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
  return {static_cast<std::size_t>(next - starts_.begin()), offset - *(next - 1) + 1};
}

}  // namespace text
