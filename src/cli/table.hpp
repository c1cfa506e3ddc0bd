#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.hpp"

namespace cli {

/// A cell of a table, and how it is painted.
struct cell {
  std::string words;
  std::string (*paint)(std::string_view, stream) = nullptr;
};

/// Lines of columns that stand under each other. What begins with a digit stands on the right.
class table {
 public:
  explicit table(std::vector<std::string> heads);

  void add(std::vector<cell> cells);

  bool empty() const { return rows_.size() == 1; }

  /// On standard output, one line a row.
  void say() const;

 private:
  std::vector<std::vector<cell>> rows_;
};

/// `3`, painted so where it is more than nothing.
cell count_cell(std::int64_t count, std::string (*paint)(std::string_view, stream) = nullptr);

/// `2h 5m`, `850ms`: at most two units.
std::string spell_age(double seconds);

/// `1.5 MiB`.
std::string spell_bytes(std::int64_t bytes);

}  // namespace cli
