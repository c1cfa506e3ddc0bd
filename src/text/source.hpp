#pragma once

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

}  // namespace text
