#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "text/diagnostic.hpp"
#include "text/source.hpp"

namespace check {

/// A comment `-- quern:allow CODE reason`.
struct hook_allow {
  std::string code{};
  bool has_reason = false;
  bool is_used = false;
  text::span where{};
};

/// A stretch of the lines of a file, from 1, with both ends in it.
struct line_range {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// The accepted findings of a hook.
class hook_allows {
 public:
  /// The statements' lines tell comments from text that only looks like one.
  hook_allows(const text::line_index& lines, const std::vector<line_range>& statements);

  /// Whether the code is accepted for the statement that begins in that line: in the comment lines right above it.
  bool accept(const std::string& code, std::size_t first_line);

  /// What is wrong with the comments themselves, after all statements were looked at.
  std::vector<text::diagnostic> problems() const;

 private:
  const text::line_index& lines_;
  std::vector<hook_allow> all_;  // by line
};

}  // namespace check
