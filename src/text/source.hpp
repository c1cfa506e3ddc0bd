#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Where a text and its positions live. Depends on nothing else of the project.
namespace text {

/// A place in a source; lines and columns count from 1, columns in bytes. 0 means "nowhere".
struct position {
  std::size_t line = 0;
  std::size_t column = 0;
  auto operator<=>(const position&) const = default;
};

/// From `begin` up to, not including, `end`.
struct span {
  position begin;
  position end;
  auto operator<=>(const span&) const = default;
};

/// A text with the name under which the user knows it.
struct source {
  std::string name;
  std::string content;
};

/// Finds lines and positions in a text, which must outlive it. Lines end with LF or CRLF.
class line_index {
 public:
  explicit line_index(std::string_view content);

  /// At least 1: an empty text has one empty line.
  std::size_t line_count() const { return starts_.size(); }

  /// A line without its end; empty when there is no such line.
  std::string_view line(std::size_t number) const;

  /// The offset of a position in bytes; positions outside the text are moved to its nearest end.
  std::size_t offset_of(position where) const;

  /// The position of a byte; offsets behind the end give the end.
  position position_of(std::size_t offset) const;

  /// From one byte up to, not including, another.
  span span_of(std::size_t begin, std::size_t end) const { return {position_of(begin), position_of(end)}; }

 private:
  std::string_view content_;
  std::vector<std::size_t> starts_;
};

}  // namespace text
