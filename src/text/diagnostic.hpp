#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/source.hpp"

namespace text {

enum class severity { error, warning };

/// A second place that explains the first: "first declared here".
struct note {
  std::string message;
  span where;
  bool operator==(const note&) const = default;
};

/// What is wrong with a text of the user, and where.
struct diagnostic {
  severity level = severity::error;
  std::string code;  // stable, snake_case: `unknown_key`
  std::string message;
  span where;        // a line of 0: the text as a whole
  std::string help;  // what to do about it; empty when there is nothing to say; may have several lines
  std::vector<note> notes;
  bool operator==(const diagnostic&) const = default;
};

/// By position; those of one place stay in their order.
void sort_by_position(std::vector<diagnostic>& diagnostics);

enum class colouring { plain, ansi };

/// `file:line:column: error: message [code]`, the source line with the place marked below it, help, then the notes in
/// the same form; ends with a line end. Tabs, wide characters and very long lines keep their marks below the right
/// place.
std::string spell(const diagnostic& what, const source& where, colouring colours = colouring::plain);

/// All of them, one after another; the source is searched for lines only once.
std::string spell(const std::vector<diagnostic>& diagnostics, const source& where,
                  colouring colours = colouring::plain);

}  // namespace text
